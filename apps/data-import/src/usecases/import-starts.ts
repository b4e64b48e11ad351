import { Inject, Injectable } from '@nestjs/common';
import type { ChunkOptions } from '@quire/contracts/data-import';
import type { Caller } from '@quire/contracts/scope';
import { OutboxLevel } from '@quire/messaging/outbox-level';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { SETTINGS } from '@quire/service/platform.module';
import { importSettings } from '../config.js';
import { JobWork } from '../db/job-work.js';
import { JobExecutions } from '../db/job-executions.js';
import { ImportTenantSettings } from '../db/tenant-settings.js';
import { UploadDefinitions, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { duplicateOf, type JobMessage } from '../domain/file-problem.js';
import { settledOptions, type JobOptions } from '../domain/job-options.js';
import type { ImportJobProfile } from '../domain/job-profiles.js';
import { ImportWork } from './import-work.js';

/** What processFiles may be told besides its body. */
export interface Wanted {
  readonly options?: JobOptions;
  /** Content that was imported before is imported again, whatever the tenant's setting. */
  readonly allowDuplicate?: boolean;
}

interface Start extends Wanted {
  readonly profile: ImportJobProfile;
  readonly isMarc: boolean;
}

/** How imports begin: what the tenant allows, how its options are settled, the same file known again (data-import, 3.4, 14). */
@Injectable()
export class ImportStarts {
  private readonly runningMax: number;

  constructor(
    private readonly definitions: UploadDefinitions,
    private readonly jobs: JobExecutions,
    private readonly jobWork: JobWork,
    private readonly tenantSettings: ImportTenantSettings,
    private readonly work: ImportWork,
    private readonly level: OutboxLevel,
    @Inject(SETTINGS) settings: object,
  ) {
    this.runningMax = importSettings(settings).runningJobsMax;
  }

  /** @throws Failure 400, 404, 409, 429, 503 */
  async start(tx: TenantTx, caller: Caller, definitionId: string, wanted: Start): Promise<void> {
    const definition = await this.definitions.lock(tx, definitionId);
    if (!definition) throw failures.definitionToProcessNotFound(definitionId);
    const files = await this.definitions.filesOf(tx, [definitionId]);
    const ready = files.filter((file) => file.status === 'UPLOADED' && !file.processed);
    if (ready.length === 0) {
      await this.work.checkRepeat(tx, definitionId, files, wanted.profile);
      return;
    }
    await this.checkRoom(tx, ready.length);
    const { profile, isMarc } = wanted;
    const options = await this.settle(tx, wanted.options ?? {}, { profile });
    const known = isMarc ? await this.importedBefore(tx, ready, wanted.allowDuplicate) : NONE;
    for (const file of ready) {
      const messages = known.get(file.id) ?? [];
      await this.work.begin(tx, file, { profile, isMarc, options, messages });
    }
    await this.definitions.setProcessed(
      tx,
      ready.map((file) => file.id),
    );
    await this.definitions.setStatus(tx, definitionId, {
      status: 'COMPLETED',
      started: true,
      userName: caller.username,
    });
  }

  /** @throws Failure 429 when the tenant has as many running jobs as it may have; 503 when too many events wait */
  async checkRoom(tx: TenantRead, more: number): Promise<void> {
    this.level.admitJob();
    if ((await this.jobs.running(tx)) + more > this.runningMax) throw failures.tooManyJobs();
  }

  async settle(
    tx: TenantRead,
    asked: JobOptions,
    of: { readonly profile: ImportJobProfile; readonly dryRun?: boolean },
  ): Promise<ChunkOptions> {
    const assignInstanceIds = await this.tenantSettings.read(tx, 'ASSIGN_INSTANCE_IDS');
    return settledOptions(asked, { ...of, assignInstanceIds });
  }

  /**
   * The duplicate file guard (14, 11): what is to be said of each file whose content this tenant has imported.
   *
   * @throws Failure 409 when the tenant wants such a file rejected and the caller did not ask for it
   */
  async importedBefore(
    tx: TenantRead,
    files: readonly FileRow[],
    allowed = false,
  ): Promise<ReadonlyMap<string, readonly JobMessage[]>> {
    const guard = await this.tenantSettings.read(tx, 'DUPLICATE_FILE');
    if (guard === 'off') return NONE;
    // A file of which nothing can be imported was not imported before either.
    const whole = files.filter((file) => file.problem === null && file.sha256 !== null);
    const found = await this.jobWork.importedBefore(
      tx,
      whole.flatMap((file) => (file.sha256 ? [file.sha256] : [])),
    );
    const said = new Map<string, readonly JobMessage[]>();
    for (const file of whole) {
      const hrId = found.get(file.sha256?.toString('hex') ?? '');
      if (hrId === undefined) continue;
      if (guard === 'reject' && !allowed) throw failures.duplicateFile(file.name, hrId);
      said.set(file.id, [duplicateOf(hrId)]);
    }
    return said;
  }
}

const NONE: ReadonlyMap<string, readonly JobMessage[]> = new Map();
