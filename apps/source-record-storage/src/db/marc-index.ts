import { Injectable } from '@nestjs/common';
import { uuidArray, uuidBytesArray } from '@quire/postgres/bulk';
import type { MarcRecord } from '@quire/marc/record';
import { LexemesWriter, tsvectorArray } from '@quire/postgres/text-search';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { marcKeys } from '../domain/marc-keys.js';
import { marcRecordOf, type ContentForm } from '../domain/stored-content.js';

/**
 * The index of MARC fields (migration 0007): one row per record that is ACTUAL or DELETED and has keys. An import writes the
 * keys it has at hand with its rows; everything else comes by {@link MarcIndex.refresh}.
 */
@Injectable()
export class MarcIndex {
  /** Keys of new records, whose 999 ff says what it should. */
  async insert(
    tx: TenantTx,
    ids: readonly Uint8Array[],
    records: readonly MarcRecord[],
  ): Promise<void> {
    if (ids.length === 0) return;
    const vectors = new LexemesWriter();
    for (const record of records) vectors.add(marcKeys(record));
    await tx.execute(INSERT, [tx.tenantId, uuidBytesArray(ids), vectors.finish()]);
  }

  /** Brings the rows of these records up to date, from their stored content, in three statements. */
  async refresh(tx: TenantTx, recordIds: readonly string[]): Promise<void> {
    const rows = await tx.query<CurrentRow>(CURRENT, [tx.tenantId, recordIds]);
    const keyed = rows.flatMap((row) => {
      const keys = keysOf(row);
      return keys.length > 0 ? [{ id: row.id, keys }] : [];
    });
    const kept = keyed.map(({ id }) => id);
    await tx.execute(DELETE, [tx.tenantId, recordIds, kept]);
    if (kept.length === 0) return;
    const vectors = tsvectorArray(keyed.map(({ keys }) => keys));
    await tx.execute(UPSERT, [tx.tenantId, uuidArray(kept), vectors]);
  }

  /** Reads a batch of the records that are older than the index. @returns false: there are none any more */
  async fill(tx: TenantTx, batchRows: number): Promise<boolean> {
    const state = await tx.one<{ after: string | null }>(LOCK_FILL, [tx.tenantId]);
    if (!state) return false;
    const rows = await tx.query<{ id: string }>(UNREAD, [
      tx.tenantId,
      state.after ?? NIL,
      batchRows,
    ]);
    const last = rows.at(-1);
    if (!last) {
      await tx.execute('delete from marc_index_fill where tenant_id = $1', [tx.tenantId]);
      return false;
    }
    await this.refresh(
      tx,
      rows.map(({ id }) => id),
    );
    await tx.execute('update marc_index_fill set after = $2 where tenant_id = $1', [
      tx.tenantId,
      last.id,
    ]);
    return true;
  }

  /** Have all records of the tenant been read? */
  async isComplete(tx: TenantRead): Promise<boolean> {
    const state = await tx.one('select from marc_index_fill where tenant_id = $1', [tx.tenantId]);
    return state === undefined;
  }
}

/** Those of records that are no longer current. */
export async function deleteKeys(tx: TenantTx, recordIds: readonly string[]): Promise<void> {
  await tx.execute(DELETE, [tx.tenantId, recordIds, []]);
}

const NIL = '00000000-0000-0000-0000-000000000000';

interface CurrentRow {
  readonly id: string;
  readonly matched_id: string;
  readonly external_id: string | null;
  readonly content: Buffer;
  readonly form: ContentForm;
}

function keysOf(row: CurrentRow): Buffer[] {
  const record = marcRecordOf({ form: row.form, bytes: row.content });
  return record ? marcKeys(record, { matchedId: row.matched_id, externalId: row.external_id }) : [];
}

/** Held, so that none becomes OLD before its keys are written. */
const CURRENT = `
  select r.id, r.matched_id, r.external_id, c.content, c.form from unnest($2::uuid[]) as q (id)
  cross join lateral (
    select id, matched_id, external_id from record
    where tenant_id = $1 and id = q.id and state in ('ACTUAL', 'DELETED') limit 1 for share) as r
  cross join lateral (
    select content, form from record_content where tenant_id = $1 and record_id = q.id limit 1) as c`;

const DELETE = `
  delete from marc_index where tenant_id = $1 and record_id = any ($2::uuid[]) and record_id <> all ($3::uuid[])`;

const INSERT = `
  insert into marc_index (tenant_id, record_id, keys)
  select $1, k.id, k.keys from unnest($2::uuid[], $3::tsvector[]) as k (id, keys) where k.keys <> ''
  on conflict (tenant_id, record_id) do nothing`;

/** What has the same keys as before is not written. */
const UPSERT = `
  insert into marc_index (tenant_id, record_id, keys)
  select $1, k.id, k.keys from unnest($2::uuid[], $3::tsvector[]) as k (id, keys)
  on conflict (tenant_id, record_id) do update set keys = excluded.keys where marc_index.keys <> excluded.keys`;

const LOCK_FILL = `select after from marc_index_fill where tenant_id = $1 for update skip locked`;

const UNREAD = `
  select id from record where tenant_id = $1 and id > $2::uuid and state in ('ACTUAL', 'DELETED') order by id limit $3`;
