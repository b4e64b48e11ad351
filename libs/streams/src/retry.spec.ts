import { backoffMs, retry, sleep } from './retry.js';

const always = () => true;

/** A sleep that is over at once and remembers how long it should have been. */
function nights() {
  const waitsMs: number[] = [];
  return {
    waitsMs,
    sleep: (ms: number) => {
      waitsMs.push(ms);
      return Promise.resolve();
    },
  };
}

describe('backoffMs', () => {
  it('doubles from 0.2 s and stops at 30 s', () => {
    const longest = [1, 2, 3, 8, 9, 2000].map((failures) => backoffMs(failures, () => 1));
    expect(longest).toEqual([200, 400, 800, 25_600, 30_000, 30_000]);
  });

  it('spreads over the whole span', () => {
    expect(backoffMs(3, () => 0)).toBe(0);
    expect(backoffMs(3, () => 0.5)).toBe(400);
  });
});

describe('retry', () => {
  it('answers with the first success and counts the attempts', async () => {
    const { sleep, waitsMs } = nights();
    const work = (attempt: number) =>
      attempt < 4 ? Promise.reject(new Error(`attempt ${attempt}`)) : Promise.resolve(attempt);
    expect(await retry(work, { attemptsMax: 5, transient: always, sleep, random: () => 0.5 })).toBe(
      4,
    );
    expect(waitsMs).toEqual([100, 200, 400]);
  });

  it('gives up after the last attempt with its error and without a wait', async () => {
    const { sleep, waitsMs } = nights();
    const work = (attempt: number) => Promise.reject(new Error(`attempt ${attempt}`));
    await expect(retry(work, { attemptsMax: 3, transient: always, sleep })).rejects.toThrow(
      'attempt 3',
    );
    expect(waitsMs).toHaveLength(2);
  });

  it('throws at once what another attempt cannot help', async () => {
    const { sleep, waitsMs } = nights();
    const work = () => Promise.reject(new Error('poison'));
    await expect(retry(work, { attemptsMax: 9, transient: () => false, sleep })).rejects.toThrow(
      'poison',
    );
    expect(waitsMs).toEqual([]);
  });

  it('tells of each wait', async () => {
    const told: unknown[] = [];
    const work = (attempt: number) =>
      attempt < 2 ? Promise.reject(new Error('down')) : Promise.resolve('up');
    await retry(work, {
      attemptsMax: Infinity,
      transient: always,
      ...nights(),
      random: () => 0.5,
      onWait: (error, failures, waitMs) => told.push([(error as Error).message, failures, waitMs]),
    });
    expect(told).toEqual([['down', 1, 100]]);
  });

  it('ends in the middle of a wait with the reason of the signal', async () => {
    const stop = new AbortController();
    const work = () => Promise.reject(new Error('down'));
    // The real timer, set to 15 s and more: the spec would run into its time-out if the abort did not end it.
    const waiting = retry(work, {
      attemptsMax: Infinity,
      transient: always,
      signal: stop.signal,
      random: () => 1,
      sleep: (_ms, signal) => sleep(30_000, signal),
    });
    setImmediate(() => stop.abort(new Error('shutting down')));
    await expect(waiting).rejects.toThrow('shutting down');
  });

  it('does not begin when it is too late already', async () => {
    let attempts = 0;
    const work = () => Promise.resolve(++attempts);
    const signal = AbortSignal.abort(new Error('late'));
    await expect(retry(work, { attemptsMax: 2, transient: always, signal })).rejects.toThrow(
      'late',
    );
    expect(attempts).toBe(0);
  });
});
