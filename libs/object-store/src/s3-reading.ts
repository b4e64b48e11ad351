/**
 * Streams a part of an S3 object, and goes on at the same byte with another request when the connection breaks: because the
 * store was restarted, or because whoever reads is slow and the connection was idle too long.
 */
import { Readable } from 'node:stream';
import { backoffMs, sleep } from '@quire/streams/retry';
import { ObjectStoreUnavailable, type ByteRange } from './object-store.js';
import type { OpenedObject, S3Calls } from './s3-calls.js';

/** Without a single byte between them. */
const FAILURES_MAX = 5;

export class S3Reading extends Readable {
  #position: number;
  #failures = 0;
  #body: OpenedObject['body'] | undefined;
  #bytes: AsyncIterator<Buffer> | undefined;
  readonly #stop = new AbortController();

  constructor(
    private readonly calls: S3Calls,
    private readonly key: string,
    private readonly opened: OpenedObject,
    private readonly range: ByteRange,
  ) {
    super();
    this.#position = range.start;
    this.#take(opened.body);
  }

  override _read(): void {
    this.#next().then(
      (chunk) => this.push(chunk),
      (error: unknown) => this.destroy(error as Error),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stop.abort();
    this.#body?.destroy();
    done(error);
  }

  async #next(): Promise<Buffer | null> {
    for (;;) {
      try {
        const bytes = this.#bytes ?? (await this.#reopen());
        const next = await bytes.next();
        if (next.done !== true) {
          const { value } = next;
          if (value.length > this.range.end - this.#position)
            throw new Error('The store sent more than it was asked for.');
          this.#position += value.length;
          this.#failures = 0;
          return value;
        }
        if (this.#position === this.range.end) return null;
        throw new Error(`The store ended at byte ${this.#position} of ${this.range.end}.`);
      } catch (error) {
        this.#body?.destroy();
        this.#bytes = undefined;
        await this.#wait(error);
      }
    }
  }

  async #wait(error: unknown): Promise<void> {
    this.#failures += 1;
    if (this.#failures >= FAILURES_MAX || error instanceof ObjectStoreUnavailable)
      throw error instanceof ObjectStoreUnavailable
        ? error
        : new ObjectStoreUnavailable('read an object', error);
    await sleep(backoffMs(this.#failures), this.#stop.signal);
  }

  async #reopen(): Promise<AsyncIterator<Buffer>> {
    const rest = { start: this.#position, end: this.range.end };
    const opened = await this.calls.open(this.key, rest, this.opened.etag);
    if (opened === 'missing' || !('body' in opened))
      throw new ObjectStoreUnavailable('read an object to its end: it is there no more');
    if (this.destroyed) opened.body.destroy();
    return this.#take(opened.body);
  }

  #take(body: OpenedObject['body']): AsyncIterator<Buffer> {
    this.#body = body;
    // A connection that breaks while nobody asks for bytes is noticed when somebody does.
    body.on('error', () => undefined);
    this.#bytes = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    return this.#bytes;
  }
}
