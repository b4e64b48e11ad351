import { unavailable } from '@quire/contracts/failure';

/** What others wrote meanwhile made the plan wrong. */
export class Overtaken extends Error {}

const ATTEMPTS_MAX = 5;
/** A row that a new one refers to has gone, or one like it was made. */
const RACES = new Set(['23503', '23505']);

/** Runs a transaction again whose plan others made wrong. @throws Failure 503 when they were quicker again and again */
export async function untilNotOvertaken<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (!(error instanceof Overtaken) && !RACES.has(String(code))) throw error;
    }
  }
  throw unavailable(1);
}
