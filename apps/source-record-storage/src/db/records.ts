import { Injectable } from '@nestjs/common';
import {
  byteaArray,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
  uuidBytesArray,
} from '@quire/postgres/bulk';
import type { TenantTx } from '@quire/postgres/tenant';
import { deleteKeys } from './marc-index.js';
import { insertOriginal } from './originals.js';
import type { SourceRecordType } from '@quire/contracts/source-records';

/**
 * The writing side of `record`, `record_content` and `unchanged_frame`: a chunk in two statements, whatever its size (two
 * more where it supersedes records, and one where frames change nothing).
 */
export interface FrameColumns {
  readonly count: number;
  readonly ids: readonly Buffer[];
  readonly matchedIds: readonly Buffer[];
  readonly types: readonly SourceRecordType[];
  readonly externalIds: readonly (Buffer | null)[];
  readonly hrids: readonly (string | null)[];
  readonly orders: readonly number[];
  readonly statuses: readonly string[];
  readonly titles: readonly string[];
  readonly warnings: readonly (object | null)[];
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
  readonly hashes: readonly Buffer[];
}

export interface RecordColumns extends FrameColumns {
  readonly generations: readonly number[];
  readonly sources: readonly (string | null)[];
  readonly parentHrids: readonly (string | null)[];
  readonly contents: readonly Buffer[];
  readonly supersededIds: readonly string[];
}

export interface UnchangedColumns extends FrameColumns {
  /** Ids of the records that the frames repeat. */
  readonly sameAs: readonly string[];
}

export interface Saving {
  readonly snapshotId: string;
  readonly sourceId: string | undefined;
  readonly userName: string | undefined;
  /** Object with the file, if the records remember places in it. */
  readonly originalKey?: string | undefined;
  /** What the records are in the file is no ISO 2709. */
  readonly ownText: boolean;
}

/** Postgres says that a value or a constraint is at fault, not the server: classes 22, 23, and 54 for what is too long. */
const REFUSED = /^(22|23|54)/;
const UNIQUE_VIOLATION = '23505';
const GENERATION_INDEX = 'record_generation';

@Injectable()
export class Records {
  /** A row that is there already, from a chunk that ran before, stays as it is. */
  async insert(tx: TenantTx, rows: RecordColumns, saving: Saving): Promise<void> {
    if (rows.supersededIds.length > 0) {
      await supersede(tx, rows.supersededIds, saving.snapshotId);
      await deleteKeys(tx, rows.supersededIds);
    }
    if (rows.count === 0) return;
    await insertRows(tx, rows, saving, [0, rows.count]);
    await insertOriginal(tx, saving);
  }

  /** Frames that made no record: their entries. */
  async insertUnchanged(tx: TenantTx, rows: UnchangedColumns, saving: Saving): Promise<void> {
    await tx.execute(INSERT_UNCHANGED, [
      tx.tenantId,
      saving.snapshotId,
      saving.sourceId ?? null,
      uuidBytesArray(rows.ids),
      uuidBytesArray(rows.matchedIds),
      uuidArray(rows.sameAs),
      textArray(rows.types),
      uuidBytesArray(rows.externalIds),
      textArray(rows.hrids),
      int4Array(rows.orders),
      textArray(rows.statuses),
      textArray(rows.titles),
      jsonbArray(rows.warnings),
      int8Array(rows.offsets),
      int4Array(rows.lengths),
      byteaArray(rows.hashes),
    ]);
  }

  /**
   * Which rows the database takes under no circumstances, found by halves (data-import 9.2, check 8). For a transaction that
   * is rolled back afterwards. @returns their positions
   */
  async findRefused(tx: TenantTx, rows: RecordColumns, saving: Saving): Promise<number[]> {
    const refused: number[] = [];
    const search = async (from: number, to: number): Promise<void> => {
      if (from >= to) return;
      try {
        await tx.savepoint(() => insertRows(tx, rows, saving, [from, to]));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (to - from === 1) {
          refused.push(from);
          return;
        }
        const middle = from + Math.floor((to - from) / 2);
        await search(from, middle);
        await search(middle, to);
      }
    };
    await search(0, rows.count);
    return refused;
  }
}

/** A row is at fault: without it the others can be stored. */
export const isRefusal = (error: unknown): boolean => REFUSED.test(stateOf(error));

