/**
 * What several files of this library need to read a source from the side of the consumer's own loop:
 * a reader that can be closed although the source is silent, and a bell that wakes one waiting loop.
 */

/** What a stage accepts as its source. */
export type Source<T> = AsyncIterable<T> | Iterable<T>;

/**
 * Reads a source, one read at a time.
 *
 * Closing never waits for a read that is under way: an iterator queues `return()` behind its pending `next()`, and a
 * client that stopped sending would then hold the error of a failed job back for as long as it likes. The source is
 * told, closes itself when that read settles, and whatever it says then is nobody's business any more.
 */
export class Reader<T> {
  readonly #iterator: AsyncIterator<T> | Iterator<T>;
  #reading = false;
  #ended = false;

  constructor(source: Source<T>) {
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** The next item, or done; an error of the source is thrown as it came. */
  async read(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    this.#reading = true;
    try {
      const result = await this.#iterator.next();
      if (result.done !== true) return { done: false, value: result.value };
      this.#ended = true;
      return { done: true, value: undefined };
    } catch (error) {
      this.#ended = true;
      throw error;
    } finally {
      this.#reading = false;
    }
  }

  /** Lets go of the source. Waits for its own clean-up, and throws its error, only if no read is under way. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const closing = (async () => {
      await this.#iterator.return?.();
    })();
    if (!this.#reading) return closing;
    closing.catch(() => undefined);
  }
}

/** Wakes the one loop that waits for it. A ring that nobody waits for is kept, so that no change is missed. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    if (!this.#wake) {
      this.#rung = true;
      return;
    }
    this.#wake();
    this.#wake = undefined;
  }

  async wait(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#rung = false;
  }
}
