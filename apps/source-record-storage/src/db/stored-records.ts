import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';
import { COLUMNS, type BareRow, type RecordRow } from './record-reads.js';
import { slicesOf } from './row-slices.js';

/** A record with all its parts, raw and error parts too. */
export interface StoredRow extends RecordRow {
  readonly control_number_source: string | null;
  readonly title: string | null;
  readonly suppressed_before: boolean | null;
  /** `updated_at` in microseconds since 1970. */
  readonly version: string;
  /** Bytes of an import that are still where they were found. */
  readonly imported: boolean;
  readonly error_description: string | null;
  /** JSON. */
  readonly error_content: string | null;
  /** Of a raw record that differs from the content: its bytes, or the object with them. */
  readonly raw_content: Buffer | null;
  readonly raw_key: string | null;
}

/** Columns of a {@link StoredRow}, of a `record r` and {@link STORED_PARTS}. */
export const STORED_COLUMNS = `${COLUMNS}, r.control_number_source, r.title, r.suppressed_before,
  (extract(epoch from r.updated_at) * 1000000)::bigint::text as version, r.origin_sha256 is not null as imported,
  c.content, c.form, e.description as error_description, e.content as error_content, w.content as raw_content,
  w.object_key as raw_key`;

/** The parts of a row `r`, looked up one by one; `$1` is the tenant. */
export const STORED_PARTS = `
  left join lateral (
    select content, form from record_content where tenant_id = $1 and record_id = r.id limit 1) as c on true
  left join lateral (
    select description, content from record_error where tenant_id = $1 and record_id = r.id limit 1) as e on true
  left join lateral (
    select content, object_key from record_raw where tenant_id = $1 and record_id = r.id limit 1) as w on true`;

@Injectable()
export class StoredRecordReads {
  /** In the order of the ids; those that are not there are left out. */
  byIds(tx: TenantRead, ids: readonly string[]): Promise<StoredRow[]> {
    return tx.query<StoredRow>(
      `select ${STORED_COLUMNS} from unnest($2::uuid[]) with ordinality as q (id, place)
       cross join lateral (select * from record where tenant_id = $1 and id = q.id limit 1) as r ${STORED_PARTS}
       order by q.place`,
      [tx.tenantId, ids],
    );
  }

  /** The rows of a list with their parts, in their order. */
  async *completed(
    tx: TenantRead,
    batches: AsyncIterable<readonly BareRow[]>,
  ): AsyncGenerator<StoredRow[]> {
    for await (const rows of slicesOf(tx, batches))
      yield await this.byIds(
        tx,
        rows.map(({ id }) => id),
      );
  }

  async byId(tx: TenantRead, id: string): Promise<StoredRow | undefined> {
    return (await this.byIds(tx, [id]))[0];
  }
}
