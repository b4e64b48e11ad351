/**
 * Works on several items of a source at once and hands the results on in the order of the source.
 *
 * It behaves like `for await (const item of source) yield await work(item)`, only faster: results before a failure
 * are still delivered, then the failure is thrown. At most `width` items are read, worked on or finished but not yet
 * fetched, so memory is bounded by the width however slow the consumer is.
 *
 * Nothing outlives it. When the consumer stops, a work or the source fails, or the signal is aborted, the source is
 * closed, the signal given to the works still running is aborted, and the end waits until they have settled. A work
 * that ignores its signal therefore delays the end. Failures nobody fetches are swallowed, never unhandled.
 */
import assert from 'node:assert/strict';
import { Bell, Reader, type Source } from './reader.js';

/** What is done with one item. The signal is aborted as soon as the result is no longer wanted. */
export type Work<T, R> = (item: T, signal: AbortSignal) => Promise<R>;

/**
 * @param width items in hand at once, 1 or more
 * @param signal ends everything early with its reason
 */
export async function* parallel<T, R>(
  source: Source<T>,
  width: number,
  work: Work<T, R>,
  signal?: AbortSignal,
): AsyncGenerator<R, void, undefined> {
  assert(
    Number.isInteger(width) && width >= 1,
    `The width must be a whole number from 1, not ${width}.`,
  );
  signal?.throwIfAborted();
  const window = new Window(source, width, work);
  const onAbort = () => window.cancel(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    window.fill();
    for (;;) {
      signal?.throwIfAborted();
      const result = window.take();
      if (result) yield result.value;
      else if (window.finished) return;
      else await window.changed.wait();
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await window.close();
  }
}

interface Slot<R> {
  outcome?: { readonly value: R } | { readonly error: unknown };
  readonly settled: Promise<void>;
}

class Window<T, R> {
  /** Rung when a work has settled or the source has ended. */
  readonly changed = new Bell();
  readonly #room = new Bell();
  readonly #cancel = new AbortController();
  readonly #reader: Reader<T>;
  readonly #slots: Slot<R>[] = [];
  /** No more reading: at the end of the source, after the first failure, or because it was closed. */
  #halted = false;
  #ended = false;
  #sourceFailure: { readonly error: unknown } | undefined;

  constructor(
    source: Source<T>,
    private readonly width: number,
    private readonly work: Work<T, R>,
  ) {
    this.#reader = new Reader(source);
  }

  get finished(): boolean {
    return this.#ended && this.#slots.length === 0;
  }

  /** Keeps the window full in the background, independent of when the consumer comes. Never rejects. */
  fill(): void {
    void (async () => {
      try {
        while (!this.#halted) {
          if (this.#slots.length >= this.width) {
            await this.#room.wait();
            continue;
          }
          const next = await this.#reader.read();
          if (next.done === true) break;
          this.#start(next.value);
        }
      } catch (error) {
        this.#sourceFailure = { error };
      }
      this.#ended = true;
      this.changed.ring();
    })();
  }

  /** The oldest result if it is there; throws if the oldest work failed, or the source did and all results are out. */
  take(): { readonly value: R } | undefined {
    const outcome = this.#slots[0]?.outcome;
    if (!outcome) {
      if (this.finished && this.#sourceFailure) throw this.#sourceFailure.error;
      return undefined;
    }
    this.#slots.shift();
    this.#room.ring();
    if ('error' in outcome) throw outcome.error;
    return outcome;
  }

  /** Tells the works still running, and reads no more. */
  cancel(reason: unknown): void {
    this.#halt();
    this.#cancel.abort(reason);
    this.changed.ring();
  }

  async close(): Promise<void> {
    this.cancel(new Error('The result is no longer wanted.'));
    const [closing] = await Promise.allSettled([
      this.#reader.close(),
      ...this.#slots.map((slot) => slot.settled),
    ]);
    if (closing.status === 'rejected') throw closing.reason;
  }

  /** An item that arrives after the halt belongs to nobody: it is dropped. */
  #start(item: T): void {
    if (this.#halted) return;
    const run = async () => this.work(item, this.#cancel.signal);
    const slot: Slot<R> = {
      settled: run()
        .then(
          (value) => (slot.outcome = { value }),
          (error: unknown) => {
            slot.outcome = { error };
            this.#halt();
          },
        )
        .then(() => this.changed.ring()),
    };
    this.#slots.push(slot);
  }

  #halt(): void {
    this.#halted = true;
    this.#room.ring();
  }
}
