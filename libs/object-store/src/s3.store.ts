/**
 * The object store on any S3 server with read-after-write, multipart uploads, ETags and conditional writes
 * (`If-None-Match: *`): one bucket, whose keys are those of `tenant-key.ts`.
 *
 * A put is a single PUT up to 8 MiB and a multipart upload beyond (`s3-put.ts`); a reading goes on by ranges when the
 * connection breaks (`s3-reading.ts`). What a killed process leaves is an unfinished upload, which nobody sees and which
 * `remove` of its key or `sweepIncomplete` clears.
 *
 * Limit: a small put of *another* process has no trace on the server before its commit, so `remove` cannot make it fail.
 */
import { Readable } from 'node:stream';
import type { S3Settings } from './config.js';
import {
  checkedRange,
  ObjectNotFound,
  ObjectStore,
  ObjectStoreUnavailable,
  type ByteRange,
  type ListedObject,
  type ObjectBytes,
  type PutOptions,
  type StoredObject,
} from './object-store.js';
import { S3Calls, s3CodeOf, storeErrorOf } from './s3-calls.js';
import { S3Put, SpareBlocks } from './s3-put.js';
import { S3Reading } from './s3-reading.js';
import { isUuid, objectFolder, TenantKey, type ObjectPrefix } from './tenant-key.js';

/** Of 8 MiB each, for puts that fill one while another is sent: with 16 uploads, 160 MiB at most. */
const SPARE_BLOCKS = 4;
/** Parts that were on their way when an upload was aborted may still arrive and need another abort. */
const ABORTS_MAX = 3;

/** No put takes so long. Each unfinished upload of a killed process is cleared with its key; this is the net below. */
const ABANDONED_AFTER_MS = 86_400_000;

/** The settings of the store are wrong. The message is for whoever set them. */
export class S3SettingsRefused extends Error {
  override readonly name = 'S3SettingsRefused';
}

/**
 * Opens the store: makes its bucket if it is missing, and aborts uploads that are older than a day. A store that is not there
 * yet is no error: it is found when it is needed, and `ready` tells.
 *
 * @throws S3SettingsRefused when the store refuses the keys, the region or the bucket
 */
export async function openS3Store(settings: S3Settings): Promise<S3Store> {
  const calls = new S3Calls(settings);
  const store = new S3Store(calls);
  try {
    if (!(await calls.hasBucket())) await calls.makeBucket();
    await store.sweepIncomplete(ABANDONED_AFTER_MS);
  } catch (error) {
    const reason = s3CodeOf(storeErrorOf(error));
    if (reason !== undefined) {
      calls.close();
      const text = `The store at ${settings.url} refuses the bucket "${settings.bucket}" (${reason}). Check S3_BUCKET, S3_REGION, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY; the keys need s3:ListBucket and s3:ListBucketMultipartUploads, and s3:CreateBucket where the bucket does not exist.`;
      throw new S3SettingsRefused(text, { cause: error });
    }
  }
  return store;
}

export class S3Store extends ObjectStore implements Disposable {
  readonly #spares = new SpareBlocks(SPARE_BLOCKS);
  /** Puts of this process, by key. */
  readonly #running = new Map<string, Set<RunningPut>>();

  constructor(private readonly calls: S3Calls) {
    super();
  }

  /** Closes the connections. Nothing may use the store afterwards. */
  [Symbol.dispose](): void {
    this.calls.close();
  }

  async put(
    key: TenantKey,
    source: AsyncIterable<Uint8Array>,
    { signal }: PutOptions = {},
  ): Promise<StoredObject> {
    signal?.throwIfAborted();
    const removed = new AbortController();
    const stop = signal ? AbortSignal.any([signal, removed.signal]) : removed.signal;
    const result = new S3Put(this.calls, this.#spares, key, stop).run(source);
    return await this.#track(key.toString(), removed, result);
  }

  async get(key: TenantKey, range?: ByteRange): Promise<ObjectBytes> {
    // A range that is none, or of no bytes, cannot be asked for; but its object must be there.
    if (range && !isAskable(range)) {
      checkedRange(key, await this.#sizeOf(key), range);
      return Readable.from([]);
    }
    const opened = await this.calls.open(key.toString(), range);
    if (opened === 'missing') throw new ObjectNotFound(key);
    if ('body' in opened) {
      const { bytes } = opened;
      return new S3Reading(this.calls, key.toString(), opened, checkedRange(key, bytes, range));
    }
    checkedRange(key, opened.bytes ?? (await this.#sizeOf(key)), range);
    throw new ObjectStoreUnavailable('open an object at a range within it');
  }

  async stat(key: TenantKey): Promise<number | undefined> {
    const found = await this.calls.head(key.toString());
    if (found) return found.bytes;
    // Nothing is there either when the bucket is not, and that must not pass for an empty store.
    await this.ready();
    return undefined;
  }

  async remove(key: TenantKey): Promise<void> {
    const name = key.toString();
    for (const put of this.#running.get(name) ?? []) await put.end();
    // Uploads first: once they are gone, no put that is still running can bring the object back.
    for (let aborts = 0; aborts < ABORTS_MAX; aborts++) {
      let found = 0;
      for await (const { uploadId } of this.calls.listUploads(name)) {
        await this.calls.abortUpload(name, uploadId);
        found++;
      }
      if (found === 0) break;
    }
    await this.calls.remove(name);
  }

  async *list(prefix: ObjectPrefix, tenantId: string): AsyncGenerator<ListedObject> {
    const folder = `${objectFolder(prefix, tenantId)}/`;
    for await (const { key, bytes } of this.calls.list(folder)) {
      const uuid = key.slice(folder.length);
      // What somebody else put into the bucket is no object.
      if (isUuid(uuid)) yield { key: TenantKey.of(prefix, tenantId, uuid), bytes };
    }
  }

  async ready(): Promise<void> {
    if (!(await this.calls.hasBucket()))
      throw new ObjectStoreUnavailable('answer: its bucket is not there');
  }

  /**
   * Aborts the unfinished uploads that dead processes left, those begun more than `olderThanMs` before `now`. A put that
   * still runs after so long fails. Keys that are not ours are spared. Answers how many were aborted.
   */
  async sweepIncomplete(olderThanMs: number, now = new Date()): Promise<number> {
    let aborted = 0;
    for await (const { key, uploadId, initiated } of this.calls.listUploads()) {
      if (!isOurs(key) || now.getTime() - initiated.getTime() < olderThanMs) continue;
      await this.calls.abortUpload(key, uploadId);
      aborted++;
    }
    return aborted;
  }

  async #sizeOf(key: TenantKey): Promise<number> {
    const bytes = await this.stat(key);
    if (bytes === undefined) throw new ObjectNotFound(key);
    return bytes;
  }

  async #track(
    name: string,
    removed: AbortController,
    result: Promise<StoredObject>,
  ): Promise<StoredObject> {
    const puts = this.#running.get(name) ?? new Set<RunningPut>();
    this.#running.set(name, puts);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    const put: RunningPut = {
      end: async () => {
        removed.abort(new ObjectStoreUnavailable('finish an object: it was removed meanwhile'));
        await settled;
      },
    };
    puts.add(put);
    try {
      return await result;
    } finally {
      puts.delete(put);
      if (puts.size === 0) this.#running.delete(name);
    }
  }
}

function isAskable({ start, end }: ByteRange): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end;
}

interface RunningPut {
  /** Makes it fail and resolves when nothing of it is left. */
  end(): Promise<void>;
}

function isOurs(key: string): boolean {
  try {
    return TenantKey.parse(key).toString() === key;
  } catch {
    return false;
  }
}
