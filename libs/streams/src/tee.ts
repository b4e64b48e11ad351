/**
 * One pass over a source for two consumers: an upload goes to the object store and, in the same pass, its lines or
 * record borders into tables.
 *
 * Both consumers run side by side, and the faster one is at most `aheadMax` items ahead of the slower one. The pass
 * is whole or nothing: if one consumer fails, the other's branch throws the same error at its next item, so that it
 * can undo what it did, and `tee` throws that error after both have settled. A consumer that returns before the end
 * has had enough; the other one goes on.
 */
import assert from 'node:assert/strict';
import { Bell, Reader, type Source } from './reader.js';

/** Reads one branch and answers with its result. */
export type Consumer<T, R> = (branch: AsyncIterable<T>) => Promise<R>;

/** @param aheadMax items, 1 or more; they are held in memory */
export async function tee<T, A, B>(
  source: Source<T>,
  left: Consumer<T, A>,
  right: Consumer<T, B>,
  aheadMax = 4,
): Promise<[A, B]> {
  assert(Number.isInteger(aheadMax) && aheadMax >= 1, `Ahead by ${aheadMax} items makes no sense.`);
  const pass = new Pass(source, aheadMax);
  const [first, second] = await Promise.allSettled([
    pass.consume(left),
    pass.consume(right),
    pass.run(),
  ]);
  if (pass.failure) throw pass.failure.error;
  assert(first.status === 'fulfilled' && second.status === 'fulfilled');
  return [first.value, second.value];
}

interface Branch<T> {
  readonly queue: T[];
  readonly arrived: Bell;
  open: boolean;
}

class Pass<T> {
  /** The first thing that went wrong, on any side. */
  failure: { readonly error: unknown } | undefined;
  readonly #reader: Reader<T>;
  readonly #branches: Branch<T>[] = [];
  readonly #room = new Bell();
  #ended = false;

  constructor(
    source: Source<T>,
    private readonly aheadMax: number,
  ) {
    this.#reader = new Reader(source);
  }

  async consume<R>(consumer: Consumer<T, R>): Promise<R> {
    const branch: Branch<T> = { queue: [], arrived: new Bell(), open: true };
    this.#branches.push(branch);
    try {
      return await consumer(this.#items(branch));
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#leave(branch);
    }
  }

  /** Reads as long as somebody listens and nobody is too far behind. */
  async run(): Promise<void> {
    try {
      while (!this.failure) {
        const open = this.#branches.filter((branch) => branch.open);
        if (open.length === 0) break;
        if (open.some((branch) => branch.queue.length >= this.aheadMax)) {
          await this.#room.wait();
          continue;
        }
        if (!(await this.#readOne())) break;
      }
      await this.#reader.close();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#ended = true;
      this.#ringAll();
    }
  }

  /** Waits for the source, but not longer than somebody is interested. */
  async #readOne(): Promise<boolean> {
    let next: IteratorResult<T, undefined> | undefined;
    const reading = this.#reader.read().then(
      (result) => (next = result),
      (error: unknown) => this.#fail(error),
    );
    void reading.then(() => this.#room.ring());
    while (!next && !this.failure && this.#branches.some((branch) => branch.open)) {
      await this.#room.wait();
    }
    if (!next || next.done === true) return false;
    for (const branch of this.#branches) {
      if (!branch.open) continue;
      branch.queue.push(next.value);
      branch.arrived.ring();
    }
    return true;
  }

  async *#items(branch: Branch<T>): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        if (this.failure) throw this.failure.error;
        if (branch.queue.length > 0) {
          const item = branch.queue.shift() as T; // The length was checked; T may itself be undefined.
          this.#room.ring();
          yield item;
        } else if (this.#ended) return;
        else await branch.arrived.wait();
      }
    } finally {
      this.#leave(branch);
    }
  }

  #leave(branch: Branch<T>): void {
    branch.open = false;
    branch.queue.length = 0;
    this.#room.ring();
  }

  #fail(error: unknown): void {
    this.failure ??= { error };
    this.#room.ring();
    this.#ringAll();
  }

  #ringAll(): void {
    for (const branch of this.#branches) branch.arrived.ring();
  }
}
