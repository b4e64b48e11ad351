import { Injectable } from '@nestjs/common';
import { ExportRequested, type ExportRecordType, type IdType } from '@quire/contracts/data-export';
import { tooMany } from '@quire/contracts/failure';
import type { Caller } from '@quire/contracts/scope';
import { Outbox } from '@quire/messaging/outbox';
import type { TenantTx } from '@quire/postgres/tenant';
import type { InputCounts } from '../db/file-definitions.js';
import type { JobProfileRow } from '../db/job-profiles.js';
import { snapshotOf, type MappingProfileRow } from '../db/mapping-profiles.js';
import { Stores } from '../db/stores.js';
import type { LogRow } from '../domain/error-codes.js';
import { failures } from '../domain/failures.js';
import { outputName } from '../domain/file-name.js';
import type { StartParameters } from '../domain/job-execution.js';
import { reasonNotToRun } from '../domain/mapping-profile.js';
import { queryProblem } from '../domain/query.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';

export interface Profiles {
  readonly job: JobProfileRow;
  readonly mapping: MappingProfileRow;
}

/** A job in state `NEW` and what it is to export. */
export interface Launch {
  readonly jobId: string;
  readonly hrId: number;
  readonly fileDefinitionId: string;
  readonly fileName: string;
  readonly baseName: string;
  readonly uploadFormat: 'csv' | 'cql';
  readonly query?: string;
  readonly lines: InputCounts;
  readonly profiles: Profiles;
  readonly idType: IdType;
  readonly recordType?: ExportRecordType;
}

/** Exports of a tenant that may run at once (reliability, section 14). */
const RUNNING_MAX = 1000;
const RETRY_SECONDS = 60;

/** The step from `NEW` to `IN_PROGRESS`, the same for every way to start an export; in the caller's transaction. */
@Injectable()
export class Launches {
  constructor(
    private readonly stores: Stores,
    private readonly endings: JobEndings,
    private readonly outbox: Outbox,
    private readonly fresh: Fresh,
  ) {}

  /** @throws Failure 400 for a profile that is not there */
  async profiles(tx: TenantTx, jobProfileId: string): Promise<Profiles> {
    const job = await this.stores.jobProfiles.hold(tx, jobProfileId);
    if (!job) throw failures.unknownJobProfile(jobProfileId);
    const mapping = await this.stores.mappingProfiles.find(tx, job.mapping_profile_id);
    if (!mapping) throw failures.unknownMappingProfile(job.mapping_profile_id);
    return { job, mapping };
  }

  async launch(tx: TenantTx, caller: Caller, launch: Launch): Promise<void> {
    const { jobId, hrId, profiles, idType, recordType, lines } = launch;
    if ((await this.stores.jobs.running(tx)) >= RUNNING_MAX) throw tooMany(RETRY_SECONDS);
    const at = this.fresh.now();
    const mapping = snapshotOf(profiles.mapping);
    await this.stores.jobs.start(tx, {
      id: jobId,
      file: { fileId: this.fresh.id(), fileName: outputName(launch.baseName, hrId) },
      jobProfileId: profiles.job.id,
      jobProfileName: profiles.job.name,
      mapping,
      idType,
      request: parametersOf(profiles.job.id, idType, recordType),
      runBy: runBy(caller),
      at,
    });
    const refusal = this.refusal(launch);
    if (refusal) {
      await this.stores.jobs.clearCounts(tx, jobId);
      await this.endings.fail(tx, jobId, refusal);
      return;
    }
    await this.outbox.add(tx, ExportRequested, {
      tenantId: tx.tenantId,
      jobExecutionId: jobId,
      jobVersion: 1,
      hrId,
      fileDefinitionId: launch.fileDefinitionId,
      jobProfileId: profiles.job.id,
      idType,
      total: lines.total,
      userId: caller.actorId,
    });
  }

  private refusal(launch: Launch): LogRow | undefined {
    const { profiles, uploadFormat, query = '', fileName, lines } = launch;
    const refusal = reasonNotToRun({
      ...launch,
      jobProfileId: profiles.job.id,
      mapping: snapshotOf(profiles.mapping),
      lines: lines.total,
    });
    return refusal ?? (uploadFormat === 'cql' ? queryProblem(query, fileName) : undefined);
  }
}

export function parametersOf(
  jobProfileId: string,
  idType: IdType,
  recordType: ExportRecordType | undefined,
): StartParameters {
  return { jobProfileId, idType, ...(recordType === undefined ? {} : { recordType }) };
}

/** From the claims of the request: never looked up, never a reason to fail. */
function runBy({ actorId, username, firstName = '', lastName = username }: Caller) {
  return { userId: actorId, firstName, lastName };
}
