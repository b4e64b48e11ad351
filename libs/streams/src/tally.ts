import { createHash } from 'node:crypto';

/** Counts bytes and computes their SHA-256 while they pass, so that size and hash of a stream cost no second reading. */
export class Tally {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #digest: Buffer | undefined;

  /** Bytes seen so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.byteLength;
  }

  /** Hands the chunks on as they are, the same objects. */
  async *pass<C extends Uint8Array>(source: AsyncIterable<C>): AsyncGenerator<C, void, undefined> {
    for await (const chunk of source) {
      this.add(chunk);
      yield chunk;
    }
  }

  /** 32 bytes over everything seen. Closes the count: adding afterwards throws. */
  sha256(): Buffer {
    this.#digest ??= this.#hash.digest();
    return this.#digest;
  }
}
