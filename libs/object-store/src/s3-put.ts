/**
 * One put into an S3 store.
 *
 * Up to 8 MiB it is one PUT at the end; beyond, a multipart upload whose parts are sent while the next one is filled. The
 * PUT or the completion is the commit: it is conditional on there being no object of that key, and it is not
 * interrupted, because its outcome must be known. If its answer is lost, the object is looked at: when it is the one we
 * sent, by size and MD5 sums, it was committed. After every commit the object is looked at anyway, since servers were seen
 * to say yes and have nothing.
 *
 * What fails leaves nothing: the upload is aborted, and an object that we are told was ours is removed. When the store is
 * away at that moment, an unfinished upload stays until `remove` of that key or `sweepIncomplete`.
 */
import { createHash } from 'node:crypto';
import { backoffMs, sleep } from '@quire/streams/retry';
import { abortable } from '@quire/streams/abortable';
import { Tally } from '@quire/streams/tally';
import { ObjectAlreadyExists, ObjectStoreUnavailable, type StoredObject } from './object-store.js';
import { canPass, md5Of, type S3Calls, type S3Object, type S3Part } from './s3-calls.js';
import type { TenantKey } from './tenant-key.js';

export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_MAX = 10_000; // of S3: 78 GiB
const COMMITS_MAX = 5;

/** Blocks beyond the one that every put has, shared by all puts of a store. */
export class SpareBlocks {
  #left: number;

  constructor(count: number) {
    this.#left = count;
  }

  take(): Buffer | undefined {
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    return Buffer.allocUnsafeSlow(PART_BYTES);
  }

  giveBack(): void {
    this.#left += 1;
  }
}

interface Upload {
  readonly id: string;
  readonly parts: S3Part[];
  readonly md5s: Buffer[];
}

export class S3Put {
  readonly #tally = new Tally();
  readonly #name: string;
  #block: Buffer = Buffer.allocUnsafeSlow(PART_BYTES);
  #spare: Buffer | undefined;
  #hasSpare = false;
  #filled = 0;
  #upload: Upload | undefined;
  #sending: Promise<void> = Promise.resolve();
  /** The store said that the object of this key is the one we sent. */
  #committed = false;

  constructor(
    private readonly calls: S3Calls,
    private readonly spares: SpareBlocks,
    private readonly key: TenantKey,
    private readonly signal: AbortSignal,
  ) {
    this.#name = key.toString();
  }

