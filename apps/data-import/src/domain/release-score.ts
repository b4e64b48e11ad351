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

/** What the score of a job is made of. */
export interface ScoreParts {
  readonly age: number;
  readonly size: number;
  readonly tenantUsage: number;
  readonly chunkNumber: number;
}

/** @param share of the released chunks that the tenant holds, 0 to 1 */
export function scorePartsOf(
  { minutes, frames, firstWaiting }: Candidate,
  share: number,
): ScoreParts {
  return {
    age:
      minutes >= AGE_SURE_MINUTES ? AGE_SURE_SCORE : logarithmic(minutes, 0, 50, AGE_SURE_MINUTES),
    size: logarithmic(frames, 40, -40, 100_000),
    tenantUsage: 100 - 300 * share,
    chunkNumber: logarithmic(firstWaiting, 1, 0, 100),
  };
}

export function scoreOf(candidate: Candidate, share: number): number {
  const { age, size, tenantUsage, chunkNumber } = scorePartsOf(candidate, share);
  return age + size + tenantUsage + chunkNumber;
}

interface Look {
  readonly total: number;
  readonly held: (tenantId: string) => number;
  /** Of the released chunks that the tenant of the job holds. */
  readonly share: (one: Candidate) => number;
  readonly windowOf: (one: Candidate) => number;
  /** Jobs whose own window has room. */
  readonly waiting: readonly Candidate[];
  readonly tenants: ReadonlySet<string>;
}

function look(candidates: readonly Candidate[], windows: Windows): Look {
  const total = candidates.reduce((sum, one) => sum + one.released, 0);
  const ofTenant = new Map<string, number>();
  for (const one of candidates)
    ofTenant.set(one.tenantId, (ofTenant.get(one.tenantId) ?? 0) + one.released);
  const held = (tenantId: string): number => ofTenant.get(tenantId) ?? 0;
  const windowOf = (one: Candidate): number => (one.inOrder ? 1 : windows.job);
  const waiting = candidates.filter((one) => one.waiting > 0 && one.released < windowOf(one));
  return {
    total,
    held,
    share: (one) => (total === 0 ? 0 : held(one.tenantId) / total),
    windowOf,
    waiting,
    tenants: new Set(waiting.map((one) => one.tenantId)),
  };
}

/** The job whose chunks are released next, or undefined when no window has room. */
export function choose(
  candidates: readonly Candidate[],
  windows: Windows = WINDOWS,
): Choice | undefined {
  const { total, held, share, windowOf, waiting, tenants } = look(candidates, windows);
  if (total >= windows.total) return undefined;
  // A tenant's own window binds only while another waits.
  const open = waiting.filter((one) => tenants.size === 1 || held(one.tenantId) < windows.tenant);
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

export const WAIT_REASONS = [
  'PAUSED',
  'FRAMING',
  'OWN_WINDOW',
  'TENANT_WINDOW',
  'TOTAL_WINDOW',
  'TURN',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** Where a job stands among those that wait. */
export interface Standing {
  /** Among the waiting jobs of its own tenant, from 1: those of others are not for it to count. */
  readonly position: number;
  readonly score: number;
  readonly parts: ScoreParts;
  readonly reason: WaitReason;
}

/** Undefined for a job of which nothing waits. */
export function standingOf(
  jobId: string,
  candidates: readonly Candidate[],
  windows: Windows = WINDOWS,
): Standing | undefined {
  const job = candidates.find((one) => one.jobId === jobId);
  if (!job || job.waiting === 0) return undefined;
  const { total, held, share, windowOf, tenants } = look(candidates, windows);
  const own = candidates.filter((one) => one.tenantId === job.tenantId && one.waiting > 0);
  const ahead = own.filter((one) => {
    const more = scoreOf(one, share(one)) - scoreOf(job, share(job));
    return more > 0 || (more === 0 && one.createdAt < job.createdAt);
  });
  const othersWait = [...tenants].some((tenantId) => tenantId !== job.tenantId);
  const reason = (): WaitReason => {
    if (job.released >= windowOf(job)) return 'OWN_WINDOW';
    if (total >= windows.total) return 'TOTAL_WINDOW';
    return othersWait && held(job.tenantId) >= windows.tenant ? 'TENANT_WINDOW' : 'TURN';
  };
  return {
    position: ahead.length + 1,
    score: scoreOf(job, share(job)),
    parts: scorePartsOf(job, share(job)),
    reason: reason(),
  };
}
