import { Injectable } from '@nestjs/common';
import { ExportRequested, type ExportRecordType } from '@quire/contracts/data-export';
import { tooMany } from '@quire/contracts/failure';
import type { Caller } from '@quire/contracts/scope';
import { Outbox } from '@quire/messaging/outbox';
import { OutboxLevel } from '@quire/messaging/outbox-level';
import type { TenantTx } from '@quire/postgres/tenant';
import { snapshotOf } from '../db/mapping-profiles.js';
import { IdSelections } from '../db/id-selections.js';
import { Stores } from '../db/stores.js';
import { ExportTenantSettings } from '../db/tenant-settings.js';
import type { LogRow } from '../domain/error-codes.js';
import { failures } from '../domain/failures.js';
import { outputName } from '../domain/file-name.js';
import type { StartParameters } from '../domain/job-execution.js';
import type { MappingSnapshot } from '../domain/mapping-profile.js';
import { extensionOfFormat, outputOf, type AskedOutput, type Output } from '../domain/output.js';
import { queryProblem, type Selection } from '../domain/selection.js';
import { reasonNotToRun, type IdKind } from '../domain/start-rules.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';

/** The profiles of a job as they are at its start: later edits of them do not touch it. */
export interface LaunchProfile {
  /** Absent: the profile is gone, the job is the continuation of an older one. */
  readonly jobProfileId?: string;
  readonly jobProfileName: string;
  readonly mapping: MappingSnapshot;
}

/** A job in state `NEW` and what it is to export. */
export interface Launch {
  readonly jobId: string;
  readonly hrId: number;
  readonly fileDefinitionId: string;
  readonly baseName: string;
  /** Non-blank lines of the input; 0 as long as they are not known. */
  readonly total: number;
  readonly profile: LaunchProfile;
  readonly request: StartParameters;
  /** Ids that are still to be found. */
  readonly selection?: Selection;
  /** Goes on with an older job: the rules of the start applied to that, and its form is decided. */
  readonly continues?: Output;
}

/** Exports of a tenant that may run at once (reliability, section 14). */
const RUNNING_MAX = 1000;
const RETRY_SECONDS = 60;

/** The step from `NEW` to `IN_PROGRESS`, the same for every way to start an export; in the caller's transaction. */
@Injectable()
export class Launches {
  constructor(
    private readonly stores: Stores,
    private readonly selections: IdSelections,
    private readonly settings: ExportTenantSettings,
    private readonly endings: JobEndings,
    private readonly outbox: Outbox,
    private readonly level: OutboxLevel,
    private readonly fresh: Fresh,
  ) {}

  /** @throws Failure 400 for a profile that is not there */
  async profile(tx: TenantTx, jobProfileId: string): Promise<LaunchProfile> {
    const job = await this.stores.jobProfiles.hold(tx, jobProfileId);
    if (!job) throw failures.unknownJobProfile(jobProfileId);
    const mapping = await this.stores.mappingProfiles.find(tx, job.mapping_profile_id);
    if (!mapping) throw failures.unknownMappingProfile(job.mapping_profile_id);
    return { jobProfileId: job.id, jobProfileName: job.name, mapping: snapshotOf(mapping) };
  }

  /** @throws Failure 429, 503 when as many jobs run, or events wait, as may */
  async launch(tx: TenantTx, caller: Caller, launch: Launch): Promise<void> {
    this.level.admitJob();
    const { jobId, hrId, profile, request, selection } = launch;
    if ((await this.stores.jobs.running(tx)) >= RUNNING_MAX) throw tooMany(RETRY_SECONDS);
    const output = launch.continues ?? (await this.outputOf(tx, launch));
    const fileName = outputName(launch.baseName, hrId, extensionOfFormat(output.format));
    await this.stores.jobs.start(tx, {
      ...profile,
      ...{ output, request, idType: request.idType },
      id: jobId,
      file: { fileId: this.fresh.id(), fileName },
      runBy: runBy(caller),
      at: this.fresh.now(),
    });
    const refusal = launch.continues ? undefined : refusalOf(launch);
    if (refusal) {
      await this.stores.jobs.clearCounts(tx, jobId);
      await this.endings.fail(tx, jobId, refusal);
      return;
    }
    if (selection) await this.selections.insert(tx, jobId, selection);
    await this.outbox.add(tx, ExportRequested, {
      tenantId: tx.tenantId,
      jobExecutionId: jobId,
      jobVersion: 1,
      hrId,
      fileDefinitionId: launch.fileDefinitionId,
      jobProfileId: request.jobProfileId,
      idType: request.idType,
      total: launch.total,
      userId: caller.actorId,
    });
  }

  private async outputOf(tx: TenantTx, { request, profile }: Launch): Promise<Output> {
    const ofTenant = await this.settings.read(tx, 'oversize');
    return outputOf(request, profile.mapping.outputFormat, ofTenant);
  }
}

function refusalOf({ profile, request, selection, total }: Launch): LogRow | undefined {
  const writtenIn = selection?.kind === 'query' ? selection.writtenIn : undefined;
  const refusal = reasonNotToRun({
    source: writtenIn === undefined ? (selection ? 'other' : 'lines') : 'query',
    idType: request.idType,
    jobProfileId: request.jobProfileId,
    mapping: profile.mapping,
    lines: total,
  });
  if (refusal || writtenIn === undefined || selection?.kind !== 'query') return refusal;
  return queryProblem(selection.query, writtenIn);
}

/** The parts of a request that make two starts the same. */
export function parametersOf(
  asked: AskedOutput & {
    readonly jobProfileId: string;
    readonly recordType?: ExportRecordType | undefined;
  },
  { idType, items }: IdKind,
): StartParameters {
  const { jobProfileId, recordType, outputFormat, encoding, oversize } = asked;
  return {
    jobProfileId,
    idType,
    ...(recordType === undefined ? {} : { recordType }),
    ...(items ? { items } : {}),
    ...(outputFormat === undefined ? {} : { outputFormat }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(oversize === undefined ? {} : { oversize }),
  };
}

/** From the claims of the request: never looked up, never a reason to fail. */
function runBy({ actorId, username, firstName = '', lastName = username }: Caller) {
  return { userId: actorId, firstName, lastName };
}
