import { setImmediate as turn } from 'node:timers/promises';
import { parallel } from './parallel.js';

/** A work whose items are finished by the test, in the order the test likes. */
class Bench {
  readonly started: number[] = [];
  readonly aborted: number[] = [];
  readonly #open = new Map<
    number,
    { resolve: (value: string) => void; reject: (error: Error) => void }
  >();

  readonly work = (item: number, signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      this.started.push(item);
      this.#open.set(item, { resolve, reject });
      signal.addEventListener('abort', () => {
        this.aborted.push(item);
        reject(signal.reason as Error);
      });
    });

  finish(item: number): void {
    this.#open.get(item)?.resolve(`done ${item}`);
  }

  fail(item: number): void {
    this.#open.get(item)?.reject(new Error(`failed ${item}`));
  }
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

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('parallel', () => {
  it('keeps the order of the source whatever finishes first', async () => {
    const bench = new Bench();
    const results = collect(parallel(new Numbers(3), 3, bench.work));
    await turn();
    for (const item of [2, 0, 1]) {
      bench.finish(item);
      await turn();
    }
    expect(await results).toEqual(['done 0', 'done 1', 'done 2']);
  });

  it('holds at most as many items as it is wide, finished ones included', async () => {
    const bench = new Bench();
    const source = new Numbers(10);
    const results = parallel(source, 3, bench.work);
    const first = results.next();
    await turn();
    expect(bench.started).toEqual([0, 1, 2]);
    bench.finish(1);
    bench.finish(2);
    await turn();
    expect(source.read).toBe(3);
    bench.finish(0);
    expect((await first).value).toBe('done 0');
    await turn();
    expect(bench.started).toEqual([0, 1, 2, 3]);
    await results.return();
  });

  it('goes on working while the consumer is busy with a result', async () => {
    const bench = new Bench();
    const results = parallel(new Numbers(4), 2, bench.work);
    const first = results.next();
    await turn();
    bench.finish(0);
    await first;
    await turn();
    expect(bench.started).toEqual([0, 1, 2]);
    await results.return();
  });

  it('hands a result out while the source is silent', async () => {
    async function* halting(): AsyncGenerator<number> {
      yield 0;
      await new Promise(() => undefined);
    }
    const bench = new Bench();
    const results = parallel(halting(), 2, bench.work);
    const first = results.next();
    await turn();
    bench.finish(0);
    expect((await first).value).toBe('done 0');
    await results.return();
  });

  it('delivers what came before a failure, then throws it, cancels the rest and closes the source', async () => {
    const bench = new Bench();
    const source = new Numbers(10);
    const results = parallel(source, 3, bench.work);
    const first = results.next();
    await turn();
    bench.fail(1);
    await turn();
    bench.finish(0);
    expect((await first).value).toBe('done 0');
    await expect(results.next()).rejects.toThrow('failed 1');
    expect(bench.aborted).toContain(2);
    expect(source.closed).toBe(1);
    expect(source.read).toBe(3);
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });

  it('treats a work that throws before its first promise like any failure', async () => {
    const work = (): Promise<string> => {
      throw new Error('at once');
    };
    await expect(collect(parallel(new Numbers(2), 2, work))).rejects.toThrow('at once');
  });

  it('throws the error of the source after the results before it', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw new Error('torn');
    }
    const seen: number[] = [];
    const run = async () => {
      for await (const n of parallel(broken(), 4, (item) => Promise.resolve(item * 2)))
        seen.push(n);
    };
    await expect(run()).rejects.toThrow('torn');
    expect(seen).toEqual([2]);
  });

  it('ends only after the works it cancelled have settled', async () => {
    const bench = new Bench();
    let settled = false;
    const results = parallel(new Numbers(2), 2, async (item, signal) => {
      try {
        return await bench.work(item, signal);
      } finally {
        if (item === 1) {
          await turn();
          settled = true;
        }
      }
    });
    const first = results.next();
    await turn();
    bench.finish(0);
    await first;
    await results.return();
    expect(settled).toBe(true);
  });

  it('ends with the reason of the signal, tells the works, and does not wait for a silent source', async () => {
    let release: () => void = () => undefined;
    async function* halting(): AsyncGenerator<number> {
      yield 0;
      await new Promise<void>((resolve) => (release = resolve));
    }
    const bench = new Bench();
    const stop = new AbortController();
    const results = collect(parallel(halting(), 2, bench.work, stop.signal));
    await turn();
    stop.abort(new Error('lease lost'));
    await expect(results).rejects.toThrow('lease lost');
    expect(bench.aborted).toEqual([0]);
    release();
  });

  it('tells running works of the abort although nobody fetches', async () => {
    const bench = new Bench();
    const stop = new AbortController();
    const results = parallel(new Numbers(3), 2, bench.work, stop.signal);
    const first = results.next();
    await turn();
    bench.finish(0);
    await first;
    stop.abort(new Error('lease lost'));
    expect(bench.aborted).toContain(1);
    await expect(results.next()).rejects.toThrow('lease lost');
  });

  it('ends on the signal also when no work is running and the source is silent', async () => {
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    const stop = new AbortController();
    const results = collect(parallel(silent, 2, new Bench().work, stop.signal));
    await turn();
    stop.abort(new Error('lease lost'));
    await expect(results).rejects.toThrow('lease lost');
  });

  it('starts nothing when the signal was aborted before', async () => {
    const bench = new Bench();
    const source = new Numbers(3);
    const results = parallel(source, 2, bench.work, AbortSignal.abort(new Error('too late')));
    await expect(results.next()).rejects.toThrow('too late');
    expect(source.read).toBe(0);
  });

  it('leaves no rejection unhandled when the consumer walks away', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const bench = new Bench();
    const results = parallel(new Numbers(5), 3, bench.work);
    const first = results.next();
    await turn();
    bench.finish(0);
    await first;
    bench.fail(1);
    await results.return();
    await turn();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('passes an empty source and a width of one', async () => {
    expect(await collect(parallel([], 1, (item) => Promise.resolve(item)))).toEqual([]);
    expect(await collect(parallel([1, 2, 3], 1, (item) => Promise.resolve(item)))).toEqual([
      1, 2, 3,
    ]);
    await expect(parallel([1], 0, (item) => Promise.resolve(item)).next()).rejects.toThrow('width');
  });
});
