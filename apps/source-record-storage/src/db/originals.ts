import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/** Where the bytes are that a record was made of. */
export interface Original {
  readonly objectKey: string;
  readonly offset: number;
  readonly length: number;
  readonly sha256: Buffer;
}

interface OriginalRow {
  readonly object_key: string;
  readonly origin_at: string;
  readonly origin_length: number;
  readonly origin_sha256: Buffer;
}

/** Files whose records have a text of their own. */
@Injectable()
export class Originals {
  /** Undefined for records that came as ISO 2709. */
  async find(tx: TenantRead, recordId: string): Promise<Original | undefined> {
    const row = await tx.one<OriginalRow>(
      `select o.object_key, r.origin_at, r.origin_length, r.origin_sha256 from record r cross join lateral (
         select object_key from original o where o.tenant_id = $1 and o.snapshot_id = r.snapshot_id
           and o.source_id = r.source_id limit 1) as o
       where r.tenant_id = $1 and r.id = $2 and r.origin_sha256 is not null`,
      [tx.tenantId, recordId],
    );
    return (
      row && {
        objectKey: row.object_key,
        offset: Number(row.origin_at),
        length: row.origin_length,
        sha256: row.origin_sha256,
      }
    );
  }
}

export interface OriginalFile {
  readonly snapshotId: string;
  readonly sourceId: string | undefined;
  readonly originalKey?: string | undefined;
}

/** With the first records of the file. */
export async function insertOriginal(
  tx: TenantTx,
  { snapshotId, sourceId, originalKey }: OriginalFile,
): Promise<void> {
  if (sourceId === undefined || originalKey === undefined) return;
  await tx.execute(
    `insert into original (tenant_id, snapshot_id, source_id, object_key) values ($1, $2, $3, $4)
     on conflict (tenant_id, snapshot_id, source_id) do nothing`,
    [tx.tenantId, snapshotId, sourceId, originalKey],
  );
}
