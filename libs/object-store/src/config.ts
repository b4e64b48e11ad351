import { Text } from '@quire/contracts/fields';

/**
 * Where the objects are when `OBJECT_STORE` is `s3`. For `readSettings`, which takes each of them also from the file that
 * `<name>_FILE` names.
 */
export class S3Settings {
  /** `http://host:port` or `https://host`, without a path. */
  @Text({ pattern: '^https?://[^/?#\\s]+/?$' }) readonly url: string;
  /** Lower-case letters, digits, dots and hyphens, as S3 has it. */
  @Text({ pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$' }) readonly bucket: string;
  @Text({ max: 64 }) readonly region: string = 'us-east-1';
  @Text({ max: 256 }) readonly accessKeyId: string;
  @Text({ max: 256 }) readonly secretAccessKey: string;

  static readonly env = {
    url: 'S3_URL',
    bucket: 'S3_BUCKET',
    region: 'S3_REGION',
    accessKeyId: 'S3_ACCESS_KEY_ID',
    secretAccessKey: 'S3_SECRET_ACCESS_KEY',
  };
}
