/**
 * Gathers what flows by into arrays, because the data plane works by the batch: one query, one promise and one event
 * for many records. The order is kept, an array is never empty, and the last one may be short.
 *
 * An error of the source is thrown at once and takes the unfinished batch with it: whoever reads a broken source has
 * to begin again at a batch border anyway.
 */
import assert from 'node:assert/strict';
import type { Source } from './reader.js';

/** When a batch is full: after so many items, so many bytes, or whichever comes first. */
export type BatchBound<T> =
  | { readonly countMax: number }
  | {
      readonly bytesMax: number;
      /** Bytes one item counts for. An item above `bytesMax` travels alone. */
      readonly bytesOf: (item: T) => number;
      readonly countMax?: number;
    };

/** Single items into batches. Costs a promise per item, so it is for coarse items; fine ones come in arrays: `rebatch`. */
export async function* batch<T>(
  source: Source<T>,
  bound: BatchBound<T>,
): AsyncGenerator<T[], void, undefined> {
  const gathering = new Gathering(bound);
  for await (const item of source) {
    const full = gathering.add(item);
    if (full) yield full;
    if (gathering.full) yield gathering.take();
  }
  if (gathering.size > 0) yield gathering.take();
}

/** Arrays of any length into batches, without a promise per item. */
export async function* rebatch<T>(
  source: Source<readonly T[]>,
  bound: BatchBound<T>,
): AsyncGenerator<T[], void, undefined> {
  const gathering = new Gathering(bound);
  for await (const items of source) {
    for (const item of items) {
      const full = gathering.add(item);
      if (full) yield full;
      if (gathering.full) yield gathering.take();
    }
  }
  if (gathering.size > 0) yield gathering.take();
}

class Gathering<T> {
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #bytesOf: (item: T) => number;
  #items: T[] = [];
  #bytes = 0;

  constructor(bound: BatchBound<T>) {
    this.#countMax = bound.countMax ?? Infinity;
    this.#bytesMax = 'bytesMax' in bound ? bound.bytesMax : Infinity;
    this.#bytesOf = 'bytesOf' in bound ? bound.bytesOf : () => 0;
    assert(
      this.#countMax >= 1 && this.#bytesMax >= 1,
      'A batch holds at least one item and one byte.',
    );
  }

  get size(): number {
    return this.#items.length;
  }

  get full(): boolean {
    return this.#items.length >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  /** Takes the item in; if it does not fit beside what is there, that is handed back as a batch of its own. */
  add(item: T): T[] | undefined {
    const bytes = this.#bytesOf(item);
    const overflow =
      this.size > 0 && this.#bytes + bytes > this.#bytesMax ? this.take() : undefined;
    this.#items.push(item);
    this.#bytes += bytes;
    return overflow;
  }

  take(): T[] {
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    return items;
  }
}
