import { Ahead, mergeSorted, slice } from './merge-sorted.js';

/** Counts what is read, and whether the reader let go of it. */
class Source {
  read = 0;
  ended = false;

  async *items(...values: number[]): AsyncGenerator<number> {
    try {
      for (const value of values) {
        this.read += 1;
        yield await Promise.resolve(value);
      }
    } finally {
      this.ended = true;
    }
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const ascending = (a: number, b: number): number => a - b;

describe('two sorted sequences', () => {
  it('become one, whichever ends first', async () => {
    const merged = (a: number[], b: number[]): Promise<number[]> =>
      all(mergeSorted(new Source().items(...a), new Source().items(...b), ascending));
    expect(await merged([1, 4, 5], [2, 3, 6])).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await merged([], [1, 2])).toEqual([1, 2]);
    expect(await merged([1, 2], [])).toEqual([1, 2]);
    expect(await merged([], [])).toEqual([]);
  });

  it('are read no further than asked, and let go', async () => {
    const [a, b] = [new Source(), new Source()];
    const merged = mergeSorted(a.items(1, 3, 5, 7), b.items(2, 4, 6, 8), ascending);
    expect(await all(slice(merged, { skip: 1, limit: 2 }))).toEqual([2, 3]);
    expect([a.read, b.read]).toEqual([2, 2]);
    expect([a.ended, b.ended]).toEqual([true, true]);
  });
});

describe('a sequence that can be looked ahead in', () => {
  it('gives runs of its elements one after the other', async () => {
    const ahead = new Ahead(new Source().items(1, 1, 2, 3));
    expect(await all(ahead.takeWhile((value) => value === 1))).toEqual([1, 1]);
    expect(await all(ahead.takeWhile((value) => value === 9))).toEqual([]);
    expect(await ahead.peek()).toBe(2);
    expect(await all(ahead.takeWhile(() => true))).toEqual([2, 3]);
    expect(await ahead.take()).toBeUndefined();
  });
});

it('nothing is read for no elements', async () => {
  const source = new Source();
  expect(await all(slice(source.items(1), { skip: 0, limit: 0 }))).toEqual([]);
  expect(source.read).toBe(0);
});
