/** Which waiting job gets the next chunk (data-import, 10.5). Pure: the figures come from `release_candidates()`. */
export interface Candidate {
  readonly tenantId: string;
  readonly jobId: string;
  readonly waiting: number;
  readonly released: number;
  readonly firstWaiting: number;
  readonly frames: number;
  readonly minutes: number;
  /** One chunk at a time. */
  readonly inOrder: boolean;
  readonly createdAt: number;
}

export interface Windows {
  readonly job: number;
  readonly tenant: number;
  readonly total: number;
}

export const WINDOWS: Windows = { job: 4, tenant: 8, total: 32 };

export interface Choice {
  readonly tenantId: string;
  readonly jobId: string;
  /** Chunks to release now. */
  readonly count: number;
}

const AGE_SURE_MINUTES = 480;
const AGE_SURE_SCORE = 10_000;

function logarithmic(value: number, lower: number, upper: number, reference: number): number {
  const part = Math.min(1, Math.log(value + 1) / Math.log(reference + 1));
  return lower + part * (upper - lower);
}

/** @param share of the released chunks that the tenant holds, 0 to 1 */
export function scoreOf({ minutes, frames, firstWaiting }: Candidate, share: number): number {
  const age =
    minutes >= AGE_SURE_MINUTES ? AGE_SURE_SCORE : logarithmic(minutes, 0, 50, AGE_SURE_MINUTES);
  return (
    age +
    logarithmic(frames, 40, -40, 100_000) +
    (100 - 300 * share) +
    logarithmic(firstWaiting, 1, 0, 100)
  );
}

/** The job whose chunks are released next, or undefined when no window has room. */
export function choose(
  candidates: readonly Candidate[],
  windows: Windows = WINDOWS,
): Choice | undefined {
  const total = candidates.reduce((sum, one) => sum + one.released, 0);
  if (total >= windows.total) return undefined;
  const ofTenant = new Map<string, number>();
  for (const one of candidates)
    ofTenant.set(one.tenantId, (ofTenant.get(one.tenantId) ?? 0) + one.released);
  const held = (tenantId: string): number => ofTenant.get(tenantId) ?? 0;
  const windowOf = (one: Candidate): number => (one.inOrder ? 1 : windows.job);
  const waiting = candidates.filter((one) => one.waiting > 0 && one.released < windowOf(one));
  const tenants = new Set(waiting.map((one) => one.tenantId));
  // A tenant's own window binds only while another waits.
  const open = waiting.filter((one) => tenants.size === 1 || held(one.tenantId) < windows.tenant);
  const share = (one: Candidate): number => (total === 0 ? 0 : held(one.tenantId) / total);
  const [best] = open.sort(
    (a, b) =>
      scoreOf(b, share(b)) - scoreOf(a, share(a)) ||
      held(a.tenantId) - held(b.tenantId) ||
      a.createdAt - b.createdAt,
  );
  if (!best) return undefined;
  const tenantRoom = tenants.size === 1 ? Infinity : windows.tenant - held(best.tenantId);
  const jobRoom = Math.min(windowOf(best) - best.released, best.waiting);
  const room = Math.min(jobRoom, tenantRoom, windows.total - total);
  // One at a time while others wait, so that the windows fill fairly.
  return { tenantId: best.tenantId, jobId: best.jobId, count: open.length > 1 ? 1 : room };
}
