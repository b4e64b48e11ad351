/**
 * The rule is 100 ms a record, and the worst of ours take 55 (as XML 200) on a quiet machine. Tests share theirs with others, who
 * take processor time and caches away: this limit finds what grows with the square of a record's length, which takes minutes.
 */
const LIMIT_MS = 2_000;
const TRIES = 5;

/** Does the work keep the limit, in processor time, in one of a few tries? */
export function inTime(work: () => void): boolean {
  for (let tries = 0; tries < TRIES; tries++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1_000 <= LIMIT_MS) return true;
  }
  return false;
}
