/**
 * The calls to an S3 server that the store is made of, each with time-outs and tries.
 *
 * What the server says about an object (it is not there, the key is taken) is an answer; what it fails to do is an
 * `ObjectStoreUnavailable`. A call whose outcome is unknown, because the connection broke before the answer, is only
 * repeated here when repeating is harmless; `s3-put.ts` decides about the two that make an object visible.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { Client } from 'minio';
import { retry } from '@quire/streams/retry';
import type { S3Settings } from './config.js';
import { ObjectStoreUnavailable, type ByteRange } from './object-store.js';
import { isNotReached, S3Transport, type CallLimits } from './s3-transport.js';

/** What the store says of an object or a part. */
export interface S3Object {
  readonly bytes: number;
  readonly etag: string;
  /** The ETag is made of MD5 sums and so proves the content: everywhere but under keys that the store does not tell. */
  readonly proves: boolean;
}

export interface S3Part {
  readonly number: number;
  readonly etag: string;
}

export interface OpenedObject {
  /** Of the whole object. */
  readonly bytes: number;
  readonly etag: string;
  /** Exactly the bytes asked for, or a failure. */
  readonly body: IncomingMessage;
}

export interface ListedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: Date;
}

const ATTEMPTS_MAX = 5;
/** A store that is not reached is given up after so long, so that an upload is answered within 10 s (reliability, F23). */
const PATIENCE_MS = 4_500;
/** HEAD, DELETE and the like are answered in milliseconds. Two of them in a row still fit into the 10 s. */
const SMALL: CallLimits = { idleMs: 4_000, deadlineMs: 15_000 };
/** Putting many parts together is work for the store. */
const COMPLETE: CallLimits = { idleMs: 60_000, deadlineMs: 120_000 };
/** To the first byte; then the reader's pace counts. */
const READ: CallLimits = { idleMs: 30_000, deadlineMs: 4_000, streamed: true };
const BODY_IDLE_MS = 30_000;
const BODY_BASE_MS = 60_000;
const BODY_BYTES_PER_MS = 262; // 256 KiB/s (reliability, section 14)

/** Of the errors that S3 describes, those that pass. */
const PASSING = new Set([
  ...['BadDigest', 'ConditionalRequestConflict', 'IncompleteBody', 'InternalError'],
  ...['OperationAborted', 'RequestTimeout', 'ServiceUnavailable', 'SlowDown'],
  ...['XAmzContentSHA256Mismatch'],
]);

interface Attempts {
  /** What the store is doing, in the infinitive, for the error. */
  readonly doing: string;
  readonly limits?: CallLimits;
  readonly signal?: AbortSignal;
  /** 1 for what must not be repeated blindly. */
  readonly attemptsMax?: number;
  /** It may wait for a store that is slow, though not for one that is not there. */
  readonly patient?: boolean;
}

interface Request {
  readonly method: string;
  readonly objectName?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
  readonly expected?: number[];
}

export class S3Calls {
  readonly #transport: S3Transport;
  readonly #client: Client;

