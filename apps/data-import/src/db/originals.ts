import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

export interface OriginalRow {
  readonly object_key: string | null;
  readonly sha256: Buffer | null;
  readonly file_name: string | null;
}

/** Where the bytes of a job's file are, also when its upload definition is gone; and who was given a link to them. */
@Injectable()
export class Originals {
  find(tx: TenantRead, jobId: string): Promise<OriginalRow | undefined> {
    return tx.one<OriginalRow>(
      `select coalesce(j.content_key, f.object_key) as object_key,
         coalesce(j.content_sha256, f.sha256) as sha256, j.file_name
       from job_execution j left join upload_file f on (f.tenant_id, f.job_id) = (j.tenant_id, j.id)
       where j.tenant_id = $1 and j.id = $2 and j.deleted_at is null`,
      [tx.tenantId, jobId],
    );
  }

  async audit(tx: TenantTx, action: 'link issued' | 'link used', jobId: string): Promise<void> {
    await tx.execute('insert into audit (tenant_id, action, subject) values ($1, $2, $3)', [
      tx.tenantId,
      `import.${action}`,
      jobId,
    ]);
  }
}
