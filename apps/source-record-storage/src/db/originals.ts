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
  readonly id: string;
  readonly object_key: string;
  readonly origin_at: string;
  readonly origin_length: number;
  readonly origin_sha256: Buffer;
}

/** Files of imports. */
@Injectable()
export class Originals {
  /** Of the bytes that an imported record was made of. */
  async sha256(tx: TenantRead, recordId: string): Promise<Buffer | undefined> {
    const row = await tx.one<{ origin_sha256: Buffer | null }>(
      'select origin_sha256 from record where tenant_id = $1 and id = $2',
      [tx.tenantId, recordId],
    );
    return row?.origin_sha256 ?? undefined;
  }

  /** Of an import whose file is known. */
  async find(tx: TenantRead, recordId: string): Promise<Original | undefined> {
    return (await this.ofRecords(tx, [recordId], '')).get(recordId);
  }

  /** Of those records that have a text of their own there: what is no ISO 2709. */
  withTexts(tx: TenantRead, recordIds: readonly string[]): Promise<Map<string, Original>> {
    return this.ofRecords(tx, recordIds, 'and o.own_text');
  }

  private async ofRecords(
    tx: TenantRead,
    ids: readonly string[],
    only: string,
  ): Promise<Map<string, Original>> {
    const rows = await tx.query<OriginalRow>(
      `select r.id, o.object_key, r.origin_at, r.origin_length, r.origin_sha256 from unnest($2::uuid[]) as q (id)
       cross join lateral (select * from record where tenant_id = $1 and id = q.id limit 1) as r
       cross join lateral (
         select object_key from original o where o.tenant_id = $1 and o.snapshot_id = r.snapshot_id
           and o.source_id = r.source_id ${only} limit 1) as o
       where r.origin_sha256 is not null`,
      [tx.tenantId, ids],
    );
    return new Map(rows.map((row) => [row.id, originalOf(row)]));
  }
}

const originalOf = (row: OriginalRow): Original => ({
  objectKey: row.object_key,
  offset: Number(row.origin_at),
  length: row.origin_length,
  sha256: row.origin_sha256,
});

export interface OriginalFile {
  readonly snapshotId: string;
  readonly sourceId: string | undefined;
  /** Undefined: the records remember places in another object. */
  readonly originalKey?: string | undefined;
  readonly ownText: boolean;
}

/** With the first records of the file, and as the last of their statements: other chunks of the file wait for this row. */
export async function insertOriginal(
  tx: TenantTx,
  { snapshotId, sourceId, originalKey, ownText }: OriginalFile,
): Promise<void> {
  if (sourceId === undefined || originalKey === undefined) return;
  await tx.execute(
    `insert into original (tenant_id, snapshot_id, source_id, object_key, own_text) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, snapshot_id, source_id) do nothing`,
    [tx.tenantId, snapshotId, sourceId, originalKey, ownText],
  );
}
