import { Inject, Injectable } from '@nestjs/common';
import type { ServiceKeys } from '@quire/auth/keys';
import { LINK_LIFE_MS, signLink, verifyLink } from '@quire/auth/signed-link';
import { createHash } from 'node:crypto';
import type { DownloadLink } from '@quire/contracts/data-export';
import { forbidden } from '@quire/contracts/failure';
import type { Log } from '@quire/contracts/log';
import type { Caller, Scope } from '@quire/contracts/scope';
import { ObjectNotFound } from '@quire/object-store/object-store';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import type { LinkedBytes } from '@quire/service/files';
import { KEYS, LOG } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import type { SlicePart } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import { failures } from '../domain/failures.js';
import type { ExportJob } from '../domain/job-answer.js';
import { hasFile } from '../domain/job-execution.js';
import { contentTypeOf } from '../domain/output.js';
import { ExportFiles } from '../files/export-files.js';
import { Fresh } from './fresh.js';

/** Of a link of ours; it is good for nothing else. */
const PURPOSE = 'export';

/** Links to finished outputs, and the outputs behind the links (`data-export.md`, 7.4; reliability, section 13). */
@Injectable()
export class Downloads {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly files: ExportFiles,
    private readonly fresh: Fresh,
    @Inject(KEYS) private readonly keys: ServiceKeys,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** A link is issued only if the file is finished and its objects are there. */
  async issue(caller: Caller, jobId: string, fileId: string): Promise<DownloadLink> {
    const output = await this.output(caller, jobId, fileId);
    if (output === 'no job') throw failures.downloadJobNotFound(jobId);
    if (!output) throw failures.exportFileNotFound(fileId);
    if (!(await this.files.present(output.parts))) throw this.missing(fileId, jobId);
    const { tenantId, actorId: userId, publicUrl } = caller;
    const expiresAt = new Date(this.fresh.now().getTime() + LINK_LIFE_MS);
    const token = signLink(
      { purpose: PURPOSE, tenantId, jobId, fileId, userId, expiresAt },
      this.keys.links,
    );
    await this.audit(caller, 'link issued', fileId);
    return { fileId, link: `${publicUrl}/data-export/files/${fileId}?t=${token}` };
  }

  /** What a link leads to. @throws Failure 403 for a bad one, 410 for an old one, 404 when the file is gone */
  async follow(token: string, fileId: string): Promise<LinkedBytes> {
    const link = verifyLink(token, PURPOSE, this.fresh.now(), this.keys.links);
    if (link.fileId !== fileId) throw forbidden('Link is not valid');
    const scope = { tenantId: link.tenantId, actorId: link.userId };
    const output = await this.output(scope, link.jobId, fileId);
    if (output === 'no job' || !output) throw failures.exportFileNotFound(fileId);
    const { parts, fileName, contentType } = output;
    await this.audit(scope, 'link used', fileId);
    return {
      contentType,
      fileName,
      size: parts.reduce((sum, part) => sum + part.bytes, 0),
      etag: `"${digestOf(parts)}"`,
      open: async (start, end) => {
        try {
          return await this.files.open(parts, start, end);
        } catch (error) {
          if (error instanceof ObjectNotFound) throw this.missing(fileId, link.jobId);
          throw error;
        }
      },
    };
  }

  private output(scope: Scope, jobId: string, fileId: string) {
    return readTenant(this.source, scope, async (tx) => {
      const job = await this.stores.jobs.find(tx, jobId);
      if (!job) return 'no job';
      const file = fileOf(job, fileId);
      return file && { ...file, parts: await this.stores.slices.parts(tx, jobId, file.kind) };
    });
  }

  private async audit(scope: Scope, action: string, fileId: string): Promise<void> {
    await withTenant(this.source, scope, (tx) =>
      tx.execute('insert into audit (tenant_id, action, subject) values ($1, $2, $3)', [
        tx.tenantId,
        `export.${action}`,
        fileId,
      ]),
    );
  }

  /** A finished file whose bytes are gone is an alarm, not an ordinary no. */
  private missing(fileId: string, jobId: string): Error {
    this.log.error({ fileId, jobId }, 'objects of a finished export are missing');
    return failures.exportFileNotFound(fileId);
  }
}

/** The file of a finished job that has this id. */
function fileOf(job: ExportJob, fileId: string) {
  const { status, file, oversizeFile, output } = job;
  if (!hasFile(status) || job.outputRemoved) return undefined;
  if (file?.fileId === fileId)
    return { ...file, kind: 'output', contentType: contentTypeOf(output.format) } as const;
  if (oversizeFile?.fileId === fileId)
    return { ...oversizeFile, kind: 'oversize', contentType: contentTypeOf('MARCXML') } as const;
  return undefined;
}

/** SHA-256 of the slices' SHA-256 values in order: known without reading a byte of the file. */
function digestOf(parts: readonly SlicePart[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part.sha256);
  return hash.digest('hex');
}
