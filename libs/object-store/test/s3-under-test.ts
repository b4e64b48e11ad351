/** The S3 store in specs: opened with the settings of the lab or a spec's own server, and watched for what it leaves. */
import type { S3Settings } from '../src/config.js';
import {
  ObjectStore,
  type ByteRange,
  type ListedObject,
  type ObjectBytes,
  type PutOptions,
  type StoredObject,
} from '../src/object-store.js';
import { S3Calls } from '../src/s3-calls.js';
import { openS3Store, type S3Store } from '../src/s3.store.js';
import type { ObjectPrefix, TenantKey } from '../src/tenant-key.js';
import type { ObjectStoreUnderTest } from './object-store.contract.js';

/** Those of a server of the lab. @param url another way to it */
export function settingsOf(server: S3Settings, url = server.url): S3Settings {
  const { bucket, region, accessKeyId, secretAccessKey } = server;
  return { url, bucket, region, accessKeyId, secretAccessKey };
}

/** The unfinished uploads of one key, on the server itself. */
export async function uploadsOf(settings: S3Settings, key: string): Promise<string[]> {
  const calls = new S3Calls(settings);
  const found: string[] = [];
  for await (const upload of calls.listUploads(key)) found.push(upload.key);
  calls.close();
  return found;
}

/** A store that remembers its puts, since MinIO lists unfinished uploads by their exact keys only, or all of them. */
export async function openWatched(settings: S3Settings): Promise<ObjectStoreUnderTest> {
  const store = new WatchedStore(await openS3Store(settings));
  return {
    store,
    leftovers: async () => {
      const found: string[] = [];
      for (const key of store.takeKeys()) found.push(...(await uploadsOf(settings, key)));
      return found;
    },
    close: () => Promise.resolve(store.inner[Symbol.dispose]()),
  };
}

class WatchedStore extends ObjectStore {
  #keys = new Set<string>();

  constructor(readonly inner: S3Store) {
    super();
  }

  takeKeys(): string[] {
    const keys = [...this.#keys];
    this.#keys.clear();
    return keys;
  }

  put(
    key: TenantKey,
    source: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<StoredObject> {
    this.#keys.add(key.toString());
    return this.inner.put(key, source, options);
  }

  get(key: TenantKey, range?: ByteRange): Promise<ObjectBytes> {
    return this.inner.get(key, range);
  }

  stat(key: TenantKey): Promise<number | undefined> {
    return this.inner.stat(key);
  }

  remove(key: TenantKey): Promise<void> {
    return this.inner.remove(key);
  }

  list(prefix: ObjectPrefix, tenantId: string): AsyncIterable<ListedObject> {
    return this.inner.list(prefix, tenantId);
  }

  ready(): Promise<void> {
    return this.inner.ready();
  }
}
