/**
 * The object store: immutable bytes under keys we made.
 *
 * States of an object: absent → being written (invisible) → whole → absent. An object becomes visible whole, in one
 * step, at the end of `put`; nothing ever sees part of one. A key is used once: objects are never overwritten, a new
 * attempt takes a new key. That an object *counts* is decided by a Postgres row, not here, so an object without a row
 * is only rubbish: its key was written down before its first byte, and `remove` clears whatever became of it.
 *
 * `ObjectStoreUnavailable` is a failure that may travel to a client as it is. The messages of the other errors contain
 * keys: they are for logs, and who answers a client says it in other words.
 */
import type { Readable } from 'node:stream';
import { Failure } from '@quire/contracts/failure';
import type { ObjectPrefix, TenantKey } from './tenant-key.js';

/** What `put` found while the bytes passed. */
export interface StoredObject {
  readonly bytes: number;
  /** 32 bytes. */
  readonly sha256: Buffer;
}

/** Bytes `start` up to but **not including** `end`, as in `Buffer.subarray`: `0 ≤ start ≤ end ≤ size`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A stream of one object's bytes. Read it to its end or `destroy()` it: it holds a file or a connection. */
export interface ObjectBytes extends Readable {
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<Buffer, undefined, undefined>;
}

export interface ListedObject {
  readonly key: TenantKey;
  readonly bytes: number;
}

export interface PutOptions {
  /** Ends the put with the signal's reason, also while the source is silent. */
  readonly signal?: AbortSignal;
}

/** The port. Every method may throw `ObjectStoreUnavailable`. An abstract class, because Nest injects by value. */
export abstract class ObjectStore {
  /**
   * Streams the source into a new object, in flat memory. Rejects, with nothing left behind, with the source's own
   * error, with the signal's reason, or with `ObjectAlreadyExists`; the source is then closed if it was begun. Chunks are copied before the next one is asked
   * for, so a source may use its buffer again.
   */
  abstract put(
    key: TenantKey,
    source: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<StoredObject>;

  /**
   * Opens an object, or a part of it. Rejects with `ObjectNotFound` or `ObjectRangeRefused` before any byte; later
   * the stream itself may fail with `ObjectStoreUnavailable`. It never ends early without an error.
   */
  abstract get(key: TenantKey, range?: ByteRange): Promise<ObjectBytes>;

  /** The size in bytes, or undefined if there is no such object. */
  abstract stat(key: TenantKey): Promise<number | undefined>;

  /**
   * Removes the object and whatever an unfinished put of this key left, for good when it resolves. A missing object
   * is fine. A put of this key that is still running fails.
   */
  abstract remove(key: TenantKey): Promise<void>;

  /** The whole objects of a tenant, in no order. Those that come or go meanwhile may or may not be among them. */
  abstract list(prefix: ObjectPrefix, tenantId: string): AsyncIterable<ListedObject>;

  /** Resolves if the store can be used now. */
  abstract ready(): Promise<void>;
}

export class ObjectNotFound extends Error {
  override readonly name = 'ObjectNotFound';

  constructor(readonly key: TenantKey) {
    super(`There is no object ${key.toString()}.`);
  }
}

/** The key was used before. Objects are immutable. */
export class ObjectAlreadyExists extends Error {
  override readonly name = 'ObjectAlreadyExists';

  constructor(readonly key: TenantKey) {
    super(`There is already an object ${key.toString()}, and objects are never overwritten.`);
  }
}

/** The range does not lie inside the object: whoever wrote it down knows another object than the store has. */
export class ObjectRangeRefused extends Error {
  override readonly name = 'ObjectRangeRefused';

  constructor(
    readonly key: TenantKey,
    { start, end }: ByteRange,
    bytes: number,
  ) {
    super(
      `Bytes ${start} to ${end} do not lie inside the object ${key.toString()} of ${bytes} bytes.`,
    );
  }
}

const RETRY_AFTER_SECONDS = 5;

/**
 * The store does not work at the moment: a 503 for a client, another try for a handler. The message is what the client
 * reads and says nothing; what failed, with keys and paths, is the `cause`, for logs.
 */
export class ObjectStoreUnavailable extends Failure {
  override readonly name = 'ObjectStoreUnavailable';

  /** @param doing what the store failed to do, in the infinitive: "read an object" */
  constructor(doing: string, cause?: unknown) {
    super(
      'unavailable',
      'object-store-unavailable',
      `Service unavailable, retry in ${RETRY_AFTER_SECONDS} s`,
      { retryAfterSeconds: RETRY_AFTER_SECONDS },
      { cause: new Error(`The object store failed to ${doing}.`, { cause }) },
    );
  }
}

/** The bounds to read, checked against the object's size; the whole object without a range. Used by each adapter. */
export function checkedRange(key: TenantKey, bytes: number, range?: ByteRange): ByteRange {
  if (!range) return { start: 0, end: bytes };
  const { start, end } = range;
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (!whole || start < 0 || end < start || end > bytes)
    throw new ObjectRangeRefused(key, range, bytes);
  return { start, end };
}
