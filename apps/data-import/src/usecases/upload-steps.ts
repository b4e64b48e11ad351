import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { StoredObject } from '@quire/object-store/object-store';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { FileUploads as FileUploadRows } from '../db/file-uploads.js';
import { JobExecutions } from '../db/job-executions.js';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { ImportFiles } from '../files/import-files.js';
import { UploadFraming } from '../pipeline/frame-upload.js';
import { JobEvents } from './job-events.js';
import { UploadDrafts } from './upload-definitions.js';

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly fileId: string;
  readonly definitionId: string;
}

/** How an upload ends: whole, or broken. */
@Injectable()
export class UploadEnd {
  constructor(
    private readonly source: DataSource,
    private readonly drafts: UploadDrafts,
    private readonly definitions: UploadDefinitions,
    private readonly uploads: FileUploadRows,
    private readonly jobs: JobExecutions,
    private readonly events: JobEvents,
    private readonly files: ImportFiles,
  ) {}

  /** The new content replaces what was there, in one step. */
  async whole(
    scope: Scope,
    upload: Upload,
    { stored, framing }: { stored: StoredObject; framing: UploadFraming },
  ): Promise<void> {
    const old = await withTenant(this.source, scope, async (tx) => {
      const definition = await this.definitions.lock(tx, upload.definitionId);
      const file = definition ? await this.definitions.findFile(tx, upload.fileId) : undefined;
      const job = file ? await this.jobs.lock(tx, file.job_id) : undefined;
      // Deleted or handed over while the bytes came in: the upload is given up.
      if (!file || !job || file.processed) return 'late' as const;
      await this.uploads.handOver(tx, upload.id, job.id, upload.key);
      await this.uploads.end(tx, upload.id);
      const { bytes, sha256 } = stored;
      await this.definitions.setUploaded(tx, file.id, {
        objectKey: upload.key,
        bytes,
        sha256,
        frames: framing.frames,
        problem: framing.problem,
      });
      await this.files.settle(tx, upload.key);
      if (file.object_key !== null) await this.files.doom(tx, file.object_key);
      const change = { total: framing.frames, inputComplete: true, sourcePath: file.name };
      const status = job.status === 'NEW' ? ({ status: 'FILE_UPLOADED' } as const) : {};
      await this.events.changed(tx, await this.jobs.change(tx, job.id, { ...change, ...status }));
      await this.drafts.recompute(tx, upload.definitionId);
      return { objectKey: file.object_key };
    });
    if (old === 'late') {
      await this.broken(scope, upload);
      throw failures.processedCannotUpload(upload.fileId);
    }
    if (old.objectKey !== null) await this.files.remove(scope, old.objectKey);
  }

  /** The client went away, or the process that took the upload died. */
  async broken(scope: Scope, { id, key, fileId, definitionId }: Upload): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      const others = await this.uploads.othersRun(tx, fileId, id);
      await this.uploads.end(tx, id);
      if (!others) await this.definitions.setFileStatus(tx, fileId, ['UPLOADING'], 'ERROR');
      await this.drafts.recompute(tx, definitionId);
    });
    await this.files.remove(scope, key);
  }
}
