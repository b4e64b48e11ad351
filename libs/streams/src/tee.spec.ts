import { setImmediate as turn } from 'node:timers/promises';
import { tee } from './tee.js';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

class Numbers implements AsyncIterable<number> {
  read = 0;
  closed = 0;

  constructor(private readonly count: number) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      while (this.read < this.count) yield await Promise.resolve(this.read++);
    } finally {
      this.closed++;
    }
  }
}

describe('tee', () => {
  it('gives both consumers everything, in order', async () => {
    const sum = async (branch: AsyncIterable<number>) =>
      (await collect(branch)).reduce((a, b) => a + b, 0);
    expect(await tee(new Numbers(100), collect, sum)).toEqual([
      Array.from({ length: 100 }, (_, i) => i),
      4950,
    ]);
    expect(await tee([], collect, sum)).toEqual([[], 0]);
  });

  it('lets the faster consumer be ahead by the bound and no further', async () => {
    const source = new Numbers(100);
    let go: () => void = () => undefined;
    const slow = async (branch: AsyncIterable<number>) => {
      await new Promise<void>((resolve) => (go = resolve));
      return collect(branch);
    };
    const both = tee(source, collect, slow, 3);
    for (let i = 0; i < 20; i++) await turn();
    expect(source.read).toBe(3);
    go();
    expect((await both)[1]).toHaveLength(100);
  });

  it('throws the error of one consumer, and the other one meets it too and can undo', async () => {
    const source = new Numbers(100);
    const error = new Error('database gone');
    let met: unknown;
    const keep = async (branch: AsyncIterable<number>) => {
      try {
        return await collect(branch);
      } catch (caught) {
        met = caught;
        throw caught;
      }
    };
    const failing = async (branch: AsyncIterable<number>) => {
      for await (const item of branch) if (item === 5) throw error;
    };
    await expect(tee(source, keep, failing)).rejects.toBe(error);
    expect(met).toBe(error);
    expect(source.closed).toBe(1);
    expect(source.read).toBeLessThan(12);
  });

  it('does not wait for a silent source when a consumer has failed', async () => {
    async function* silent(): AsyncGenerator<number> {
      yield 1;
      await new Promise(() => undefined);
    }
    const failing = async (branch: AsyncIterable<number>) => {
      for await (const item of branch) throw new Error(`no ${item}`);
    };
    await expect(tee(silent(), failing, collect)).rejects.toThrow('no 1');
    await expect(tee(silent(), collect, failing)).rejects.toThrow('no 1');
  });

  it('throws the error of the source to both', async () => {
    const error = new Error('client gone');
    async function* broken(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw error;
    }
    const met: unknown[] = [];
    const noting = async (branch: AsyncIterable<number>) => {
      await collect(branch).catch((caught: unknown) => met.push(caught));
    };
    await expect(tee(broken(), noting, noting)).rejects.toBe(error);
    expect(met).toEqual([error, error]);
  });

  it('goes on for one consumer when the other has had enough', async () => {
    const first = async (branch: AsyncIterable<number>) => {
      for await (const item of branch) return item;
      return undefined;
    };
    const nothing = () => Promise.resolve('not interested');
    expect(await tee(new Numbers(50), first, async (b) => (await collect(b)).length)).toEqual([
      0, 50,
    ]);
    expect(await tee(new Numbers(50), nothing, async (b) => (await collect(b)).length)).toEqual([
      'not interested',
      50,
    ]);
  });

  it('stops reading and closes the source when both have had enough', async () => {
    const source = new Numbers(1000);
    const first = async (branch: AsyncIterable<number>) => {
      for await (const item of branch) return item;
      return undefined;
    };
    await tee(source, first, first);
    expect(source.closed).toBe(1);
    expect(source.read).toBeLessThan(10);
  });
});
