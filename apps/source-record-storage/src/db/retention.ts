import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { StorageSettings } from '../config.js';

/**
 * What is kept for a time only, and is over it (source-record-storage, 9.2). A setting of 0 keeps everything: then nothing is
 * looked for. The lists and the counts share their conditions, so that a dry run tells what a run removes.
 */
export type RetentionRules = Readonly<StorageSettings>;

/** Rows of one transaction. */
export const ROWS_AT_ONCE = 1000;
/** Each goes in a transaction of its own. */
export const SNAPSHOTS_AT_ONCE = 100;

const olderThan = (column: string): string => `${column} < now() - make_interval(days => $2::int)`;

const DELETED = `from record where tenant_id = $1 and state = 'DELETED' and ${olderThan('updated_at')}`;

/** By `record_former`; a record's oldest generations go first. */
const former = (more = ''): string => `from (
    select id, matched_id, generation, row_number() over (partition by matched_id order by generation) as place,
      count(*) over (partition by matched_id) as generations
    from record where tenant_id = $1 and state = 'OLD' ${more}) as r
  where place <= generations - $2::int`;

/** Finished (section 2.5), with nothing left of them, and nothing going on. */
const EMPTY = `from snapshot s where tenant_id = $1 and status in ('COMMITTED', 'ERROR', 'CANCELLED')
  and ${olderThan('updated_at')}
  and not exists (select from record r where r.tenant_id = $1 and r.snapshot_id = s.id)
  and not exists (select from unchanged_frame u where u.tenant_id = $1 and u.snapshot_id = s.id)
  and not exists (select from snapshot_task t where t.tenant_id = $1 and t.snapshot_id = s.id and t.finished_at is null)`;

const TOMBSTONES = `from record_tombstone where tenant_id = $1 and ${olderThan('removed_at')}`;
const HISTORY = `from record_history where tenant_id = $1 and ${olderThan('replaced_at')}`;

/** Some older generations that are too many, locked. */
export interface FormerGenerations {
  readonly ids: readonly string[];
  /** Matched id up to which they were looked for. */
  readonly last: string | undefined;
  /** How many were found, those that somebody else has included. */
  readonly found: number;
}

@Injectable()
export class RetentionRows {
  deletedRecords(tx: TenantRead, days: number): Promise<number> {
    return count(tx, DELETED, days);
  }

  oldGenerations(tx: TenantRead, keep: number): Promise<number> {
    return count(tx, former(), keep);
  }

  emptySnapshots(tx: TenantRead, days: number): Promise<number> {
    return count(tx, EMPTY, days);
  }

  tombstones(tx: TenantRead, days: number): Promise<number> {
    return count(tx, TOMBSTONES, days);
  }

  history(tx: TenantRead, days: number): Promise<number> {
    return count(tx, HISTORY, days);
  }

  /** The longest deleted first; held, so that nobody takes them back meanwhile. */
  nextDeletedRecords(tx: TenantTx, days: number): Promise<string[]> {
    return ids(
      tx,
      `${DELETED} order by updated_at, id limit ${ROWS_AT_ONCE} for update skip locked`,
      days,
    );
  }

  /** @param after matched id up to which all is done */
  async nextOldGenerations(tx: TenantTx, keep: number, after: string): Promise<FormerGenerations> {
    const rows = await tx.query<{ id: string; matched_id: string }>(
      `select id, matched_id ${former('and matched_id >= $3')}
       order by matched_id, generation limit ${ROWS_AT_ONCE}`,
      [tx.tenantId, keep, after],
    );
    // Windows cannot lock. An undo may have made one of them current meanwhile.
    const held = await tx.query<{ id: string }>(
      `select r.id from unnest($2::uuid[]) as q (id) cross join lateral (
         select id from record where tenant_id = $1 and id = q.id and state = 'OLD' for update skip locked) as r`,
      [tx.tenantId, rows.map(({ id }) => id)],
    );
    return { ids: held.map(({ id }) => id), last: rows.at(-1)?.matched_id, found: rows.length };
  }

  /** In the order of ids. @param after id up to which all is done */
  async nextEmptySnapshots(tx: TenantRead, days: number, after: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select id ${EMPTY} and s.id > $3 order by s.id limit ${SNAPSHOTS_AT_ONCE}`,
      [tx.tenantId, days, after],
    );
    return rows.map(({ id }) => id);
  }

  removeTombstones(tx: TenantTx, days: number): Promise<number> {
    return tx.execute(
      `delete from record_tombstone where tenant_id = $1 and record_id in (
         select record_id ${TOMBSTONES} order by removed_at limit ${ROWS_AT_ONCE})`,
      [tx.tenantId, days],
    );
  }

  removeHistory(tx: TenantTx, days: number): Promise<number> {
    return tx.execute(
      `delete from record_history h using (
         select record_id, place ${HISTORY} order by replaced_at limit ${ROWS_AT_ONCE}) as q
       where h.tenant_id = $1 and h.record_id = q.record_id and h.place = q.place`,
      [tx.tenantId, days],
    );
  }
}

async function count(tx: TenantRead, from: string, limit: number): Promise<number> {
  const row = await tx.one<{ count: string }>(`select count(*) ${from}`, [tx.tenantId, limit]);
  return Number(row?.count ?? 0);
}

async function ids(tx: TenantRead, from: string, limit: number): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(`select id ${from}`, [tx.tenantId, limit]);
  return rows.map(({ id }) => id);
}
