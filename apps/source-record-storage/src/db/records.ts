import { Injectable } from '@nestjs/common';
import {
  int4Array,
  int8Array,
  jsonbArray,
  byteaArray,
  textArray,
  uuidBytesArray,
} from '@quire/postgres/bulk';
import type { TenantTx } from '@quire/postgres/tenant';
import type { RecordRows } from '../pipeline/read-chunk.js';

/** The writing side of `record` and `record_content`: a chunk in two statements, whatever its size. */
export interface Saving {
  readonly snapshotId: string;
  readonly sourceId: string | undefined;
  readonly userName: string | undefined;
}

/** Postgres says that a value or a constraint is at fault, not the server: classes 22 and 23. */
const REFUSED = /^2[23]/;

@Injectable()
export class Records {
  /**
   * Inserts the rows. Those that the database refuses are found by halves and left out; gives their positions (data-import
   * 9.2, check 8). A row that is there already, from a chunk that ran before, stays as it is.
   */
  async insert(tx: TenantTx, rows: RecordRows, saving: Saving): Promise<number[]> {
    const refused: number[] = [];
    await this.insertRange(tx, rows, saving, { from: 0, to: rows.count, refused });
    return refused;
  }

  private async insertRange(
    tx: TenantTx,
    rows: RecordRows,
    saving: Saving,
    { from, to, refused }: Range,
  ): Promise<void> {
    if (from >= to) return;
    try {
      await tx.savepoint(() => insertRows(tx, rows, saving, [from, to]));
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (typeof code !== 'string' || !REFUSED.test(code)) throw error;
      if (to - from === 1) {
        refused.push(from);
        return;
      }
      const middle = from + Math.floor((to - from) / 2);
      await this.insertRange(tx, rows, saving, { from, to: middle, refused });
      await this.insertRange(tx, rows, saving, { from: middle, to, refused });
    }
  }

  /** Which of these numbers (001) belong to a current bibliographic record. */
  async storedBibHrids(tx: TenantTx, hrids: readonly string[]): Promise<Set<string>> {
    const rows = await tx.query<{ external_hrid: string }>(
      `select external_hrid from record where tenant_id = $1 and record_type = 'MARC_BIB' and state = 'ACTUAL'
         and external_hrid = any ($2)`,
      [tx.tenantId, hrids],
    );
    return new Set(rows.map((row) => row.external_hrid));
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly refused: number[];
}

async function insertRows(
  tx: TenantTx,
  rows: RecordRows,
  saving: Saving,
  range: readonly [number, number],
): Promise<void> {
  const part = <T>(column: readonly T[]): readonly T[] => column.slice(...range);
  const ids = uuidBytesArray(part(rows.ids));
  await tx.execute(INSERT_RECORDS, [
    tx.tenantId,
    saving.snapshotId,
    saving.sourceId ?? null,
    tx.scope.actorId,
    saving.userName ?? null,
    ids,
    textArray(part(rows.types)),
    uuidBytesArray(part(rows.externalIds)),
    textArray(part(rows.hrids)),
    textArray(part(rows.sources)),
    int4Array(part(rows.orders)),
    textArray(part(rows.statuses)),
    textArray(part(rows.titles)),
    jsonbArray(part(rows.warnings)),
    int8Array(part(rows.offsets)),
    int4Array(part(rows.lengths)),
    byteaArray(part(rows.hashes)),
  ]);
  await tx.execute(INSERT_CONTENTS, [tx.tenantId, ids, byteaArray(part(rows.contents))]);
}

/** A record made by an import is its own first generation: its matched id is its id. */
const INSERT_RECORDS = `
  insert into record (tenant_id, snapshot_id, source_id, created_by, created_by_name, updated_by, updated_by_name, action,
    id, matched_id, record_type, external_id, external_hrid, control_number_source, record_order, leader_status, state,
    title, warnings, origin_at, origin_length, origin_sha256)
  select $1, $2, $3, $4, $5, $4, $5, 'CREATED', r.id, r.id, r.type, r.external_id, r.hrid, r.source, r.record_order, r.status,
    case when r.status = 'd' then 'DELETED' else 'ACTUAL' end, r.title, r.warnings, r.at, r.length, r.sha256
  from unnest($6::uuid[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::int4[], $12::text[], $13::text[], $14::jsonb[],
    $15::int8[], $16::int4[], $17::bytea[])
    as r (id, type, external_id, hrid, source, record_order, status, title, warnings, at, length, sha256)
  on conflict do nothing`;

const INSERT_CONTENTS = `
  insert into record_content (tenant_id, record_id, content)
  select $1, r.id, r.content from unnest($2::uuid[], $3::bytea[]) as r (id, content)
  on conflict do nothing`;
