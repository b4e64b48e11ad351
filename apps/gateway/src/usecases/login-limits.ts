/**
 * How often one address may try one user name (conventions, 5.2): a sliding minute, in memory, per process. The lock of an
 * account is in the database; this only slows down whoever tries many passwords fast.
 */
const ATTEMPTS_PER_MINUTE = 20;
const MINUTE_MS = 60_000;
/** Pairs remembered at once; the oldest goes first. */
const PAIRS_MAX = 10_000;

export class LoginLimits {
  private readonly attempts = new Map<string, number[]>();

  /** Counts an attempt. Undefined: go on; otherwise the seconds to wait. */
  attempt(address: string, username: string, now: Date): number | undefined {
    const pair = `${address} ${username.toLowerCase()}`;
    const from = now.getTime() - MINUTE_MS;
    const recent = (this.attempts.get(pair) ?? []).filter((at) => at > from);
    const [oldest] = recent;
    if (recent.length >= ATTEMPTS_PER_MINUTE && oldest !== undefined) {
      return Math.max(1, Math.ceil((oldest - from) / 1000));
    }
    this.attempts.delete(pair);
    this.attempts.set(pair, [...recent, now.getTime()]);
    for (const known of this.attempts.keys()) {
      if (this.attempts.size <= PAIRS_MAX) break;
      this.attempts.delete(known);
    }
    return undefined;
  }
}
