import { UnreadableEvent, type GivenUp } from './event-bus.js';
import { givesUp } from './retry.js';

/**
 * How a group works through its events, whatever bus they came by: one lane per key, so that the events of a key run one
 * after the other and those of different keys side by side, at most {@link LANES_AT_ONCE} at a time. What fails is tried
 * again after a while or given up (`retry.ts`). An event in back-off holds its key and no lane.
 */
const LANES_AT_ONCE = 8;

/** One event in the hands of one group. */
export interface Errand {
  readonly key: string;
  /** Done when it resolves. @param attempt 1 at the first try */
  handle(attempt: number): Promise<void>;
  /** Must succeed before the errand counts as finished; tried again until it does. */
  giveUp(why: GivenUp): Promise<void>;
}

interface Task {
  readonly errand: Errand;
  readonly owner: object | undefined;
  attempt: number;
  /** Of the first try, in milliseconds of `performance.now()`. */
  sinceMs?: number;
  running: boolean;
  readonly settle: (finished: boolean) => void;
}

export class Lanes {
  /** Waiting events by key; a key is in here from its first event to its last. */
  private readonly lanes = new Map<string, Task[]>();
  private readonly ready: string[] = [];
  /** Keys whose first event waits for its next try. */
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private running = 0;
  private closed = false;
  private whenIdle: (() => void) | undefined;

  /** @param backoff milliseconds before the next try, by the number of those before */
  constructor(private readonly backoff: (attempt: number) => number) {}

  /**
   * Resolves with true when the group has finished with it (effect done, or given up), with false when it was dropped.
   *
   * @param owner what {@link drop} names
   */
  deliver(errand: Errand, owner?: object): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    return new Promise((settle) => {
      const task: Task = { errand, owner, attempt: 1, running: false, settle };
      const lane = this.lanes.get(errand.key);
      if (lane) {
        lane.push(task);
        return;
      }
      this.lanes.set(errand.key, [task]);
      this.ready.push(errand.key);
      this.pump();
    });
  }

  /** Milliseconds since the first try of the event that has been tried longest; 0 when none waits for another try. */
  oldestTryMs(nowMs: number): number {
    let oldest = 0;
    for (const key of this.timers.keys())
      oldest = Math.max(oldest, nowMs - (this.lanes.get(key)?.[0]?.sinceMs ?? nowMs));
    return oldest;
  }

  /** Forgets what waits of this owner. What is in hand goes on, and its lane with it. */
  drop(owner: object): void {
    for (const [key, lane] of this.lanes) {
      const kept = lane.filter((task) => task.owner !== owner || task.running);
      if (kept.length === lane.length) continue;
      const waited = this.timers.get(key);
      if (waited !== undefined && lane[0] !== kept[0]) {
        clearTimeout(waited);
        this.timers.delete(key);
        if (kept.length > 0) this.ready.push(key);
      }
      for (const task of lane) if (!kept.includes(task)) task.settle(false);
      if (kept.length > 0) this.lanes.set(key, kept);
      else this.lanes.delete(key);
    }
    this.pump();
  }

  /** Events that wait are dropped at once; those in hand may finish, for at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    if (this.running > 0) {
      await new Promise<void>((resolve) => {
        this.whenIdle = resolve;
        setTimeout(resolve, graceMs).unref();
      });
    }
    for (const lane of this.lanes.values()) lane.forEach((task) => task.settle(false));
    this.lanes.clear();
  }

  private pump(): void {
    while (!this.closed && this.running < LANES_AT_ONCE) {
      const key = this.ready.shift();
      if (key === undefined) return;
      const task = this.lanes.get(key)?.[0];
      // A dropped lane leaves its key here.
      if (task && !task.running && !this.timers.has(key)) void this.run(key, task);
    }
  }

  private async run(key: string, task: Task): Promise<void> {
    this.running += 1;
    task.running = true;
    const wait = await this.attempt(task);
    task.running = false;
    this.running -= 1;
    if (wait === undefined) this.finish(key, task);
    else this.waitFor(key, wait);
    if (this.running === 0) this.whenIdle?.();
    this.pump();
  }

  /** Milliseconds to wait before the next try; undefined when this group has finished with the event. */
  private async attempt(task: Task): Promise<number | undefined> {
    const { errand, attempt } = task;
    const sinceMs = (task.sinceMs ??= performance.now());
    try {
      await errand.handle(attempt);
      return undefined;
    } catch (error) {
      task.attempt += 1;
      if (givesUp(error, attempt, performance.now() - sinceMs)) return this.giveUp(task, error);
      return this.backoff(attempt);
    }
  }

  /** A dead letter that cannot be stored is tried again: an event never vanishes. */
  private async giveUp(task: Task, error: unknown): Promise<number | undefined> {
    const reason = error instanceof UnreadableEvent ? error.reason : 'HANDLER_FAILED';
    const text = error instanceof Error ? error.message : String(error);
    try {
      await task.errand.giveUp({ reason, error: text, attempts: task.attempt - 1 });
      return undefined;
    } catch {
      return this.backoff(task.attempt);
    }
  }

  private finish(key: string, task: Task): void {
    task.settle(true);
    const lane = this.lanes.get(key);
    lane?.shift();
    if (!lane || lane.length === 0) this.lanes.delete(key);
    else this.ready.push(key);
  }

  private waitFor(key: string, ms: number): void {
    if (this.closed) return;
    const timer = setTimeout(() => {
      this.timers.delete(key);
      this.ready.push(key);
      this.pump();
    }, ms);
    this.timers.set(key, timer);
  }
}
