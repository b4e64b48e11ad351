/** How much one user or tenant may ask of this process at once (conventions, section 16). */

/** Buckets remembered at once; the oldest goes first. */
const BUCKETS_MAX = 10_000;

/** Requests per second of one key, with bursts of twice that. */
export class RateLimit {
  private readonly buckets = new Map<string, { left: number; at: number }>();

  /** @param perSecond 0: no limit */
  constructor(private readonly perSecond: number) {}

  /** Seconds to wait, or undefined when the request may go on. */
  take(key: string, now: Date): number | undefined {
    if (this.perSecond === 0) return undefined;
    const burst = this.perSecond * 2;
    const at = now.getTime();
    const known = this.buckets.get(key) ?? { left: burst, at };
    const left = Math.min(burst, known.left + ((at - known.at) / 1000) * this.perSecond);
    this.buckets.delete(key);
    this.buckets.set(key, { left: left >= 1 ? left - 1 : left, at });
    const [oldest] = this.buckets.keys();
    if (this.buckets.size > BUCKETS_MAX && oldest !== undefined) this.buckets.delete(oldest);
    return left >= 1 ? undefined : Math.max(1, Math.ceil((1 - left) / this.perSecond));
  }
}

const UPLOADS_PER_TENANT = 4;
const UPLOADS_MAX = 16;

/** Uploads that run at the moment. */
export class UploadLimit {
  private readonly running = new Map<string, number>();
  private total = 0;

  /** A function that ends the upload, or undefined when there are too many. */
  begin(tenantId: string): (() => void) | undefined {
    const own = this.running.get(tenantId) ?? 0;
    if (own >= UPLOADS_PER_TENANT || this.total >= UPLOADS_MAX) return undefined;
    this.running.set(tenantId, own + 1);
    this.total += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.total -= 1;
      const left = (this.running.get(tenantId) ?? 1) - 1;
      if (left === 0) this.running.delete(tenantId);
      else this.running.set(tenantId, left);
    };
  }
}
