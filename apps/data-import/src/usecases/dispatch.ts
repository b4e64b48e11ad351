import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import {
  ChunkReady,
  type ChunkOptions,
  type ChunkReadyPayload,
} from '@quire/contracts/data-import';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import { apart, type Task } from '@quire/jobs/apart';
import { Dispatcher } from '@quire/jobs/dispatcher';
import { Outbox } from '@quire/messaging/outbox';
import { asSystem, readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { importSettings } from '../config.js';
import { JobChunks, type ChunkRow } from '../db/job-chunks.js';
import { JobExecutions, type JobRow } from '../db/job-executions.js';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { profileOf } from '../domain/job-profiles.js';
import { choose, type Windows } from '../domain/release-score.js';

/** Releases waiting chunks, a bounded window at a time: the row and its event in one transaction (data-import, 10.5). */
@Injectable()
export class Dispatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly dispatcher: Dispatcher;
  private readonly windows: Windows;
  private readonly lateMs: number;

  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly definitions: UploadDefinitions,
    private readonly outbox: Outbox,
    @Inject(LOG) private readonly log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    const { windowJob, windowTenant, windowTotal, resendMs } = importSettings(settings);
    this.lateMs = resendMs;
    this.windows = { job: windowJob, tenant: windowTenant, total: windowTotal };
    this.dispatcher = new Dispatcher({
      source,
      lockName: 'data_import.dispatch',
      round: () => this.round(),
      log,
    });
  }

  onApplicationBootstrap(): void {
    this.dispatcher.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.dispatcher.stop();
  }

  wake(): void {
    this.dispatcher.wake();
  }

  /** Chunks whose answer did not come: sent again under the same id. */
  async releaseLate(scope: Scope): Promise<void> {
    const jobs = await readTenant(this.source, scope, (tx) =>
      this.chunks.lateJobs(tx, this.lateMs),
    );
    const release = (id: string): Promise<void> =>
      withTenant(this.source, scope, async (tx) => {
        const job = await this.jobs.lock(tx, id);
        if (job) await this.announce(tx, job, await this.chunks.releaseLate(tx, id, this.lateMs));
      });
    const tasks = jobs.map((id): Task => [id, () => release(id)]);
    await apart(this.log, 'release of late chunks', tasks);
  }

  private async round(): Promise<boolean> {
    const candidates = await asSystem(this.source, (system) => this.chunks.candidates(system));
    const choice = choose(candidates, this.windows);
    if (!choice) return false;
    const { tenantId, jobId, count } = choice;
    await withTenant(this.source, { tenantId, actorId: SYSTEM_USER_ID }, async (tx) => {
      const job = await this.jobs.lock(tx, jobId);
      // It may have ended or been paused since it was chosen.
      if (job?.status !== 'PARSING_IN_PROGRESS' || job.paused_at !== null) return;
      await this.announce(tx, job, await this.chunks.release(tx, job.id, count));
    });
    return true;
  }

  private async announce(tx: TenantTx, job: JobRow, chunks: readonly ChunkRow[]): Promise<void> {
    const file = await this.definitions.fileOfJob(tx, job.id);
    const payloads = chunks.map((chunk) =>
      readyPayload(tx.tenantId, job, chunk, file?.id ?? job.origin_file_id ?? undefined),
    );
    await this.outbox.addAll(tx, ChunkReady, payloads);
  }
}

function readyPayload(
  tenantId: string,
  job: JobRow,
  chunk: ChunkRow,
  fileDefinitionId: string | undefined,
): ChunkReadyPayload {
  const profile = profileOf(job.profile_id ?? '');
  if (!profile) throw new Error(`Job ${job.id} runs without a profile.`);
  const { id, name, recordTypes, match } = profile;
  return {
    tenantId,
    jobExecutionId: job.id,
    jobVersion: Number(job.version),
    chunkId: chunk.id,
    chunkNo: chunk.chunk_no,
    attempt: chunk.attempt,
    objectKey: chunk.object_key,
    offset: Number(chunk.byte_offset),
    length: Number(chunk.byte_length),
    format: chunk.format,
    ...(chunk.xml_context === null ? {} : { xmlContext: chunk.xml_context }),
    frames: JSON.parse(chunk.frames) as number[],
    ...(chunk.origins === null ? {} : { origins: JSON.parse(chunk.origins) as number[] }),
    firstOrder: Number(chunk.first_order),
    count: chunk.count,
    ...(job.user_name === null ? {} : { userName: job.user_name }),
    userId: job.user_id,
    source: fileDefinitionId === undefined ? {} : { fileDefinitionId },
    snapshot: {
      status: job.status,
      ...(job.processing_started_at
        ? { processingStartedDate: formatDate(job.processing_started_at) }
        : {}),
    },
    profile: { id, name, recordTypes, match },
    options: { ...DEFAULTS, ...job.options },
  };
}

/** Of jobs that began before options were kept with them. */
const DEFAULTS: ChunkOptions = {
  on999ff: 'reject',
  skipUnchanged: true,
  strict: false,
  assignInstanceIds: true,
  dryRun: false,
};
