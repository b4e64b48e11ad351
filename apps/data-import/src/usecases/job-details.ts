import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@quire/contracts/clock';
import { formatDate } from '@quire/contracts/dates';
import type { ImportDetails } from '@quire/contracts/import-work';
import type { Scope } from '@quire/contracts/scope';
import { asSystem, readTenant, type TenantRead } from '@quire/postgres/tenant';
import { CLOCK, SETTINGS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { importSettings } from '../config.js';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions, type JobView } from '../db/job-executions.js';
import { JobWork } from '../db/job-work.js';
import { RECORD_TYPE_OF } from '../domain/error-text.js';
import { failures } from '../domain/failures.js';
import { isEnded } from '../domain/job-execution.js';
import { rateOf, waitText } from '../domain/job-progress.js';
import { standingOf, type Standing, type Windows } from '../domain/release-score.js';
import { jobOf } from '../domain/shapes.js';
import { undoneOf } from '../domain/undo-state.js';

/** All that is known of a job beyond FOLIO's own view of it (data-import, 14, rows 1 and 16). */
@Injectable()
export class JobDetails {
  private readonly windows: Windows;

  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly jobWork: JobWork,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) settings: object,
  ) {
    const { windowJob, windowTenant, windowTotal } = importSettings(settings);
    this.windows = { job: windowJob, tenant: windowTenant, total: windowTotal };
  }

  /** @throws Failure 404 */
  async read(scope: Scope, id: string): Promise<ImportDetails> {
    const found = await readTenant(this.source, scope, async (tx) => {
      const job = await this.jobs.view(tx, id);
      if (!job) throw failures.jobNotFound(id);
      return { job, details: await this.detailsOf(tx, job) };
    });
    return { ...found.details, ...(await this.waitingOf(found.job)) };
  }

  private async detailsOf(tx: TenantRead, job: JobView): Promise<ImportDetails> {
    const { created, updated, unchanged, failed, warned } = await this.chunks.sums(tx, job.id);
    const messages = await this.jobs.messages(tx, job.id);
    const byType = await this.chunks.byType(tx, job.id);
    const total = jobOf(job).progress?.total ?? 0;
    const seconds = await this.jobWork.workedSeconds(tx, job.id);
    const isPaused = job.paused_at !== null && !isEnded(job.status);
    const runs = job.status === 'PARSING_IN_PROGRESS' && !isPaused;
    const worked = { handled: Number(job.current), total, now: this.clock.now(), runs };
    return {
      ...(job.result === null ? {} : { result: job.result }),
      counts: { total, created, updated, unchanged, failed, warned },
      byType: Object.fromEntries(
        Object.entries(byType).map(([letter, count]) => [RECORD_TYPE_OF[letter] ?? letter, count]),
      ),
      messages: messages.map(({ code, text, at }) => ({ code, text, date: formatDate(at) })),
      warnings: await this.chunks.warnings(tx, job.id),
      paused: isPaused,
      ...undoneOf(job),
      ...(seconds === undefined ? {} : { rate: rateOf({ ...worked, seconds }) }),
      source: await this.sourceOf(tx, job),
      ...(job.retry_of === null ? {} : { retryOf: job.retry_of }),
      ...(job.options === null ? {} : { options: job.options }),
    };
  }

  private async sourceOf(tx: TenantRead, job: JobView): Promise<ImportDetails['source']> {
    const content = await this.jobWork.content(tx, job.id);
    return {
      ...(job.file_name === null ? {} : { fileName: job.file_name }),
      ...(content.bytes === undefined ? {} : { bytes: content.bytes }),
      ...(content.sha256 === undefined ? {} : { sha256: content.sha256.toString('hex') }),
    };
  }

  /** Why nothing more of it is sent just now, and where it stands among the others. */
  private async waitingOf(job: JobView): Promise<Pick<ImportDetails, 'queue' | 'waiting'>> {
    if (job.status !== 'PARSING_IN_PROGRESS') return {};
    if (job.paused_at !== null) return { waiting: waiting('PAUSED') };
    if (!job.input_complete) return { waiting: waiting('FRAMING') };
    const candidates = await asSystem(this.source, (system) => this.chunks.candidates(system));
    const standing = standingOf(job.id, candidates, this.windows);
    if (!standing) return {};
    const { position, score, parts, reason } = standing;
    return { queue: { position, score, parts: { ...parts } }, waiting: waiting(reason) };
  }
}

function waiting(reason: Standing['reason']): { reason: string; text: string } {
  return { reason, text: waitText(reason) };
}
