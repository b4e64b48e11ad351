import { Injectable } from '@nestjs/common';
import type {
  ExportJobPayload,
  ExportRequestedPayload,
  SliceFinishedPayload,
  StartExport,
} from '@quire/contracts/data-export';
import { uuidV5 } from '@quire/contracts/ids';
import type { Caller } from '@quire/contracts/scope';
import type { Delivery } from '@quire/messaging/event-bus';
import { Inbox } from '@quire/messaging/inbox';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { FileDefinitionRecord } from '../db/file-definitions.js';
import type { IdentifiedRow } from '../db/error-logs.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { Collected, COLLECTED_MAX, DUPLICATED_IDS_MAX, logRows } from '../domain/error-codes.js';
import { failures } from '../domain/failures.js';
import type { ExportJob } from '../domain/job-answer.js';
import { sameParameters } from '../domain/job-execution.js';
import { idTypeOf } from '../domain/mapping-profile.js';
import { SLICE_IDS_MAX } from '../domain/slicing.js';
import { Dispatch } from './dispatch.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';
import { Launches, parametersOf } from './launches.js';

/** The life of an export of an uploaded file, in order: start · slice · close. */
@Injectable()
export class Exports {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly launches: Launches,
    private readonly endings: JobEndings,
    private readonly dispatch: Dispatch,
    private readonly inbox: Inbox,
    private readonly fresh: Fresh,
  ) {}

  /**
   * Starts the export of an uploaded file. The same request again starts nothing while the job runs or after it completed;
   * after FAIL it makes a new job.
   *
   * @returns the id of the job
   */
  start(caller: Caller, request: StartExport): Promise<string> {
    const { fileDefinitionId, jobProfileId, recordType } = request;
    return withTenant(this.source, caller, async (tx) => {
      const definition = await this.stores.definitions.lock(tx, fileDefinitionId);
      if (!definition) throw failures.unknownFileDefinition(fileDefinitionId);
      const profiles = await this.launches.profiles(tx, jobProfileId);
      if (definition.status !== 'COMPLETED') throw failures.fileNotUploaded(fileDefinitionId);
      const idType = idTypeOf(request.idType, definition.idType, recordType);
      const last = await this.stores.jobs.lock(tx, definition.jobId);
      if (last?.request && last.status !== 'FAIL') {
        if (sameParameters(last.request, parametersOf(jobProfileId, idType, recordType)))
          return last.id;
        throw failures.exportAlreadyStarted(fileDefinitionId);
      }
      const job = last?.status === 'NEW' ? last : await this.again(tx, caller, definition);
      await this.launches.launch(tx, caller, {
        ...definition,
        jobId: job.id,
        hrId: job.hrId,
        fileDefinitionId,
        profiles,
        idType,
        ...(recordType === undefined ? {} : { recordType }),
      });
      return job.id;
    });
  }

  /** Cuts the ids of a job into slices, all waiting, and says which lines are none. */
  async slice({ jobExecutionId }: ExportRequestedPayload, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'exports.slice', delivery.id))) return;
      const job = await this.stores.jobs.lock(tx, jobExecutionId);
      if (job?.status !== 'IN_PROGRESS') return;
      await this.stores.logs.add(tx, job.id, this.fresh.now(), await this.badLines(tx, job));
      const borders = await this.stores.ids.borders(tx, job.inputId, SLICE_IDS_MAX);
      await this.stores.slices.insert(tx, job.id, borders);
      await this.endings.closeWhenDone(tx, job.id);
    });
    this.dispatch.wake();
  }

  /** After each slice: the last one ends the job. */
  async close({ jobExecutionId }: SliceFinishedPayload, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'exports.close', delivery.id))) return;
      await this.endings.closeWhenDone(tx, jobExecutionId);
    });
    this.dispatch.wake();
  }

  /** An event of the job could not be handled: the job ends with a reason instead of waiting for ever. */
  async giveUp({ jobExecutionId }: ExportJobPayload, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, (tx) =>
      this.endings.fail(tx, jobExecutionId, logRows.generic()),
    );
  }

  private async again(
    tx: TenantTx,
    caller: Caller,
    definition: FileDefinitionRecord,
  ): Promise<{ id: string; hrId: number }> {
    const id = this.fresh.id();
    const hrId = await this.stores.jobs.nextHrId(tx);
    const { baseName, lines, inputId = definition.id } = definition;
    const stamps = newStamps(caller, this.fresh.now());
    const job = { id, hrId, fileDefinitionId: definition.id, inputId, baseName, lines, stamps };
    await this.stores.jobs.insert(tx, job);
    await this.stores.definitions.setJob(tx, definition.id, id);
    return job;
  }

  /** Rows for lines that give no id. Ids are derived: a second run of the handler meets its own rows. */
  private async badLines(
    tx: TenantTx,
    { id: jobId, inputId, counts }: ExportJob,
  ): Promise<IdentifiedRow[]> {
    const rows: IdentifiedRow[] = [];
    const { invalid, duplicated } = counts;
    if (invalid > 0) {
      const lines = await this.stores.ids.invalidLines(tx, inputId, COLLECTED_MAX);
      const row = logRows.invalidUuids(new Collected(lines, invalid));
      rows.push({ id: uuidV5(jobId, row.code), row });
    }
    if (duplicated > 0) {
      for (const { id, n } of await this.stores.ids.repeatedIds(tx, inputId, DUPLICATED_IDS_MAX))
        rows.push({ id: uuidV5(jobId, `duplicated ${id}`), row: logRows.duplicatedId(id, n) });
    }
    return rows;
  }
}
