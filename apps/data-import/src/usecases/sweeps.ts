import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Failure } from '@quire/contracts/failure';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { apart, type Task } from '@quire/jobs/apart';
import { Background } from '@quire/jobs/background';
import { classify } from '@quire/messaging/retry';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { importSettings } from '../config.js';
import { FileUploads } from '../db/file-uploads.js';
import { ImportTenantSettings } from '../db/tenant-settings.js';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { ImportFiles } from '../files/import-files.js';
import { Autostarts } from './autostarts.js';
import { Dispatch } from './dispatch.js';
import { Imports } from './imports.js';
import { SweptJobs } from './swept-jobs.js';
import { UploadDrafts } from './upload-definitions.js';
import { UploadSteps } from './upload-steps.js';

/** What makes every path end although processes die: late chunks, dead uploads, unfinished jobs, objects without a row (10.6). */
const INTENT_MS = 3_600_000;

@Injectable()
export class SweptUploads {
  constructor(
    private readonly rows: FileUploads,
    private readonly definitions: UploadDefinitions,
    private readonly steps: UploadSteps,
    private readonly files: ImportFiles,
    private readonly drafts: UploadDrafts,
    private readonly settings: ImportTenantSettings,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async sweep(source: DataSource, scope: Scope): Promise<void> {
    await apart(this.log, 'sweep of uploads', [
      ['dead uploads', () => this.endDead(source, scope)],
      ['overdue objects', () => this.removeOverdue(source, scope)],
      ['expired drafts', () => this.expire(source, scope)],
    ]);
  }

  private async endDead(source: DataSource, scope: Scope): Promise<void> {
    const dead = await withTenant(source, scope, async (tx) => {
      const uploads = await this.rows.dead(tx);
      return Promise.all(
        uploads.map(async (upload) => ({
          upload,
          file: await this.definitions.findFile(tx, upload.file_id),
        })),
      );
    });
    const tasks = dead.map(({ upload, file }): Task => [
      upload.id,
      () =>
        this.steps.broken(scope, {
          id: upload.id,
          key: upload.object_key,
          fileId: upload.file_id,
          definitionId: file?.definition_id ?? upload.file_id,
        }),
    ]);
    await apart(this.log, 'end of a dead upload', tasks);
  }

  private async removeOverdue(source: DataSource, scope: Scope): Promise<void> {
    const overdue = await withTenant(source, scope, async (tx) => {
      const running = await this.rows.keys(tx);
      return (await this.files.overdue(tx, INTENT_MS)).filter((key) => !running.has(key));
    });
    const tasks = overdue.map((key): Task => [key, () => this.files.remove(scope, key)]);
    await apart(this.log, 'removal of an overdue object', tasks);
  }

  /** Drafts that nobody processed (section 15). */
  private async expire(source: DataSource, scope: Scope): Promise<void> {
    const expired = await readTenant(source, scope, async (tx) =>
      this.definitions.expired(tx, await this.settings.read(tx, 'DRAFT_DAYS')),
    );
    const tasks = expired.map((id): Task => [id, () => this.expireOne(scope, id)]);
    await apart(this.log, 'end of an expired draft', tasks);
  }

  private async expireOne(scope: Scope, id: string): Promise<void> {
    try {
      await this.drafts.delete(scope, id);
    } catch (error) {
      // Somebody deleted or started it just now.
      if (!(error instanceof Failure) || classify(error) === 'transient') throw error;
    }
  }
}

/** All that is swept of one tenant. */
@Injectable()
export class TenantSweeps {
  constructor(
    private readonly source: DataSource,
    private readonly dispatch: Dispatch,
    private readonly imports: Imports,
    private readonly uploads: SweptUploads,
    private readonly autostarts: Autostarts,
    private readonly jobs: SweptJobs,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async sweep(scope: Scope): Promise<void> {
    await apart(this.log, `sweep of tenant ${scope.tenantId}`, [
      ['late chunks', () => this.dispatch.releaseLate(scope)],
      ['left over jobs', () => this.finishLeftOver(scope)],
      ['uploads', () => this.uploads.sweep(this.source, scope)],
      ['autostarts', () => this.autostarts.sweep(scope)],
      ['jobs', () => this.jobs.sweep(scope)],
    ]);
  }

  private async finishLeftOver(scope: Scope): Promise<void> {
    const ids = await this.imports.leftOver(scope);
    const tasks = ids.map((id): Task => [id, () => this.imports.finishLeftOver(scope, id)]);
    await apart(this.log, 'end of a left over job', tasks);
  }
}

@Injectable()
export class Sweeps implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly background: Background;

  constructor(
    private readonly tenants: Tenants,
    private readonly ofTenant: TenantSweeps,
    @Inject(LOG) log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    this.background = new Background({
      name: 'data-import sweeps',
      everyMs: importSettings(settings).sweepMs,
      work: () => this.sweep(),
      log,
    });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.background.stop();
  }

  private sweep(): Promise<void> {
    return this.tenants.eachAlone('data-import.sweeps', (scope) => this.ofTenant.sweep(scope));
  }
}
