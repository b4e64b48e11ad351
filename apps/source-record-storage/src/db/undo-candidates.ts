import { Injectable } from '@nestjs/common';
import { int8Array, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead } from '@quire/postgres/tenant';

/**
 * What a snapshot has done, page by page, and what may be taken back of it (source-record-storage, 9.4). Pages go by keys, so
 * that an undo goes on where it stopped; what to do is asked again under the locks of the batch.
 *
 *   made     records of the snapshot, in the order of the file, then those without one
 *   changed  records of others that it changed in place: rows of the history that it has replaced
 *   moved    records that it had made, and that another snapshot has taken over in place
 *
 * Whose change does not count as a later one: a snapshot's that was undone itself, and what an undo or a removal has put back.
 */
export interface MadeCursor {
  /** Null: those without an order, which come last. */
  readonly order: number | null;
  readonly id: string;
}

/** A record, and where it stands in its page. */
export interface Candidate {
  readonly id: string;
  readonly matched_id: string;
  readonly record_order: number | null;
  /** Place in the history; of changed and moved ones. */
  readonly place: string;
}

/** What is known of a candidate. Without a conflict it is taken back. */
export interface Verdict {
  readonly id: string;
  readonly matched_id: string;
  readonly place: string;
  /** Nothing to be done: another page is about it. */
  readonly skipped: boolean;
  readonly later_generation: number | null;
  readonly later_snapshot: string | null;
  /** Cause of somebody's later change in place. */
  readonly changed_cause: string | null;
  /** Null: a user's. */
  readonly changed_in: string | null;
  /** Another record has the number of its former generation by now. */
  readonly blocked: boolean;
  /** Of a record that is removed: there is a generation before it. */
  readonly has_previous: boolean;
}

@Injectable()
export class UndoCandidates {
  /** How many there are at most. */
  async count(tx: TenantRead, snapshotId: string): Promise<number> {
    const row = await tx.one<{ count: string }>(COUNT, [tx.tenantId, snapshotId]);
    return Number(row?.count ?? 0);
  }

  made(
    tx: TenantRead,
    snapshotId: string,
    after: MadeCursor | undefined,
    limit: number,
  ): Promise<Candidate[]> {
    const params = [tx.tenantId, snapshotId, limit];
    if (!after) return tx.query(`${MADE} and record_order is not null ${IN_ORDER}`, params);
    const { order, id } = after;
    return order === null
      ? tx.query(`${MADE} and record_order is null and id > $4 order by id limit $3`, [
          ...params,
          id,
        ])
      : tx.query(`${MADE} and (record_order, id) > ($4, $5) ${IN_ORDER}`, [...params, order, id]);
  }

  changed(tx: TenantRead, snapshotId: string, after: string, limit: number): Promise<Candidate[]> {
    return tx.query(CHANGED, [tx.tenantId, snapshotId, limit, after]);
  }

  moved(tx: TenantRead, snapshotId: string, after: string, limit: number): Promise<Candidate[]> {
    return tx.query(MOVED, [tx.tenantId, snapshotId, limit, after]);
  }

  judgeMade(tx: TenantRead, snapshotId: string, page: readonly Candidate[]): Promise<Verdict[]> {
    return tx.query(JUDGE_MADE, [tx.tenantId, snapshotId, uuidArray(page.map(({ id }) => id))]);
  }

  /** @param before the records that the snapshot has made are still there, and do not count */
  judgeChanged(
    tx: TenantRead,
    snapshotId: string,
    page: readonly Candidate[],
    before: boolean,
  ): Promise<Verdict[]> {
    return tx.query(JUDGE_CHANGED, [...pageOf(tx, snapshotId, page), before]);
  }

  judgeMoved(tx: TenantRead, snapshotId: string, page: readonly Candidate[]): Promise<Verdict[]> {
    return tx.query(JUDGE_MOVED, pageOf(tx, snapshotId, page));
  }
}

const pageOf = (tx: TenantRead, snapshotId: string, page: readonly Candidate[]): unknown[] => [
  tx.tenantId,
  snapshotId,
  uuidArray(page.map(({ id }) => id)),
  int8Array(page.map(({ place }) => Number(place))),
];

const COUNT = `
  select (select count(*) from record where tenant_id = $1 and snapshot_id = $2)
    + (select count(*) from record_history where tenant_id = $1 and replaced_in = $2
         and cause not in ('REMOVE', 'RESTORE')) as count`;

/** Served by `record_snapshot`. */
const MADE = `
  select id, matched_id, record_order, '0' as place from record where tenant_id = $1 and snapshot_id = $2`;

const IN_ORDER = 'order by record_order, id limit $3';

const historyOf = (owner: string, more = ''): string => `
  select record_id as id, matched_id, null::int as record_order, place from record_history
  where tenant_id = $1 and ${owner} = $2 and place > $4 and cause not in ('REMOVE', 'RESTORE') ${more}
  order by place limit $3`;
