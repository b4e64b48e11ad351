import type { Log } from '@quire/contracts/log';
import { Background } from './background.js';

/**
 * Works on leased rows: claims one, runs it while a heartbeat renews its lease, claims the next; several at a time. A lost
 * lease aborts the run: somebody else has the work. A killed worker's lease runs out, and another claims the row.
 *
 *   claimed ─ run ends ──────────────▶ the run has settled the row itself (done, failed, to be tried later)
 *           ─ run throws ────────────▶ claimed again when its lease ends
 *           ─ lease lost ── abort ───▶ whoever has it now goes on; what this run writes names an old epoch
 *           ─ stop, grace over, abort ▶ given back, can be claimed at once
 */
export interface WorkerOptions<Work> {
  /** For the log. */
  readonly name: string;
  /** The next piece of work, leased to us; undefined when there is none. */
  readonly claim: () => Promise<Work | undefined>;
  /** Throws when the signal ends it early; when it returns, the row is settled and is not given back. */
  readonly run: (work: Work, signal: AbortSignal) => Promise<void>;
  /** Extends the lease; false when it is not ours any more. Over a {@link LeaseKeeper}: a full pool must not lose it. */
  readonly renew: (work: Work) => Promise<boolean>;
  /** Gives work back that was not finished, so that it can be claimed at once. */
  readonly giveBack: (work: Work) => Promise<void>;
  /** So many run at once. */
  readonly concurrency: number;
  readonly log: Log;
  readonly sweepMs?: number;
  readonly renewMs?: number;
}

const SWEEP_MS = 5000;
const RENEW_MS = 10_000;

export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor() {
    super('The lease was lost: somebody else has the work.');
  }
}

class Stopping extends Error {
  override readonly name = 'Stopping';

  constructor() {
    super('The process stops: the work is given back.');
  }
}

export class LeasedWorker<Work> implements AsyncDisposable {
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

  /** Claims nothing more; what runs may finish within `graceMs`, then it is aborted and given back. */
  async stop(graceMs: number): Promise<void> {
    this.stopped = true;
    const timer = setTimeout(() => {
      for (const controller of this.runs.values()) controller.abort(new Stopping());
    }, graceMs);
    await this.background.stop();
    await Promise.all(this.runs.keys());
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(0);
  }

  private async claimAll(): Promise<void> {
    const { claim, giveBack, concurrency } = this.options;
    while (!this.stopped && this.runs.size < concurrency) {
      const work = await claim();
      if (work === undefined) return;
      if (this.isStopped()) await giveBack(work);
      else this.begin(work);
    }
  }

  /** A method, because the compiler believes that a field stays as it was across an await. */
  private isStopped(): boolean {
    return this.stopped;
  }

  private begin(work: Work): void {
    const controller = new AbortController();
    const run: Promise<void> = this.runOne(work, controller).finally(() => {
      this.runs.delete(run);
      this.wake();
    });
    this.runs.set(run, controller);
  }

  private async runOne(work: Work, controller: AbortController): Promise<void> {
    const { signal } = controller;
    const heartbeat = this.beat(work, controller);
    try {
      await this.options.run(work, signal);
    } catch (error) {
      clearInterval(heartbeat);
      await this.ended(work, signal, error);
    } finally {
      clearInterval(heartbeat);
    }
  }

  private beat(work: Work, controller: AbortController): NodeJS.Timeout {
    const { renew, log, name, renewMs = RENEW_MS } = this.options;
    let renewing = false;
    const heartbeat = setInterval(() => {
      if (renewing) return;
      renewing = true;
      renew(work)
        .then(
          (ours) => {
            if (!ours) controller.abort(new LeaseLost());
          },
          (error: unknown) =>
            log.warn({ err: error, worker: name }, 'lease not renewed, trying again'),
        )
        .finally(() => {
          renewing = false;
        });
    }, renewMs);
    return heartbeat.unref();
  }

  private async ended(work: Work, { reason }: AbortSignal, error: unknown): Promise<void> {
    const { giveBack, log, name: worker } = this.options;
    if (reason instanceof LeaseLost) {
      log.warn({ worker }, 'work given up, its lease was lost');
    } else if (reason instanceof Stopping) {
      await giveBack(work).catch((failure: unknown) =>
        log.warn({ err: failure, worker }, 'work not given back, its lease has to end'),
      );
    } else {
      log.warn({ err: error, worker }, 'work failed, it is taken up again when its lease ends');
    }
  }
}