  async run(source: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    try {
      // Seen early, so that a repeated key does not cost a whole upload; the condition of the commit decides.
      if (await this.calls.head(this.#name, this.signal)) throw new ObjectAlreadyExists(this.key);
      for await (const chunk of abortable(source, this.signal)) await this.#add(chunk);
      this.signal.throwIfAborted();
      await this.#commit();
      this.signal.throwIfAborted();
      return { bytes: this.#tally.bytes, sha256: this.#tally.sha256() };
    } catch (error) {
      await this.#clear();
      throw error;
    } finally {
      if (this.#hasSpare) this.spares.giveBack();
    }
  }

  /** Takes a copy, since the source may use its buffer again. */
  async #add(chunk: Uint8Array): Promise<void> {
    this.#tally.add(chunk);
    for (let offset = 0; offset < chunk.byteLength;) {
      // Only when more comes: an object that just fills a block needs no upload.
      if (this.#filled === PART_BYTES) {
        await this.#flush();
        await this.#nextBlock();
      }
      const part = chunk.subarray(offset, offset + PART_BYTES - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.byteLength;
      offset += part.byteLength;
    }
  }

  /** Begins to send the block, once the one before is sent. */
  async #flush(): Promise<void> {
    const body = this.#block.subarray(0, this.#filled);
    await this.#sending;
    // Before the source is asked for more, so that a `remove` meanwhile finds the upload.
    this.#upload ??= {
      id: await this.calls.beginUpload(this.#name, this.signal),
      parts: [],
      md5s: [],
    };
    this.#sending = this.#send(this.#upload, body);
    // Its failure is thrown by whoever waits for it next.
    this.#sending.catch(() => undefined);
  }

  /** Fills another block while one is sent, or, if there is none left, the same one once it is sent. */
  async #nextBlock(): Promise<void> {
    this.#filled = 0;
    if (!this.#hasSpare) {
      this.#spare = this.spares.take();
      this.#hasSpare = this.#spare !== undefined;
    }
    if (this.#spare) [this.#block, this.#spare] = [this.#spare, this.#block];
    else await this.#sending;
  }

  async #send({ id, parts, md5s }: Upload, body: Buffer): Promise<void> {
    const part = md5s.length + 1;
    if (part > PARTS_MAX) throw new ObjectStoreUnavailable(`keep more than ${PARTS_MAX} parts`);
    const md5 = md5Of(body);
    md5s.push(md5);
    parts.push(await this.calls.putPart(this.#name, { id, part, md5 }, body, this.signal));
  }

  async #commit(): Promise<void> {
    if (!this.#upload) {
      const body = this.#block.subarray(0, this.#filled);
      const etag = md5Of(body).toString('hex');
      await this.#commitBy(etag, async () => {
        const answer = await this.calls.putOnce(this.#name, body);
        if (answer === 'taken') return 'taken';
        return answer.proves && answer.etag !== etag ? 'wrong' : 'done';
      });
      return;
    }
    await this.#flush();
    await this.#sending;
    const { id, parts, md5s } = this.#upload;
    const etag = etagOfParts(md5s);
    await this.#commitBy(etag, () => this.calls.completeOnce(this.#name, id, parts));
  }

  /** @param commit tries once; 'wrong': what the store took is not what we sent */
  async #commitBy(
    etag: string,
    commit: () => Promise<'done' | 'taken' | 'gone' | 'wrong'>,
  ): Promise<void> {
    let lost: unknown;
    for (let attempt = 1; ; attempt++) {
      const answer = await commit().catch((error: unknown) => {
        lost = error;
        return 'lost' as const;
      });
      // Nobody else's: had there been an object before, the store would have said so.
      this.#committed = answer === 'done' || answer === 'wrong';
      if (answer === 'taken' && lost === undefined) throw new ObjectAlreadyExists(this.key);
      const found = await this.calls.head(this.#name);
      if (answer !== 'wrong' && found && this.#isOurs(found, etag)) {
        this.#committed = true;
        return;
      }
      // An object that is there after an answer was lost, and is not the one we sent, is somebody else's.
      if (found && !this.#committed) throw new ObjectAlreadyExists(this.key);
      const final = answer === 'gone' || attempt === COMMITS_MAX || !canPass(lost);
      // Of a completed upload the parts are gone, and the source with them: the caller begins again, with a new key.
      if (final || (this.#committed && this.#upload)) {
        const there = found ? 'another one is there' : 'none is there';
        throw new ObjectStoreUnavailable(`keep an object: ${there}`, lost);
      }
      if (this.#committed) await this.calls.remove(this.#name);
      await sleep(backoffMs(attempt));
    }
  }

  #isOurs(found: S3Object, etag: string): boolean {
    return found.bytes === this.#tally.bytes && (!found.proves || found.etag === etag);
  }

  /** The first failure is the one worth knowing, and what cannot be cleared now is swept later. */
  async #clear(): Promise<void> {
    await this.#sending.catch(() => undefined);
    if (this.#upload) await this.calls.abortUpload(this.#name, this.#upload.id).catch(ignore);
    if (this.#committed) await this.calls.remove(this.#name).catch(ignore);
  }
}

function ignore(): void {}

/** How S3 makes the ETag of a multipart object. */
function etagOfParts(md5s: readonly Buffer[]): string {
  const hash = createHash('md5');
  for (const md5 of md5s) hash.update(md5);
  return `${hash.digest('hex')}-${md5s.length}`;
}
