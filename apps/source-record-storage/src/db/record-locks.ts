import { Injectable } from '@nestjs/common';
import type {
  JobStatus,
  RecordIdType,
  RecordState,
  SourceRecordType,
} from '@quire/contracts/source-records';
import { textArray, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { NO_GENERATIONS, type StoredGenerations } from '../domain/generations.js';

/**
 * Which records a write is about, and nobody else at the same time.
 *
 * Writers by REST first take a lock of the matched id, then the rows that are current under it, and read what is stored in a
 * statement of its own: only that sees what the one before has committed. The lock is there for matched ids without a row
 * yet. It stands for one of {@link BUCKETS} groups of matched ids, since a batch may name more of them than the lock table
 * of the server has room for. Imports take the rows only; the unique index of (matched id, generation) is the last guard.
 */
const BUCKETS = 256;
/** First key of the advisory locks: nobody else has this one. */
const LOCK_CLASS = 0x5251;

export interface HeldSnapshot {
  readonly status: JobStatus;
  readonly processing_started_at: Date | null;
}

/** An id of a record and that of all its generations. */
export interface RecordPlace {
  readonly id: string;
  readonly matched_id: string;
}

/** What is stored under a matched id, as seen by one record. */
export interface Under {
  readonly generations: StoredGenerations;
  /** ACTUAL or DELETED, with another id. */
  readonly current: readonly { readonly id: string; readonly generation: number }[];
}

@Injectable()
export class RecordLocks {
  /** The snapshot stays as it is until the transaction ends. */
  holdSnapshot(tx: TenantTx, id: string): Promise<HeldSnapshot | undefined> {
    return tx.one<HeldSnapshot>(
      'select status, processing_started_at from snapshot where tenant_id = $1 and id = $2 for share',
      [tx.tenantId, id],
    );
  }

  /** Nobody else writes generations of these matched ids, and these records, by REST. */
  async take(
    tx: TenantTx,
    matchedIds: readonly string[],
    recordIds: readonly string[] = [],
  ): Promise<void> {
    const matched = uuidArray([...new Set(matchedIds)].sort());
    await tx.query(TAKE, [LOCK_CLASS, tx.tenantId, matched]);
    await tx.query(LOCK_CURRENT, [tx.tenantId, matched]);
    if (recordIds.length > 0)
      await tx.query(LOCK_RECORDS, [tx.tenantId, uuidArray([...new Set(recordIds)].sort())]);
  }

  /** Of the records among them that are there. */
  places(tx: TenantRead, recordIds: readonly string[]): Promise<RecordPlace[]> {
    return tx.query<RecordPlace>(
      `select r.* from unnest($2::uuid[]) as q (id) cross join lateral (
         select id, matched_id from record where tenant_id = $1 and id = q.id limit 1) as r`,
      [tx.tenantId, uuidArray(recordIds)],
    );
  }

  /** The newest record with this id that is ACTUAL or DELETED (section 2.3). */
  current(tx: TenantRead, idType: RecordIdType, id: string): Promise<RecordPlace | undefined> {
    return tx.one<RecordPlace>(
      `select id, matched_id from record where tenant_id = $1 and ${CONDITIONS[idType]} and ${CURRENT}
       order by updated_at desc, id desc limit 1`,
      [tx.tenantId, id],
    );
  }

  /**
   * Matched ids of the ACTUAL records with these types and external ids, by place in the list. Of several records the
   * newest counts.
   */
  async matchedIds(
    tx: TenantRead,
    externals: readonly (readonly [type: SourceRecordType, externalId: string])[],
  ): Promise<ReadonlyMap<number, string>> {
    if (externals.length === 0) return new Map();
    const rows = await tx.query<{ place: string; matched_id: string }>(
      `select q.place, r.matched_id from unnest($2::text[], $3::uuid[]) with ordinality as q (type, id, place)
       cross join lateral (
         select matched_id from record where tenant_id = $1 and record_type = q.type and external_id = q.id
           and ${CURRENT} and state = 'ACTUAL' order by updated_at desc, id desc limit 1) as r`,
      [
        tx.tenantId,
        textArray(externals.map(([type]) => type)),
        uuidArray(externals.map(([, id]) => id)),
      ],
    );
    return new Map(rows.map(({ place, matched_id }) => [Number(place) - 1, matched_id]));
  }

  /** What is stored under the matched id of each record, in their order; after {@link take}. */
  async under(
    tx: TenantTx,
    records: readonly { readonly id: string; readonly matchedId: string }[],
    { snapshotId, startedAt }: { readonly snapshotId: string; readonly startedAt: Date },
  ): Promise<readonly Under[]> {
    const rows = await tx.query<UnderRow>(UNDER, [
      tx.tenantId,
      snapshotId,
      startedAt,
      uuidArray(records.map(({ id }) => id)),
      uuidArray(records.map(({ matchedId }) => matchedId)),
    ]);
    return rows.map(underOf);
  }
}

export const CURRENT = `state in ('ACTUAL', 'DELETED')`;
const CONDITIONS: Readonly<Record<RecordIdType, string>> = {
  RECORD: 'matched_id = $2',
  SRS_RECORD: 'id = $2',
  INSTANCE: `record_type = 'MARC_BIB' and external_id = $2`,
  HOLDINGS: `record_type = 'MARC_HOLDING' and external_id = $2`,
  AUTHORITY: `record_type = 'MARC_AUTHORITY' and external_id = $2`,
  EXTERNAL: `record_type in ('MARC_BIB', 'MARC_HOLDING', 'MARC_AUTHORITY') and external_id = $2`,
};

/** In one order for all, so that two writers never wait for each other. */
const TAKE = `select pg_advisory_xact_lock($1::int4, b.bucket) from (
    select distinct hashtext($2::text || q.id::text) & ${BUCKETS - 1} as bucket from unnest($3::uuid[]) as q (id)
    order by bucket) as b`;
/** A subquery that locks is no join: one look-up per id, in their order. */
const LOCK_CURRENT = `select from unnest($2::uuid[]) as q (id) cross join lateral (
    select id from record where tenant_id = $1 and matched_id = q.id and ${CURRENT} for update) as r`;
const LOCK_RECORDS = `select from unnest($2::uuid[]) as q (id) cross join lateral (
    select id from record where tenant_id = $1 and id = q.id for update) as r`;

/** Snapshots of these statuses have ended (section 2.5). */
const FINISHED: readonly JobStatus[] = ['COMMITTED', 'ERROR', 'CANCELLED'];

const UNDER = `
  select u.* from unnest($4::uuid[], $5::uuid[]) with ordinality as q (id, matched_id, place)
  cross join lateral (
    select max(r.generation) as newest, max(r.generation) filter (where r.id <> q.id) as newest_other,
      max(r.generation) filter (where r.snapshot_id <> $2 and (s.status is null or s.status in ('${FINISHED.join("', '")}')
        or s.updated_at < $3)) as finished,
      max(r.generation) filter (where r.id = q.id and r.snapshot_id = $2) as own,
      array_agg(r.id order by r.generation) filter (where r.id <> q.id and ${CURRENT.replace('state', 'r.state')}) as current_ids,
      array_agg(r.generation order by r.generation) filter (where r.id <> q.id and ${CURRENT.replace('state', 'r.state')})
        as current_generations
    from record r left join lateral (
      select status, updated_at from snapshot where tenant_id = $1 and id = r.snapshot_id limit 1) as s on true
    where r.tenant_id = $1 and r.matched_id = q.matched_id limit 1) as u
  order by q.place`;

interface UnderRow {
  readonly newest: number | null;
  readonly newest_other: number | null;
  readonly finished: number | null;
  readonly own: number | null;
  readonly current_ids: readonly string[] | null;
  readonly current_generations: readonly number[] | null;
}

const underOf = (row: UnderRow): Under => ({
  generations: {
    ...NO_GENERATIONS,
    newest: row.newest ?? undefined,
    newestOther: row.newest_other ?? undefined,
    finished: row.finished ?? undefined,
    own: row.own ?? undefined,
  },
  current: (row.current_ids ?? []).map((id, at) => ({
    id,
    generation: row.current_generations?.[at] ?? 0,
  })),
});

/** Is this record one of those that a client sees as current? */
export const isCurrent = (state: RecordState): boolean => state === 'ACTUAL' || state === 'DELETED';
