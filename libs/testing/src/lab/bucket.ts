import { randomBytes } from 'node:crypto';
import type { ServiceName } from '@quire/contracts/scope';
import { Client } from 'minio';
import { tellBackEnds } from './back-ends.js';
import { lab, type S3Address } from './config.js';

type Store = Omit<S3Address, 'engine'>;

/** The bucket of one world on the S3 server of the lab. Quire makes it; it is gone when the world is. */
export class LabBucket implements AsyncDisposable {
  private constructor(readonly store: Store) {}

  /** undefined: there is no store in this lab. */
  static take(): LabBucket | undefined {
    if (!lab.s3) return undefined;
    const { url, region, accessKeyId, secretAccessKey } = lab.s3;
    const bucket = `world-${randomBytes(6).toString('hex')}`;
    return new LabBucket({ url, region, bucket, accessKeyId, secretAccessKey });
  }

  /** For Quire. */
  get settings(): Record<string, string> {
    const { url, region, bucket, accessKeyId, secretAccessKey } = this.store;
    return {
      OBJECT_STORE: 's3',
      S3_URL: url,
      S3_REGION: region,
      S3_BUCKET: bucket,
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
    };
  }

  /** Removes it with all that is in it; nobody may use it any more. A server removes only an empty one. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { bucket } = this.store;
    const client = clientOf(this.store);
    if (!(await client.bucketExists(bucket))) return;
    const uploads: AsyncIterable<{ key: string }> = client.listIncompleteUploads(bucket, '', true);
    for await (const { key } of uploads) await client.removeIncompleteUpload(bucket, key);
    const names = await namesIn(client, bucket, '');
    if (names.length > 0) await client.removeObjects(bucket, names);
    await client.removeBucket(bucket);
  }
}

/** Where a service on its own keeps its objects: a bucket of the lab, or what it has by itself. Its bus is in process. */
export function bucketOfLab(service: ServiceName): { readonly bucket?: LabBucket } {
  const bucket = LabBucket.take();
  tellBackEnds({ world: service, kafka: false, s3: bucket !== undefined });
  return bucket ? { bucket } : {};
}

/** Keys of all objects below a folder, as the server has them. */
export function objectNames(store: Store, folder: string): Promise<string[]> {
  return namesIn(clientOf(store), store.bucket, `${folder}/`);
}

async function namesIn(client: Client, bucket: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  const objects: AsyncIterable<{ name?: string }> = client.listObjectsV2(bucket, prefix, true);
  for await (const { name } of objects) if (name !== undefined) names.push(name);
  return names;
}

function clientOf({ url, region, accessKeyId, secretAccessKey }: Store): Client {
  const { hostname: endPoint, port, protocol } = new URL(url);
  const useSSL = protocol === 'https:';
  const address = { endPoint, useSSL, ...(port === '' ? {} : { port: Number(port) }) };
  return new Client({ ...address, region, accessKey: accessKeyId, secretKey: secretAccessKey });
}
