import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { FileUploads } from '../db/file-uploads.js';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { ImportFiles } from '../files/import-files.js';
import { Dispatch } from './dispatch.js';
import { UploadEnd } from './upload-end.js';
import { Imports } from './imports.js';

/** What makes every path end although processes die: late chunks, dead uploads, unfinished jobs, objects without a row (10.6). */
const SWEEP_MS = 30_000;
const INTENT_MS = 3_600_000;

@Injectable()
export class SweptUploads {
  constructor(
    private readonly rows: FileUploads,
    private readonly definitions: UploadDefinitions,
    private readonly end: UploadEnd,
    private readonly files: ImportFiles,
  ) {}

  async sweep(source: DataSource, scope: Scope): Promise<void> {
    const dead = await withTenant(source, scope, async (tx) => {
      const uploads = await this.rows.dead(tx);
      return Promise.all(
        uploads.map(async (upload) => ({
          upload,
          file: await this.definitions.findFile(tx, upload.file_id),
        })),
      );
    });
    for (const { upload, file } of dead) {
      await this.end.broken(scope, {
        id: upload.id,
        key: upload.object_key,
        fileId: upload.file_id,
        definitionId: file?.definition_id ?? upload.file_id,
      });
    }
    const overdue = await withTenant(source, scope, (tx) => this.files.overdue(tx, INTENT_MS));
    for (const key of overdue) await this.files.remove(scope, key);
  }
}

@Injectable()
export class Sweeps implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly background: Background;

  constructor(
    private readonly source: DataSource,
    private readonly tenants: Tenants,
    private readonly dispatch: Dispatch,
    private readonly imports: Imports,
    private readonly uploads: SweptUploads,
    @Inject(LOG) log: Log,
  ) {
    this.background = new Background({
      name: 'data-import sweeps',
      everyMs: SWEEP_MS,
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

  private async sweep(): Promise<void> {
    for (const tenantId of await this.tenants.list()) {
      const scope = { tenantId, actorId: SYSTEM_USER_ID };
      await this.dispatch.releaseLate(scope);
      await this.imports.finishLeftOver(scope);
      await this.uploads.sweep(this.source, scope);
    }
  }
}
