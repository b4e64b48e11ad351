#!/bin/sh
# Makes the bucket, and for each service an account that reaches only its own prefix. Repeatable. Runs in the image of the
# server, which brings its client `mc`; docker-compose.yml uses it too.
#
#   S3_URL, S3_BUCKET   the server and the bucket
#   KEYS_DIR            a folder with minio/root-user and minio/root-password, and for each service
#                       <service>/s3-access-key-id and <service>/s3-secret-access-key
set -eu
work="${TMPDIR:-/tmp}"
export MC_CONFIG_DIR="$work/mc"

tries=60
until mc alias set store "$S3_URL" "$(cat "$KEYS_DIR/minio/root-user")" "$(cat "$KEYS_DIR/minio/root-password")" > /dev/null 2>&1; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "$S3_URL does not answer, or refuses root-user."
    exit 1
  fi
  sleep 1
done
mc mb --ignore-existing "store/$S3_BUCKET"

# account SERVICE OWN READ: all on objects below OWN/, reading below READ/ ("-": nothing more). Names are listed without such
# a limit: a store that may not list answers "forbidden" where it should say "not there".
account() {
  bucket="arn:aws:s3:::$S3_BUCKET"
  reading="\"$bucket/$2/*\""
  if [ "$3" != - ]; then
    reading="$reading, \"$bucket/$3/*\""
  fi
  cat > "$work/$1.json" << POLICY
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
      "Resource": ["$bucket/$2/*"]
    },
    { "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [$reading] },
    {
      "Effect": "Allow",
      "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
      "Resource": ["$bucket"]
    }
  ]
}
POLICY
  id=$(cat "$KEYS_DIR/$1/s3-access-key-id")
  mc admin user add store "$id" "$(cat "$KEYS_DIR/$1/s3-secret-access-key")"
  mc admin policy create store "quire-$1" "$work/$1.json"
  # Without grep, which the image does not have; to attach a policy a second time is an error.
  case "$(mc admin policy entities store --user "$id")" in
    *"quire-$1"*) ;;
    *) mc admin policy attach store "quire-$1" --user "$id" ;;
  esac
}

account data-export export -
account data-import import records
account source-record-storage records import
echo "The bucket $S3_BUCKET and three accounts are there."
