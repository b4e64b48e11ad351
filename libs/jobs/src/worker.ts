import type { Log } from '@quire/contracts/log';
import { Background } from './background.js';

/**
 * Works on leased rows: claims one, runs it while a heartbeat renews its lease, claims the next; several at a time. A lost
 * lease aborts the run: somebody else has the work. A killed worker's lease runs out, and another claims the row.
 */
export interface WorkerOptions<Work> {
  readonly name: string;
  /** The next piece of work, leased to us; undefined when there is none. */
  readonly claim: () => Promise<Work | undefined>;
  /** Ends early when the signal says so; what it has not committed is nobody's. */
  readonly run: (work: Work, signal: AbortSignal) => Promise<void>;
  /** Extends the lease; false when it is not ours any more. */
  readonly renew: (work: Work) => Promise<boolean>;
  /** Gives work back that was not finished, so that it can be claimed at once. */
  readonly giveBack: (work: Work) => Promise<void>;
  readonly concurrency: number;
  readonly log: Log;
  readonly sweepMs?: number;
  readonly renewMs?: number;
}

const SWEEP_MS = 5000;
const RENEW_MS = 10_000;

export class LeaseLost extends Error {
  constructor() {
    super('The lease was lost: somebody else has the work.');
    this.name = 'LeaseLost';
  }
}

class Stopping extends Error {}

export class LeasedWorker<Work> {
  private readonly background: Background;
  private readonly runs = new Map<Promise<void>, AbortController>();
  private stopped = false;

  constructor(private readonly options: WorkerOptions<Work>) {
    const { name, log, sweepMs = SWEEP_MS } = options;
    this.background = new Background({ name, everyMs: sweepMs, work: () => this.claimAll(), log });
  }

  start(): void {
    this.background.start();
  }

  /** There may be work. */
  wake(): void {
    this.background.wake();
  }

  /** Claims nothing more; what runs may finish within `graceMs`, then it is given back. */
  async stop(graceMs: number): Promise<void> {
    this.stopped = true;
    await this.background.stop();
    const timer = setTimeout(() => {
      for (const controller of this.runs.values()) controller.abort(new Stopping());
    }, graceMs);
    await Promise.all(this.runs.keys());
    clearTimeout(timer);
  }

  private async claimAll(): Promise<void> {
    while (!this.stopped && this.runs.size < this.options.concurrency) {
      const work = await this.options.claim();
      if (work === undefined) return;
      const controller = new AbortController();
      const run: Promise<void> = this.runOne(work, controller).finally(() => {
        this.runs.delete(run);
        this.wake();
      });
      this.runs.set(run, controller);
    }
  }

  private async runOne(work: Work, controller: AbortController): Promise<void> {
    const { run, renew, giveBack, log, name, renewMs = RENEW_MS } = this.options;
    const heartbeat = setInterval(() => {
      renew(work).then(
        (ours) => {
          if (!ours) controller.abort(new LeaseLost());
        },
        (error: unknown) =>
          log.warn({ err: error, worker: name }, 'lease not renewed, trying again'),
      );
    }, renewMs);
    heartbeat.unref();
    try {
      await run(work, controller.signal);
    } catch (error) {
      if (controller.signal.reason instanceof Stopping) await giveBack(work).catch(() => undefined);
      else
        log.warn(
          { err: error, worker: name },
          'work failed, it is taken up again when its lease ends',
        );
    } finally {
      clearInterval(heartbeat);
    }
  }
}
