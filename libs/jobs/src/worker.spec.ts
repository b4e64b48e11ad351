import type { Log } from '@quire/contracts/log';
import { LeasedWorker, LeaseLost, type WorkerOptions } from './worker.js';

const NEVER_MS = 2_000_000_000;
const PATIENCE_MS = 5000;

/** A bench of numbered work: what is due, what runs, what was given back. */
class Bench {
  readonly begun: number[] = [];
  readonly givenBack: number[] = [];
  readonly warnings: string[] = [];
  readonly signals = new Map<number, AbortSignal>();
  private readonly ends = new Map<number, PromiseWithResolvers<void>>();

  constructor(readonly due: number[]) {}

  worker(options: Partial<WorkerOptions<number>> = {}): LeasedWorker<number> {
    const note = (_fields: object, message: string) => void this.warnings.push(message);
    const log: Log = { info: note, warn: note, error: note };
    return new LeasedWorker<number>({
      name: 'bench',
      claim: () => Promise.resolve(this.due.shift()),
      run: (work, signal) => this.run(work, signal),
      renew: () => Promise.resolve(true),
      giveBack: (work) => {
        this.givenBack.push(work);
        return Promise.resolve();
      },
      concurrency: 2,
      log,
      sweepMs: NEVER_MS,
      renewMs: NEVER_MS,
      ...options,
    });
  }

  /** Lets the event loop turn until it is so. */
  async until(isTrue: () => boolean): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (isTrue()) return;
      if (performance.now() - startedMs > PATIENCE_MS) throw new Error('It did not come about.');
    }
  }

  end(work: number, error?: Error): void {
    if (error) this.ends.get(work)?.reject(error);
    else this.ends.get(work)?.resolve();
  }

  private run(work: number, signal: AbortSignal): Promise<void> {
    const end = Promise.withResolvers<void>();
    this.begun.push(work);
    this.ends.set(work, end);
    this.signals.set(work, signal);
    signal.addEventListener('abort', () => end.reject(signal.reason as Error));
    return end.promise;
  }
}

describe('a worker on leased rows', () => {
  it('runs as much at once as it may, and claims the next when one ends', async () => {
    const bench = new Bench([1, 2, 3]);
    await using worker = bench.worker();
    worker.start();
    await bench.until(() => bench.begun.length === 2);
    expect(bench.due).toEqual([3]);
    bench.end(1);
    await bench.until(() => bench.begun.length === 3);
    expect(bench.begun).toEqual([1, 2, 3]);
  });

  it('looks for work when it is woken', async () => {
    const bench = new Bench([]);
    await using worker = bench.worker();
    worker.start();
    await bench.until(() => true);
    bench.due.push(1);
    worker.wake();
    await bench.until(() => bench.begun.length === 1);
  });

  it('looks for work by itself too, and after a claim that failed', async () => {
    const bench = new Bench([1]);
    let claims = 0;
    await using worker = bench.worker({
      sweepMs: 1,
      claim: () => {
        claims += 1;
        if (claims === 1) return Promise.reject(new Error('no database'));
        return Promise.resolve(bench.due.shift());
      },
    });
    worker.start();
    await bench.until(() => bench.begun.length === 1);
    expect(bench.warnings).toEqual(['background work failed, trying again later']);
  });

  it('goes on after work that failed, and leaves its row to the lease', async () => {
    const bench = new Bench([1, 2]);
    await using worker = bench.worker({ concurrency: 1 });
    worker.start();
    await bench.until(() => bench.begun.length === 1);
    bench.end(1, new Error('broken'));
    await bench.until(() => bench.begun.length === 2);
    expect(bench.warnings).toEqual(['work failed, it is taken up again when its lease ends']);
    expect(bench.givenBack).toEqual([]);
  });
});

