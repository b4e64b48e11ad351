/**
 * Trying again what failed for a passing reason.
 *
 * The wait before attempt n + 1 is a random part of 0.2 s × 2ⁿ, at most 30 s ("full jitter"): workers that lost the
 * same dependency at the same moment must not come back at the same moment. Timer and chance are handed in, so that a
 * test decides how long a night is.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';

const FIRST_MS = 200;
const LONGEST_MS = 30_000;

/** Resolves after `ms`; rejects when the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export const sleep: Sleep = async (ms, signal) => {
  await wait(ms, undefined, { signal });
};

/**
 * How long to wait after a failure, in ms.
 * @param failures how many there were in a row, counted from 1
 * @param random from 0 to below 1
 */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.floor(random() * ceiling);
}

export interface RetryOptions {
  /** Attempts in all, the first one included. `Infinity` only where a dependency is waited for and the signal ends it. */
  readonly attemptsMax: number;
  /** Whether another attempt can help; anything else is thrown at once. */
  readonly transient: (error: unknown) => boolean;
  readonly signal?: AbortSignal;
  /** Told before each wait, for logs and metrics. */
  readonly onWait?: (error: unknown, failures: number, waitMs: number) => void;
  readonly sleep?: Sleep;
  readonly random?: () => number;
}

/**
 * Runs the work until it succeeds. Throws the work's last error when the attempts are used up or the error is not
 * transient, and the signal's reason when that is aborted, also in the middle of a wait.
 * @param work is given the number of the attempt, counted from 1
 */
export async function retry<T>(
  work: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  assert(options.attemptsMax >= 1, 'At least one attempt is needed.');
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= options.attemptsMax || !options.transient(error)) throw error;
      const waitMs = backoffMs(attempt, options.random);
      options.onWait?.(error, attempt, waitMs);
      await pause(waitMs, options);
    }
  }
}

async function pause(waitMs: number, options: RetryOptions): Promise<void> {
  try {
    await (options.sleep ?? sleep)(waitMs, options.signal);
  } catch (error) {
    // Timers reject with an AbortError of their own; the caller knows the reason it gave.
    options.signal?.throwIfAborted();
    throw error;
  }
}
