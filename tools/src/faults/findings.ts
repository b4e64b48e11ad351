import { isDeepStrictEqual } from 'node:util';
import type { Checks } from './checks.js';
import { Hung, type Ended, type ExportedFile, type MadeGroup } from './workload.js';

/** What is wrong after a run, by kind. The notes say it in words, and whatever else is not as promised. */
export class Findings {
  lost = 0;
  duplicated = 0;
  hung = 0;
  left = 0;
  readonly notes: string[] = [];

  get isGood(): boolean {
    return this.lost + this.duplicated + this.hung + this.left + this.notes.length === 0;
  }

  add(other: Findings): void {
    this.lost += other.lost;
    this.duplicated += other.duplicated;
    this.hung += other.hung;
    this.left += other.left;
    this.notes.push(...other.notes);
  }
}

/** What each import or export of a run must come to. */
export interface Wanted {
  readonly records: number;
  /** Of them. */
  readonly failed?: number;
  /** SHA-256 of the file: the same ids give the same bytes, whatever happened on the way. */
  readonly sha256?: string;
}

/** Nothing lost, nothing twice (P2), and the counts add up (P6). */
export async function checkImport(
  checks: Checks,
  job: Ended,
  { records, failed = 0 }: Wanted,
  findings: Findings,
): Promise<void> {
  const { lost, duplicated } = await checks.records(job.jobId, records - failed);
  findings.lost += lost;
  findings.duplicated += duplicated;
  findings.notes.push(...job.faults);
  const status = failed > 0 ? 'ERROR' : 'COMMITTED';
  if (job.status !== status || job.done !== records || job.total !== records)
    findings.notes.push(`import ${job.jobId}: ${job.status}, ${job.done} of ${job.total}`);
}

/** The file too: every record once, and the same bytes; and the job has one end (P7). */
export async function checkExport(
  checks: Checks,
  job: ExportedFile,
  { records, sha256 = job.sha256 }: Wanted,
  findings: Findings,
): Promise<void> {
  const different = new Set(job.numbers).size;
  findings.lost += records - different;
  findings.duplicated += job.numbers.length - different;
  findings.notes.push(...job.faults);
  if (job.status !== 'COMPLETED' || job.done !== records || job.total !== records)
    findings.notes.push(`export ${job.jobId}: ${job.status}, ${job.done} of ${job.total}`);
  if (job.sha256 !== sha256) findings.notes.push(`export ${job.jobId}: other bytes than before`);
  const ends = await checks.ends(job.jobId);
  if (ends !== 1) findings.notes.push(`export ${job.jobId} ended ${ends} times`);
}

/** Each is there once, as it was answered, however often it was asked for (P10). */
export async function checkGroups(
  checks: Checks,
  groups: readonly MadeGroup[],
  findings: Findings,
): Promise<void> {
  const stored = await checks.groups(groups.map(({ code }) => code));
  for (const { id, code, answers } of groups) {
    const found = stored.filter((one) => one.code === code);
    if (!found.some((one) => one.id === id)) findings.lost += 1;
    findings.duplicated += Math.max(0, found.length - 1);
    const [first, ...others] = answers;
    if (others.some((other) => !isDeepStrictEqual(other, first)))
      findings.notes.push(`group ${code}: two answers to one Idempotency-Key`);
  }
}

/** What failed is a finding. */
export async function settled<T>(work: Promise<T>, findings: Findings): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    findings.hung += error instanceof Hung ? 1 : 0;
    findings.notes.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