describe('the heartbeat of a worker', () => {
  it('renews the lease of what runs, one beat at a time, and ends with it', async () => {
    const bench = new Bench([1]);
    let beats = 0;
    let beating = 0;
    await using worker = bench.worker({
      renewMs: 1,
      renew: async () => {
        beating += 1;
        expect(beating).toBe(1);
        beats += 1;
        await new Promise<void>((resolve) => setImmediate(resolve));
        beating -= 1;
        return true;
      },
    });
    worker.start();
    await bench.until(() => beats >= 3);
    bench.end(1);
    await worker.stop(0);
    const atTheEnd = beats;
    const startedMs = performance.now();
    await bench.until(() => performance.now() - startedMs > 20);
    expect(beats).toBe(atTheEnd);
  });

  it('does not beat twice at once, however long one takes', async () => {
    const bench = new Bench([1]);
    const beat = Promise.withResolvers<boolean>();
    let beats = 0;
    await using worker = bench.worker({
      renewMs: 1,
      renew: () => {
        beats += 1;
        return beat.promise;
      },
    });
    worker.start();
    await bench.until(() => beats === 1);
    const startedMs = performance.now();
    await bench.until(() => performance.now() - startedMs > 20);
    expect(beats).toBe(1);
    beat.resolve(true);
    await bench.until(() => beats >= 2);
  });

  it('aborts the run whose lease was lost, and gives nothing back', async () => {
    const bench = new Bench([1, 2]);
    await using worker = bench.worker({
      renewMs: 1,
      renew: (work) => Promise.resolve(work !== 1),
    });
    worker.start();
    await bench.until(() => bench.signals.get(1)?.aborted ?? false);
    expect(bench.signals.get(1)?.reason).toBeInstanceOf(LeaseLost);
    expect(bench.signals.get(2)?.aborted).toBe(false);
    await bench.until(() => bench.warnings.length === 1);
    expect(bench.warnings).toEqual(['work given up, its lease was lost']);
    expect(bench.givenBack).toEqual([]);
  });

  it('does not abort for a beat that failed: the next one may come through', async () => {
    const bench = new Bench([1]);
    let beats = 0;
    await using worker = bench.worker({
      renewMs: 1,
      renew: () => {
        beats += 1;
        return beats === 1 ? Promise.reject(new Error('no database')) : Promise.resolve(true);
      },
    });
    worker.start();
    await bench.until(() => beats >= 3);
    expect(bench.signals.get(1)?.aborted).toBe(false);
    expect(bench.warnings).toEqual(['lease not renewed, trying again']);
  });
});

describe('a worker that stops', () => {
  it('lets what runs finish within the grace, and claims nothing more', async () => {
    const bench = new Bench([1, 2, 3]);
    const worker = bench.worker();
    worker.start();
    await bench.until(() => bench.begun.length === 2);
    const stop = worker.stop(NEVER_MS);
    bench.end(1);
    bench.end(2);
    await stop;
    worker.wake();
    expect(bench.due).toEqual([3]);
    expect(bench.givenBack).toEqual([]);
    expect(bench.warnings).toEqual([]);
  });

  it('aborts and gives back what runs longer than the grace', async () => {
    const bench = new Bench([1, 2]);
    const worker = bench.worker();
    worker.start();
    await bench.until(() => bench.begun.length === 2);
    bench.end(1);
    await worker.stop(1);
    expect(bench.givenBack).toEqual([2]);
    expect(bench.warnings).toEqual([]);
  });

  it('gives back at once what it was claiming', async () => {
    const bench = new Bench([]);
    const claim = Promise.withResolvers<number | undefined>();
    const worker = bench.worker({ claim: () => claim.promise });
    worker.start();
    const stop = worker.stop(NEVER_MS);
    claim.resolve(7);
    await stop;
    expect(bench.givenBack).toEqual([7]);
    expect(bench.begun).toEqual([]);
  });

  it('stops also when work cannot be given back', async () => {
    const bench = new Bench([1]);
    const worker = bench.worker({ giveBack: () => Promise.reject(new Error('no database')) });
    worker.start();
    await bench.until(() => bench.begun.length === 1);
    await worker.stop(0);
    expect(bench.warnings).toEqual(['work not given back, its lease has to end']);
  });
});
