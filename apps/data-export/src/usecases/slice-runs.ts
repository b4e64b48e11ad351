import { Inject, Injectable } from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import { MARCXML_CLOSE, MARCXML_OPEN } from '@quire/marc/marcxml-write';
import { backoffMs, classify } from '@quire/messaging/retry';
import type { TenantKey } from '@quire/object-store/tenant-key';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { parallel } from '@quire/streams/parallel';
import { DataSource } from 'typeorm';
import type { ClaimedSlice, SliceRange } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import { logRows } from '../domain/error-codes.js';
import type { ExportJob } from '../domain/job-answer.js';
import type { MappingSnapshot } from '../domain/mapping-profile.js';
import { planOf, type RecordPlan } from '../domain/record-plan.js';
import { ATTEMPTS_MAX, FETCHES_AT_ONCE, FETCH_IDS_MAX, WAITS_MAX } from '../domain/slicing.js';
import { ExportFiles } from '../files/export-files.js';
import { GrowingObject } from '../files/growing-object.js';
import {
  exportSlice,
  SliceTally,
  type AnsweredBatch,
  type IdsBatch,
} from '../pipeline/export-slice.js';
import { noneFound } from '../pipeline/record-frames.js';
import { Fresh } from './fresh.js';
import { SliceResults } from './slice-results.js';
import { RECORDS_PATH, SourceRecords } from './source-records.js';

/** A claimed slice with all that its run needs. */
interface SliceWork {
  readonly claimed: ClaimedSlice;
  /** The tenant, and who started the job. */
  readonly scope: Scope;
  readonly job: ExportJob;
  readonly range: SliceRange;
  readonly plan: RecordPlan;
  readonly batches: readonly IdsBatch[];
}

/**
 * The one long thing: a claimed slice becomes an object. Ids are read by key, records are fetched a batch at a time with
 * some batches asked for ahead, bytes go into a new object of this attempt, and one transaction makes it count.
 *
 * A dependency that is down is waited for and is no attempt; what fails otherwise is tried five times. Either end is the
 * end of the job, so that no job waits for ever.
 */
@Injectable()
export class SliceRuns {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly files: ExportFiles,
    private readonly records: SourceRecords,
    private readonly results: SliceResults,
    private readonly fresh: Fresh,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** @throws the signal's reason when the lease is lost or the process stops */
  async run(claimed: ClaimedSlice, signal: AbortSignal): Promise<void> {
    const work = await this.read(claimed);
    if (!work) return;
    if (claimed.attempts > ATTEMPTS_MAX) {
      await this.results.giveUp(work.scope, claimed, logRows.generic());
      return;
    }
    try {
      await this.export(work, signal);
    } catch (error) {
      signal.throwIfAborted();
      await this.failed(work, error);
    }
  }

  private read(claimed: ClaimedSlice): Promise<SliceWork | undefined> {
    const system = { tenantId: claimed.tenantId, actorId: SYSTEM_USER_ID };
    return readTenant(this.source, system, async (tx) => {
      const job = await this.stores.jobs.find(tx, claimed.jobId);
      const range = await this.stores.slices.range(tx, claimed);
      if (!job?.mapping || !job.idType || !range) return undefined;
      const rows = await this.stores.ids.batches(tx, job.inputId, range, FETCH_IDS_MAX);
      return {
        claimed,
        scope: { tenantId: claimed.tenantId, actorId: job.runBy?.userId ?? SYSTEM_USER_ID },
        job,
        range,
        plan: slicePlan(job.mapping, job),
        batches: rows.map(({ ids, ordinals }) => ({
          ids,
          ordinals: ordinals.split(',').map(Number),
        })),
      };
    });
  }

  private async export(work: SliceWork, signal: AbortSignal): Promise<void> {
    const { claimed, scope, job, plan, range } = work;
    const tally = new SliceTally();
    const key = this.newKey(scope);
    const besides = plan.oversize === 'sidecar' ? this.newKey(scope) : undefined;
    const keys = besides ? [key, besides] : [key];
    await withTenant(this.source, scope, async (tx) => {
      for (const one of keys) await this.files.announce(tx, one);
    });
    const { store } = this.files;
    const oversize = new GrowingObject((bytes) => store.put(besides ?? key, bytes, { signal }));
    try {
      // The file beside the output is MARCXML too: its first and last slice open and close it, even without a record.
      if (besides && range.first) await oversize.add(Buffer.from(MARCXML_OPEN));
      const place = { ...range, addOversize: (bytes: Buffer) => oversize.add(bytes) };
      const bytes = exportSlice(this.answers(work, signal), plan, tally, place);
      const stored = await store.put(key, bytes, { signal });
      if (besides && range.last) await oversize.add(Buffer.from(MARCXML_CLOSE));
      const more = await oversize.end();
      const counted = await this.results.finish(scope, claimed, {
        job,
        output: { key, stored },
        oversize: besides && more ? { key: besides, stored: more } : undefined,
        keys,
        tally,
      });
      if (!counted) await this.remove(scope, keys);
    } catch (error) {
      await oversize.abandon();
      throw error;
    }
  }

  private newKey({ tenantId }: Scope): TenantKey {
    return this.files.newKey(tenantId, this.fresh.id());
  }

  private async remove(scope: Scope, keys: readonly TenantKey[]): Promise<void> {
    for (const key of keys) await this.files.store.remove(key);
    await withTenant(this.source, scope, async (tx) => {
      for (const key of keys) await this.files.settle(tx, key);
    });
  }

  private answers(work: SliceWork, signal: AbortSignal): AsyncIterable<AnsweredBatch> {
    return parallel(
      work.batches,
      FETCHES_AT_ONCE,
      async (batch, wanted) => ({ batch, body: await this.fetch(work, batch, wanted) }),
      signal,
    );
  }

  private async fetch(
    { scope, job, plan }: SliceWork,
    batch: IdsBatch,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Buffer>> {
    if (job.request?.items) return noneFound(batch.ordinals.length);
    return this.records.fetch({ scope, jobId: job.id, idType: plan.idType, batch, signal });
  }

  private async failed({ claimed, scope, range, job }: SliceWork, error: unknown): Promise<void> {
    const { sliceNo, attempts } = claimed;
    const transient = classify(error) === 'transient';
    const about = { err: error, jobId: job.id, sliceNo, attempts, tenantId: scope.tenantId };
    if (transient && range.waits < WAITS_MAX) {
      this.log.warn(about, 'slice waits for a dependency');
      const delayMs = backoffMs(range.waits + 1);
      await this.results.handBack(scope, claimed, { delayMs, attempt: false, wait: true });
    } else if (transient) {
      this.log.error(about, 'dependency did not come back, the export ends');
      const message = error instanceof Error ? error.message : String(error);
      await this.results.giveUp(scope, claimed, logRows.callingUri(RECORDS_PATH, message));
    } else if (attempts >= ATTEMPTS_MAX) {
      this.log.error(about, 'slice failed for good, the export ends');
      await this.results.giveUp(scope, claimed, logRows.generic());
    } else {
      this.log.warn(about, 'slice failed, trying again');
      const delayMs = backoffMs(attempts);
      await this.results.handBack(scope, claimed, { delayMs, attempt: true, wait: false });
    }
  }
}

function slicePlan(
  mapping: MappingSnapshot,
  { jobProfileId = '', request, idType = 'instance', output }: ExportJob,
): RecordPlan {
  return planOf({ mapping, jobProfileId: request?.jobProfileId ?? jobProfileId, idType, output });
}
