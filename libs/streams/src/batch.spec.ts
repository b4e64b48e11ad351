import { batch, rebatch } from './batch.js';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const words = ['a', 'bb', 'ccc', 'dddddddd', 'e', 'f'];
const bytesOf = (word: string) => word.length;

describe('batch', () => {
  it('fills by count and lets the last one be short', async () => {
    expect(await collect(batch([1, 2, 3, 4, 5], { countMax: 2 }))).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('ends exactly at a border without an empty batch', async () => {
    expect(await collect(batch([1, 2, 3, 4], { countMax: 2 }))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await collect(batch([], { countMax: 2 }))).toEqual([]);
  });

  it('never goes over the bytes, except for a single item that is larger by itself', async () => {
    expect(await collect(batch(words, { bytesMax: 4, bytesOf }))).toEqual([
      ['a', 'bb'],
      ['ccc'],
      ['dddddddd'],
      ['e', 'f'],
    ]);
  });

  it('takes an item that fits to the byte', async () => {
    expect(await collect(batch(['ab', 'cd', 'e'], { bytesMax: 4, bytesOf }))).toEqual([
      ['ab', 'cd'],
      ['e'],
    ]);
  });

  it('is full by count or by bytes, whichever comes first', async () => {
    const bound = { countMax: 2, bytesMax: 4, bytesOf };
    expect(await collect(batch(['a', 'b', 'c', 'ddd', 'ee'], bound))).toEqual([
      ['a', 'b'],
      ['c', 'ddd'],
      ['ee'],
    ]);
  });

  it('throws the error of the source at once', async () => {
    async function* broken(): AsyncGenerator<number> {
      await Promise.resolve();
      yield 1;
      throw new Error('torn');
    }
    await expect(collect(batch(broken(), { countMax: 2 }))).rejects.toThrow('torn');
  });

  it('closes the source when the consumer stops', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield await Promise.resolve(1);
      } finally {
        closed = true;
      }
    }
    for await (const three of batch(endless(), { countMax: 3 })) {
      expect(three).toEqual([1, 1, 1]);
      break;
    }
    expect(closed).toBe(true);
  });

  it('refuses a bound that holds nothing', async () => {
    await expect(collect(batch([1], { countMax: 0 }))).rejects.toThrow('at least one');
  });
});

describe('rebatch', () => {
  it('cuts arrays of any length anew', async () => {
    const source = [[1], [], [2, 3, 4, 5, 6], [7]];
    expect(await collect(rebatch(source, { countMax: 3 }))).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  it('keeps the byte bound across arrays', async () => {
    const source = [['ab'], ['c', 'dddd'], ['e']];
    expect(await collect(rebatch(source, { bytesMax: 4, bytesOf }))).toEqual([
      ['ab', 'c'],
      ['dddd'],
      ['e'],
    ]);
  });
});
