import { failures } from './failures.js';

/**
 * Is a profile locked after it was written? (`data-export.md`, 11.4.) A write that says nothing of the lock leaves it as it
 * is, and a locked profile takes no write but the one that unlocks it.
 *
 * @throws Failure 403 for who may not lock or unlock, and for a profile that is locked
 */
export function lockAfter(before: boolean, asked: boolean | undefined, mayLock: boolean): boolean {
  const after = asked ?? before;
  if (before && after) throw failures.locked();
  if (before && !mayLock) throw failures.unlockForbidden();
  if (after && !mayLock) throw failures.lockForbidden();
  return after;
}