const CHANGED = historyOf('replaced_in');
const MOVED = historyOf('snapshot_id', 'and replaced_in is distinct from $2');

/*
 * Of the judgements. The history is looked up by record: `is not distinct from` keeps the planner from going through all that
 * the snapshot has replaced for each of a thousand records (measured on a busy machine: 2.4 s a page, against 25 ms).
 */
/** Whether a later change, of the alias `h`, was taken back with its snapshot. */
const UNDONE = `exists (select from snapshot s where s.tenant_id = $1 and s.id = h.replaced_in and s.undone)`;

/** The first change in place by others behind a place; an id may have been there before, and removed. */
const foreign = (behind: string): string => `
  left join lateral (
    select h.cause, h.replaced_in from record_history h
    where h.tenant_id = $1 and h.record_id = q.id and h.place > ${behind} and h.replaced_in is distinct from $2
      and h.cause not in ('REMOVE', 'RESTORE') and not ${UNDONE}
    order by h.place limit 1) as f on true`;
const LAST_REMOVAL = `coalesce((select max(h.place) from record_history h
    where h.tenant_id = $1 and h.record_id = q.id and h.cause = 'REMOVE'), 0)`;

const JUDGE_MADE = `
  select q.id, r.matched_id, '0' as place,
    exists (select from record_history h where h.tenant_id = $1 and h.record_id = q.id and h.place > g.place
      and h.replaced_in is not distinct from $2 and h.snapshot_id is distinct from $2) as skipped,
    l.generation as later_generation, l.snapshot_id as later_snapshot, f.cause as changed_cause, f.replaced_in as changed_in,
    false as blocked,
    exists (select from record p where p.tenant_id = $1 and p.matched_id = r.matched_id and p.generation < r.generation
      and p.state = 'OLD' and p.snapshot_id <> $2) and r.state in ('ACTUAL', 'DELETED') as has_previous
  from unnest($3::uuid[]) with ordinality as q (id, at)
  cross join lateral (select matched_id, generation, state from record where tenant_id = $1 and id = q.id limit 1) as r
  cross join lateral (select ${LAST_REMOVAL} as place) as g
  left join lateral (
    select generation, snapshot_id from record
    where tenant_id = $1 and matched_id = r.matched_id and generation > r.generation and snapshot_id <> $2
    order by generation desc limit 1) as l on true
  ${foreign('g.place')}
  order by q.at`;

const PLACED = `from unnest($3::uuid[], $4::int8[]) with ordinality as q (id, place, at)
  cross join lateral (
    select matched_id, snapshot_id, row from record_history
    where tenant_id = $1 and record_id = q.id and place = q.place limit 1) as k
  cross join lateral (select matched_id, snapshot_id from record where tenant_id = $1 and id = q.id limit 1) as r
  cross join lateral (select ${LAST_REMOVAL} as place) as g`;

/** The first change by the snapshot has what was there before it. */
const JUDGE_CHANGED = `
  select q.id, k.matched_id, q.place::text as place,
    q.place < g.place or k.snapshot_id is not distinct from $2 or exists (
      select from record_history h where h.tenant_id = $1 and h.record_id = q.id and h.place > g.place and h.place < q.place
        and h.replaced_in is not distinct from $2 and h.cause not in ('REMOVE', 'RESTORE')) as skipped,
    l.generation as later_generation, l.snapshot_id as later_snapshot, f.cause as changed_cause, f.replaced_in as changed_in,
    exists (select from record c where c.tenant_id = $1 and c.matched_id = k.matched_id
      and c.generation = (k.row->>'generation')::int and c.id <> q.id) as blocked,
    false as has_previous
  ${PLACED}
  left join lateral (
    select c.generation, c.snapshot_id from record c
    where c.tenant_id = $1 and c.matched_id = k.matched_id and c.id <> q.id and c.state in ('ACTUAL', 'DELETED')
      and k.row->>'state' in ('ACTUAL', 'DELETED') and not ($5 and c.snapshot_id = $2)
    limit 1) as l on true
  ${foreign('q.place')} order by q.at`;

/** Those that are somebody else's now. */
const JUDGE_MOVED = `
  select q.id, k.matched_id, q.place::text as place,
    q.place < g.place or r.snapshot_id = $2 or f.cause is null or exists (
      select from record_history h where h.tenant_id = $1 and h.record_id = q.id and h.place > g.place and h.place < q.place
        and h.snapshot_id is not distinct from $2 and h.replaced_in is distinct from $2 and h.cause not in ('REMOVE', 'RESTORE')) as skipped,
    null::int as later_generation, null::uuid as later_snapshot, f.cause as changed_cause, f.replaced_in as changed_in,
    false as blocked, false as has_previous
  ${PLACED} ${foreign('q.place - 1')} order by q.at`;
