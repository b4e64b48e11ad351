import type { Log } from '@quire/contracts/log';

/**
 * A loop that works when it is woken and every so often besides. Never two turns at once; a turn that throws is logged, and
 * the next one tries again. The timer does not keep a process alive.
 */
export interface BackgroundOptions {
  /** For the log. */
  readonly name: string;
  readonly everyMs: number;
  readonly work: () => Promise<void>;
  readonly log: Log;
}

export class Background {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = true;

  constructor(private readonly options: BackgroundOptions) {}

  start(): void {
    this.stopped = false;
    this.wake();
  }

  /** A turn now, or one more after the one that runs. */
  wake(): void {
    if (this.stopped) return;
    if (this.running) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.running = this.turns().finally(() => {
      this.running = undefined;
      if (this.stopped) return;
      this.timer = setTimeout(() => this.wake(), this.options.everyMs);
      this.timer.unref();
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async turns(): Promise<void> {
    do {
      this.again = false;
      try {
        await this.options.work();
      } catch (error) {
        // A connection that ends because we stop is no news.
        if (!this.stopped)
          this.options.log.warn(
            { err: error, loop: this.options.name },
            'background work failed, trying again later',
          );
      }
    } while (this.isAskedAgain());
  }

  private isAskedAgain(): boolean {
    return this.again && !this.stopped;
  }
}
