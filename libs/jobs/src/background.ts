import { AsyncResource } from 'node:async_hooks';
import type { Log } from '@quire/contracts/log';

/**
 * A loop that works when it is woken and every so often besides. Never two turns at once; a turn that throws is logged, and
 * the next one tries again. The timer does not keep a process alive.
 */
export interface BackgroundOptions {
  /** For the log. */
  readonly name: string;
  /** Pause between the end of a turn and the next, when nobody wakes it. */
  readonly everyMs: number;
  readonly work: () => Promise<void>;
  readonly log: Log;
}

export class Background implements AsyncDisposable {
  private timer: NodeJS.Timeout | undefined;
  private turning: Promise<void> | undefined;
  private busy = false;
  private wanted = false;
  private stopped = true;
  private pauseMs: number | undefined;
  /** Turns run as they were set up, not in the transaction of the request that wakes them. */
  private readonly own = new AsyncResource('Background');

  constructor(private readonly options: BackgroundOptions) {}

  start(): void {
    this.stopped = false;
    this.wake();
  }

  /** A turn now, or one more after the one that runs. */
  wake(): void {
    if (this.stopped) return;
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    this.turning = this.own.runInAsyncScope(() => this.turns());
  }

  /** Called from within a turn: the next one comes after this pause. */
  pauseOnly(ms: number): void {
    this.pauseMs = ms;
  }

  /** Returns when the turn in hand has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.turning;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async turns(): Promise<void> {
    while (this.wanted && !this.isStopped()) {
      this.wanted = false;
      this.pauseMs = undefined;
      await this.turn();
    }
    // Nothing is awaited between the last look at `wanted` and here: a wake in between would be lost.
    this.busy = false;
    if (this.isStopped()) return;
    this.timer = setTimeout(() => this.wake(), this.pauseMs ?? this.options.everyMs);
    this.timer.unref();
  }

  private async turn(): Promise<void> {
    const { work, log, name } = this.options;
    try {
      await work();
    } catch (error) {
      // A connection that ends because we stop is no news.
      if (!this.stopped)
        log.warn({ err: error, loop: name }, 'background work failed, trying again later');
    }
  }

  /** A method, because the compiler believes that a field stays as it was across an await. */
  private isStopped(): boolean {
    return this.stopped;
  }
}
