import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { abortable } from './abortable.js';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('abortable', () => {
  it('passes everything on and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    expect(await collect(abortable([1, 2, 3], signal))).toEqual([1, 2, 3]);
    expect(await collect(abortable([1, 2, 3]))).toEqual([1, 2, 3]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('stops in the middle of a wait for a silent source, which closes itself later', async () => {
    let release: () => void = () => undefined;
    let closed = false;
    async function* silent(): AsyncGenerator<number> {
      try {
        await new Promise<void>((resolve) => (release = resolve));
        yield 1;
      } finally {
        closed = true;
      }
    }
    const stop = new AbortController();
    const all = collect(abortable(silent(), stop.signal));
    await turn();
    stop.abort(new Error('client gone'));
    await expect(all).rejects.toThrow('client gone');
    expect(closed).toBe(false);
    release();
    await turn();
    expect(closed).toBe(true);
  });

  it('throws the error of the source as it came', async () => {
    const error = new Error('torn');
    async function* broken(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw error;
    }
    await expect(collect(abortable(broken(), new AbortController().signal))).rejects.toBe(error);
  });

  it('does not touch the source when it is too late already', async () => {
    let touched = false;
    // eslint-disable-next-line require-yield
    async function* source(): AsyncGenerator<number> {
      touched = await Promise.resolve(true);
    }
    await expect(
      collect(abortable(source(), AbortSignal.abort(new Error('late')))),
    ).rejects.toThrow('late');
    expect(touched).toBe(false);
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
    for await (const item of abortable(endless())) {
      expect(item).toBe(1);
      break;
    }
    expect(closed).toBe(true);
  });
});