/** What was to be superseded is gone, or was superseded by somebody else. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** Somebody else has made the same generation meanwhile, or removed the one before: to be read and tried again. */
export function isTakenGeneration(error: unknown): boolean {
  if (error instanceof Overtaken) return true;
  const { constraint } = error as { constraint?: unknown };
  return stateOf(error) === UNIQUE_VIOLATION && constraint === GENERATION_INDEX;
}

function stateOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** @throws Overtaken: the unique index cannot tell, because a client may have named a generation that is not the next one */
async function supersede(tx: TenantTx, ids: readonly string[], snapshotId: string): Promise<void> {
  const changed = await tx.execute(SUPERSEDE, [tx.tenantId, ids, snapshotId]);
  if (changed < new Set(ids).size)
    throw new Overtaken('A record is gone that was to be superseded.');
}

async function insertRows(
  tx: TenantTx,
  rows: RecordColumns,
  saving: Saving,
  range: readonly [number, number],
): Promise<void> {
  const part = <T>(column: readonly T[]): readonly T[] =>
    range[0] === 0 && range[1] === column.length ? column : column.slice(...range);
  const ids = uuidBytesArray(part(rows.ids));
  await tx.execute(INSERT_RECORDS, [
    tx.tenantId,
    saving.snapshotId,
    saving.sourceId ?? null,
    tx.scope.actorId,
    saving.userName ?? null,
    ids,
    uuidBytesArray(part(rows.matchedIds)),
    int4Array(part(rows.generations)),
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
    textArray(part(rows.parentHrids)),
  ]);
  await tx.execute(INSERT_CONTENTS, [tx.tenantId, ids, byteaArray(part(rows.contents))]);
}

/** Times are those of the statement, not of the transaction: see `write-mark.ts`. */
const INSERT_RECORDS = `
  insert into record (tenant_id, snapshot_id, source_id, created_by, created_by_name, updated_by, updated_by_name, created_at,
    updated_at, id, matched_id, generation, action, record_type, external_id, external_hrid, control_number_source,
    record_order, leader_status, state, title, warnings, origin_at, origin_length, origin_sha256, parent_hrid)
  select $1, $2, $3, $4, $5, $4, $5, statement_timestamp(), statement_timestamp(), r.id, r.matched_id, r.generation,
    case when r.generation = 0 then 'CREATED' else 'UPDATED' end, r.type, r.external_id, r.hrid, r.source, r.record_order,
    r.status, case when r.status = 'd' then 'DELETED' else 'ACTUAL' end, r.title, r.warnings, r.at, r.length, r.sha256, r.parent
  from unnest($6::uuid[], $7::uuid[], $8::int4[], $9::text[], $10::uuid[], $11::text[], $12::text[], $13::int4[], $14::text[],
    $15::text[], $16::jsonb[], $17::int8[], $18::int4[], $19::bytea[], $20::text[])
    as r (id, matched_id, generation, type, external_id, hrid, source, record_order, status, title, warnings, at, length, sha256,
      parent)
  on conflict (tenant_id, id) do nothing`;

const INSERT_CONTENTS = `
  insert into record_content (tenant_id, record_id, content)
  select $1, r.id, r.content from unnest($2::uuid[], $3::bytea[]) as r (id, content)
  on conflict (tenant_id, record_id) do nothing`;

const INSERT_UNCHANGED = `
  insert into unchanged_frame (tenant_id, snapshot_id, source_id, id, matched_id, same_as, record_type, external_id,
    external_hrid, record_order, leader_status, title, warnings, origin_at, origin_length, origin_sha256, saved_at)
  select $1, $2, $3, r.*, statement_timestamp()
  from unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[], $9::text[], $10::int4[], $11::text[], $12::text[],
    $13::jsonb[], $14::int8[], $15::int4[], $16::bytea[]) as r
  on conflict (tenant_id, id) do nothing`;

/** In the order of matched ids, so that two chunks never wait for each other. */
const SUPERSEDE = `
  with held as (select id from record where tenant_id = $1 and id = any ($2::uuid[]) and state in ('ACTUAL', 'DELETED')
    order by matched_id for update)
  update record r set state = 'OLD', superseded_in = $3, superseded_state = r.state from held where r.tenant_id = $1 and r.id = held.id`;
