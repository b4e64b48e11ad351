import { Inject, Injectable } from '@nestjs/common';
import type { ServiceKeys } from '@quire/auth/keys';
import { LINK_LIFE_MS, signLink, verifyLink } from '@quire/auth/signed-link';
import type { Clock } from '@quire/contracts/clock';
import { forbidden } from '@quire/contracts/failure';
import type { Caller, Scope } from '@quire/contracts/scope';
import { ObjectNotFound } from '@quire/object-store/object-store';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import type { LinkedBytes } from '@quire/service/files';
import { CLOCK, KEYS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { Originals as OriginalRows } from '../db/originals.js';
import { failures } from '../domain/failures.js';
import { ImportFiles } from '../files/import-files.js';

/** Of a link of ours; it is good for nothing else. */
const PURPOSE = 'original';

interface Original {
  readonly key: string;
  readonly fileName: string;
  readonly size: number;
  readonly sha256: Buffer | null;
}

/** Links to original files, and the files behind the links (data-import, 3.4; reliability, section 13). */
@Injectable()
export class Originals {
  constructor(
    private readonly source: DataSource,
    private readonly rows: OriginalRows,
    private readonly files: ImportFiles,
    @Inject(KEYS) private readonly keys: ServiceKeys,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws Failure 404 when the job has no file or it is gone */
  async issue(caller: Caller, jobId: string): Promise<string> {
    await this.find(caller, jobId, 'link issued');
    const { tenantId, actorId: userId, publicUrl } = caller;
    const expiresAt = new Date(this.clock.now().getTime() + LINK_LIFE_MS);
    const link = { purpose: PURPOSE, tenantId, jobId, fileId: jobId, userId, expiresAt };
    return `${publicUrl}/data-import/links/originals/${jobId}?t=${signLink(link, this.keys.links)}`;
  }

  /** What a link leads to. @throws Failure 403 for a bad one, 410 for an old one, 404 when the file is gone */
  async follow(token: string, jobId: string): Promise<LinkedBytes> {
    const link = verifyLink(token, PURPOSE, this.clock.now(), this.keys.links);
    if (link.jobId !== jobId) throw forbidden('Link is not valid');
    const scope = { tenantId: link.tenantId, actorId: link.userId };
    const { key, fileName, size, sha256 } = await this.find(scope, jobId, 'link used');
    return {
      contentType: 'application/octet-stream',
      fileName,
      size,
      etag: `"${sha256?.toString('hex') ?? size}"`,
      open: async (start, end) => {
        try {
          return await this.files.open(key, { start, end });
        } catch (error) {
          throw error instanceof ObjectNotFound ? failures.fileGone() : error;
        }
      },
    };
  }

  private async find(
    scope: Scope,
    jobId: string,
    action: 'link issued' | 'link used',
  ): Promise<Original> {
    const row = await readTenant(this.source, scope, (tx) => this.rows.find(tx, jobId));
    const key = row?.object_key ?? undefined;
    const size = key === undefined ? undefined : await this.files.sizeOf(key);
    if (!row || key === undefined || size === undefined) throw failures.fileGone();
    await withTenant(this.source, scope, (tx) => this.rows.audit(tx, action, jobId));
    return { key, size, sha256: row.sha256, fileName: row.file_name ?? 'records' };
  }
}