  constructor(private readonly settings: S3Settings) {
    const { protocol, hostname, port } = new URL(settings.url);
    const secure = protocol === 'https:';
    this.#transport = new S3Transport(secure);
    this.#client = new Client({
      endPoint: hostname,
      ...(port !== '' && { port: Number(port) }),
      useSSL: secure,
      region: settings.region,
      accessKey: settings.accessKeyId,
      secretKey: settings.secretAccessKey,
      transport: this.#transport.forClient,
      retryOptions: { disableRetry: true },
    });
  }

  close(): void {
    this.#transport.close();
  }

  /** Undefined when there is no such object, or no such bucket: the answer has no body that would tell. */
  async head(key: string, signal?: AbortSignal): Promise<S3Object | undefined> {
    return await this.#repeat({ doing: 'look at an object', signal }, async () => {
      const headers = await orUndefined(['NotFound', 'NoSuchKey'], async () => {
        return (await this.#send({ method: 'HEAD', objectName: key })).headers;
      });
      return headers && objectOf(headers, Number(headers['content-length']));
    });
  }

  /** Opens an object from an offset on. `'missing'`, or the object's size when the range is not within it. */
  async open(
    key: string,
    range?: ByteRange,
    etag?: string,
  ): Promise<OpenedObject | 'missing' | { readonly bytes: number | undefined }> {
    const headers: Record<string, string> = {
      ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
      ...(etag !== undefined && { 'if-match': `"${etag}"` }),
    };
    return await this.#repeat({ doing: 'open an object', limits: READ }, async () => {
      try {
        const expected = [range ? 206 : 200];
        const body = await this.#request({ method: 'GET', objectName: key, headers, expected });
        const { etag: found } = objectOf(body.headers, 0);
        const bytes = range ? totalOf(body.headers) : Number(body.headers['content-length']);
        if (range && range.end > bytes) {
          body.destroy();
          return { bytes };
        }
        return { bytes, etag: found, body };
      } catch (error) {
        if (s3CodeOf(error) === 'NoSuchKey') return 'missing';
        if (s3CodeOf(error) === 'InvalidRange') return { bytes: undefined };
        throw error;
      }
    });
  }

  /** Puts a whole object in one try. `'taken'` when the key has one. Whether it failed or not is unknown after an error. */
  async putOnce(key: string, body: Buffer, signal?: AbortSignal): Promise<S3Object | 'taken'> {
    return await this.#once({ doing: 'write an object', limits: bodyLimits(body), signal }, () =>
      this.#ifNew(async () => {
        const headers = { 'content-md5': md5Of(body).toString('base64'), 'if-none-match': '*' };
        const answer = await this.#send({ method: 'PUT', objectName: key, headers, body });
        return objectOf(answer.headers, body.length);
      }),
    );
  }

  async beginUpload(key: string, signal?: AbortSignal): Promise<string> {
    return await this.#repeat({ doing: 'begin an object', signal }, () =>
      this.#client.initiateNewMultipartUpload(this.settings.bucket, key, {}),
    );
  }

  /** Sends one part until the store has it with the right MD5 sum, at most five times. */
  async putPart(
    key: string,
    upload: { readonly id: string; readonly part: number; readonly md5: Buffer },
    body: Buffer,
    signal?: AbortSignal,
  ): Promise<S3Part> {
    const { id, part, md5 } = upload;
    return await this.#repeat(
      { doing: 'write a part of an object', limits: bodyLimits(body), patient: true, signal },
      async () => {
        const answer = await this.#send({
          method: 'PUT',
          objectName: key,
          query: `uploadId=${encodeURIComponent(id)}&partNumber=${part}`,
          headers: { 'content-md5': md5.toString('base64') },
          body,
        });
        const { etag, proves } = objectOf(answer.headers, body.length);
        if (proves && etag !== md5.toString('hex'))
          throw new Error(`The store took part ${part} for another one: its ETag is "${etag}".`);
        return { number: part, etag };
      },
    );
  }

  /**
   * Makes an upload an object, in one try. `'taken'` when the key has one, `'gone'` when the store knows no such upload or
   * not these parts. Whether it failed or not is unknown after an error.
   */
  async completeOnce(
    key: string,
    uploadId: string,
    parts: readonly S3Part[],
  ): Promise<'done' | 'taken' | 'gone'> {
    const list = parts.map(
      ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list.join('')}</CompleteMultipartUpload>`;
    return await this.#once({ doing: 'make an object visible', limits: COMPLETE }, async () => {
      const done = await orUndefined(['NoSuchUpload', 'InvalidPart'], () =>
        this.#ifNew(async () => {
          const answer = await this.#request({
            method: 'POST',
            objectName: key,
            query: `uploadId=${encodeURIComponent(uploadId)}`,
            headers: { 'if-none-match': '*' },
            body,
          });
          // A failure that comes up while the store works is told inside an answer that began with 200.
          const said = await text(answer);
          if (said.includes('<Error>')) throw new Error(`The store could not: ${said}`);
          return 'done' as const;
        }),
      );
      return done ?? 'gone';
    });
  }

  /** An upload that is not there is fine. */
  async abortUpload(key: string, uploadId: string): Promise<void> {
    await this.#repeat({ doing: 'remove an unfinished object' }, () =>
      orUndefined(['NoSuchUpload'], () =>
        this.#client.abortMultipartUpload(this.settings.bucket, key, encodeURIComponent(uploadId)),
      ),
    );
  }

  /** An object that is not there is fine. */
  async remove(key: string): Promise<void> {
    await this.#repeat({ doing: 'remove an object' }, () =>
      this.#send({ method: 'DELETE', objectName: key, expected: [200, 204] }),
    );
  }

  async *list(folder: string): AsyncGenerator<{ readonly key: string; readonly bytes: number }> {
    for (let token = ''; ;) {
      const page = await this.#repeat({ doing: 'list objects' }, () =>
        this.#client.listObjectsV2Query(this.settings.bucket, folder, token, '/', 1000, ''),
      );
      for (const { name, size } of page.objects) {
        if (name !== undefined) yield { key: name, bytes: size };
      }
      if (!page.isTruncated) return;
      token = page.nextContinuationToken;
    }
  }

  /** The unfinished uploads of one key, or of all: MinIO knows nothing between the two. */
  async *listUploads(key = ''): AsyncGenerator<ListedUpload> {
    let [keyMarker, uploadIdMarker] = ['', ''];
    for (;;) {
      const page = await this.#repeat({ doing: 'list unfinished objects' }, () =>
        this.#client.listIncompleteUploadsQuery(
          this.settings.bucket,
          key,
          keyMarker,
          encodeURIComponent(uploadIdMarker),
          '',
        ),
      );
      for (const upload of page.uploads) {
        if (key === '' || upload.key === key) yield upload;
      }
      if (!page.isTruncated) return;
      [keyMarker, uploadIdMarker] = [page.nextKeyMarker, page.nextUploadIdMarker];
    }
  }

  async hasBucket(): Promise<boolean> {
    return await this.#repeat({ doing: 'look at its bucket' }, () =>
      this.#client.bucketExists(this.settings.bucket),
    );
  }

  async makeBucket(): Promise<void> {
    await this.#repeat({ doing: 'make its bucket' }, () =>
      // Several processes start at once, and each may find it missing.
      orUndefined(['BucketAlreadyOwnedByYou'], () =>
        this.#client.makeBucket(this.settings.bucket, this.settings.region),
      ),
    );
  }

  async #ifNew<T>(work: () => Promise<T>): Promise<T | 'taken'> {
    return (await orUndefined(['PreconditionFailed'], work)) ?? 'taken';
  }

  #request({ body = '', expected = [200], headers, ...rest }: Request): Promise<IncomingMessage> {
    const options = { ...rest, bucketName: this.settings.bucket, headers: { ...headers } };
    return this.#client.makeRequestAsync(options, body, expected);
  }

  async #send(request: Request): Promise<IncomingMessage> {
    const answer = await this.#request(request);
    await text(answer);
    return answer;
  }

  async #once<T>(attempts: Attempts, work: () => Promise<T>): Promise<T> {
    return await this.#repeat({ ...attempts, attemptsMax: 1 }, work);
  }

  async #repeat<T>(
    { doing, limits = SMALL, signal, attemptsMax = ATTEMPTS_MAX, patient = false }: Attempts,
    work: () => Promise<T>,
  ): Promise<T> {
    let since = performance.now();
    const transient = (error: unknown): boolean => {
      if (patient && !isNotReached(error)) since = performance.now();
      return canPass(error) && performance.now() - since < PATIENCE_MS;
    };
    try {
      return await retry(
        () => this.#transport.within({ ...limits, ...(signal && { signal }) }, work),
        { attemptsMax, transient, ...(signal && { signal }) },
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw new ObjectStoreUnavailable(doing, error);
    }
  }
}

export function md5Of(body: Uint8Array): Buffer {
  return createHash('md5').update(body).digest();
}

/** The code of an error that the store described, such as NoSuchKey. */
export function s3CodeOf(error: unknown): string | undefined {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'S3Error' && typeof code === 'string' ? code : undefined;
}

/** What went wrong between us and the store, out of the failure that travels. */
export function storeErrorOf(error: unknown): unknown {
  if (!(error instanceof ObjectStoreUnavailable)) return error;
  return (error.cause as Error).cause;
}

/** Whether another try may help: not when the store said why it will not. Connections break in many ways. */
export function canPass(error: unknown): boolean {
  const code = s3CodeOf(storeErrorOf(error));
  return code === undefined || PASSING.has(code);
}

async function orUndefined<T>(
  codes: readonly string[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (codes.includes(s3CodeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function bodyLimits(body: Buffer): CallLimits {
  return { idleMs: BODY_IDLE_MS, deadlineMs: BODY_BASE_MS + body.length / BODY_BYTES_PER_MS };
}

function objectOf(headers: IncomingHttpHeaders, bytes: number): S3Object {
  const encryption = headers['x-amz-server-side-encryption'];
  const hidden = typeof encryption === 'string' && encryption.startsWith('aws:');
  return { bytes, etag: (headers.etag ?? '').replaceAll('"', ''), proves: !hidden };
}

/** The size of the whole object, from the answer to a range: `bytes 0-9/1234`. */
function totalOf(headers: IncomingHttpHeaders): number {
  const total = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1];
  if (total === undefined) throw new Error('The store answered a range without its size.');
  return Number(total);
}
