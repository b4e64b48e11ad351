import type { Log } from '@quire/contracts/log';
import { classify } from '@quire/messaging/retry';

/** What is to be done, and of what, for the log. */
export type Task = readonly [of: string, work: () => Promise<unknown>];

/**
 * A store or a database that is away makes everything fail, each time after a time-out: after so many such failures in a row
 * the rest waits for the next sweep.
 */
const AWAY_MAX = 3;

/**
 * One after the other, each on its own: what fails is logged and comes again with the next sweep, and those behind it go on.
 *
 * @returns how many were done
 */
export async function apart(log: Log, what: string, tasks: Iterable<Task>): Promise<number> {
  let [away, done] = [0, 0];
  for (const [of, work] of tasks) {
    try {
      await work();
      away = 0;
      done += 1;
    } catch (error) {
      log.warn({ err: error, of }, `${what} failed, trying again later`);
      away = classify(error) === 'transient' ? away + 1 : 0;
      if (away === AWAY_MAX) return done;
    }
  }
  return done;
}
