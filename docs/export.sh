#!/usr/bin/env bash
# Export MARC records by a list of instance ids: the six steps of the data-export API, with curl and jq.
#
#   QUIRE_URL=http://127.0.0.1:8080 QUIRE_USERNAME=admin QUIRE_PASSWORD=… docs/export.sh ids.csv out.mrc
#
# QUIRE_TENANT      tenant, `library` unless set
# JOB_PROFILE       name of the job profile; the first of the list (the default one) unless set
# QUIRE_DIALECT     `2020` for scripts that know only SUCCESS and FAIL
# POLL_SECONDS_MAX  gives up after this time, 600 unless set
set -euo pipefail

ids=${1:?usage: export.sh <ids.csv> <out.mrc>}
out=${2:?usage: export.sh <ids.csv> <out.mrc>}
url=${QUIRE_URL:-http://127.0.0.1:8080}
tenant=${QUIRE_TENANT:-library}
poll_seconds_max=${POLL_SECONDS_MAX:-600}

# A password is never an argument: arguments show in the list of processes.
token=$(jq -n '{username: env.QUIRE_USERNAME, password: env.QUIRE_PASSWORD}' |
  curl -sS --fail-with-body -H "X-Okapi-Tenant: $tenant" -H 'Content-Type: application/json' \
    --data-binary @- "$url/authn/login" | jq -r .okapiToken)

headers=(-H "X-Okapi-Tenant: $tenant" -H "X-Okapi-Token: $token")
if [ -n "${QUIRE_DIALECT:-}" ]; then headers+=(-H "X-Quire-Dialect: $QUIRE_DIALECT"); fi
api() { curl -sS --fail-with-body "${headers[@]}" "$@"; }

echo 'Step 1: the job profile' >&2
profiles=$(api "$url/data-export/job-profiles?limit=1000")
if [ -n "${JOB_PROFILE:-}" ]; then
  job_profile_id=$(jq -r --arg name "$JOB_PROFILE" '.jobProfiles[] | select(.name == $name) | .id' <<<"$profiles")
else
  job_profile_id=$(jq -r '.jobProfiles[0].id' <<<"$profiles")
fi
[ -n "$job_profile_id" ] || { echo "There is no job profile \"${JOB_PROFILE:-}\"." >&2; exit 4; }

echo 'Step 2: the file definition' >&2
file_definition_id=$(jq -n --arg name "$(basename "$ids" .csv).csv" '{fileName: $name}' |
  api -H 'Content-Type: application/json' --data-binary @- "$url/data-export/file-definitions" | jq -r .id)

echo 'Step 3: upload of the ids' >&2
job_execution_id=$(api -H 'Content-Type: application/octet-stream' --data-binary @"$ids" \
  "$url/data-export/file-definitions/$file_definition_id/upload" | jq -r .jobExecutionId)

echo 'Step 4: start' >&2
jq -n --arg file "$file_definition_id" --arg profile "$job_profile_id" '{fileDefinitionId: $file, jobProfileId: $profile}' |
  api -H 'Content-Type: application/json' --data-binary @- "$url/data-export/export"

echo 'Step 5: poll' >&2
deadline=$((SECONDS + poll_seconds_max))
while :; do
  job=$(api -G "$url/data-export/job-executions" --data-urlencode "query=id==\"$job_execution_id\"" | jq '.jobExecutions[0]')
  status=$(jq -r .status <<<"$job")
  case $status in
    SUCCESS | COMPLETED | COMPLETED_WITH_ERRORS) break ;;
    FAIL) echo "The export failed: $(jq -c .progress <<<"$job")" >&2; exit 6 ;;
  esac
  [ "$SECONDS" -lt "$deadline" ] || { echo "The export $job_execution_id is still running." >&2; exit 7; }
  sleep 0.2
done
file_id=$(jq -r '.exportedFiles[0].fileId' <<<"$job")

echo 'Step 6: download' >&2
link=$(api "$url/data-export/job-executions/$job_execution_id/download/$file_id" | jq -r .link)
curl -sS --fail-with-body -o "$out" "$link"

jq -c '{jobExecutionId: .id, hrId, status, progress}' <<<"$job"
