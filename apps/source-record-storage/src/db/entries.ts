import { Injectable } from '@nestjs/common';
import type { EntryAction, MarcRecordType } from '@quire/contracts/source-records';
import type { TenantRead } from '@quire/postgres/tenant';
import type { EntryOrder, EntryPlace } from '../domain/entry-cursor.js';
import type { EntryFacts, PlacedEntryFacts } from '../domain/entry-shapes.js';
import type { ContentForm, StoredContent } from '../domain/stored-content.js';
import { DELETED_SQL } from './record-reads.js';

/**
 * Entries of imports, read from the records they made and from the frames that changed nothing (section 4.1). A page is
 * read by its key from the beginning of an index, so that no page costs more than another.
 */
export interface EntriesPage extends EntryOrder {
  readonly snapshotId: string;
  readonly recordType?: MarcRecordType | undefined;
  /** First order of the page; of the order of the file only. */
  readonly from?: number | undefined;
  readonly after?: EntryPlace | undefined;
  readonly limit: number;
}

@Injectable()
export class Entries {
  list(tx: TenantRead, page: EntriesPage): Promise<EntryFacts[]> {
    const params: unknown[] = [tx.tenantId, page.snapshotId];
    const text = new PageText(page, (value) => `$${params.push(value)}`);
    return tx.query<EntryFacts>(text.sql, params);
  }

  async count(
    tx: TenantRead,
    { snapshotId, recordType }: Pick<EntriesPage, 'snapshotId' | 'recordType'>,
  ): Promise<number> {
    const ofType = recordType === undefined ? '' : 'and r.record_type = $3';
    const row = await tx.one<{ count: string }>(
      `select (select count(*) from record r where ${OF_SNAPSHOT} and r.action is not null ${ofType})
         + (select count(*) from unchanged_frame r where ${OF_SNAPSHOT} ${ofType}) as count`,
      [tx.tenantId, snapshotId, ...(recordType === undefined ? [] : [recordType])],
    );
    return Number(row?.count ?? 0);
  }

  /** @param snapshotId absent: of any */
  find(tx: TenantRead, id: string, snapshotId?: string): Promise<PlacedEntryFacts | undefined> {
    const where = `r.tenant_id = $1 and r.id = $2 ${snapshotId === undefined ? '' : 'and r.snapshot_id = $3'}`;
    return tx.one<PlacedEntryFacts>(
      `select ${RECORD_COLUMNS}, ${PLACE} from record r where ${where} and r.action is not null
       union all select ${FRAME_COLUMNS}, ${PLACE} from unchanged_frame r where ${where}`,
      [tx.tenantId, id, ...(snapshotId === undefined ? [] : [snapshotId])],
    );
  }

  /** Stored bytes of a record; of a frame that changed nothing, those that it repeated. */
  async content(tx: TenantRead, id: string): Promise<StoredContent | undefined> {
    const row = await tx.one<{ form: ContentForm; content: Buffer }>(
      // By way of the record, which may be hidden.
      `select form, content from record_content where tenant_id = $1 and record_id = (
         select id from record where tenant_id = $1 and id = coalesce(
           (select same_as from unchanged_frame where tenant_id = $1 and id = $2), $2))`,
      [tx.tenantId, id],
    );
    return row && { form: row.form, bytes: row.content };
  }
}

const OF_SNAPSHOT = 'r.tenant_id = $1 and r.snapshot_id = $2';
const COLUMNS = `r.id, r.record_order, r.matched_id, r.record_type, r.title, r.external_id, r.external_hrid, r.warnings`;
const RECORD_COLUMNS = `${COLUMNS}, r.action, r.created_at as saved_at, (${DELETED_SQL}) as deleted`;
/** What changed nothing repeats no deleted record, except by its leader. */
const FRAME_COLUMNS = `${COLUMNS}, 'UNCHANGED' as action, r.saved_at,
  coalesce(r.leader_status in ('d', 's', 'x'), false) as deleted`;
const PLACE = 'r.snapshot_id, r.source_id, r.origin_at, r.origin_length, r.origin_sha256';

/** Entries in a row of one index. */
interface Run {
  readonly from: string;
  readonly columns: string;
  readonly where?: string;
  /** All of this action. */
  readonly action?: EntryAction;
}

const FRAMES: Run = { from: 'unchanged_frame r', columns: FRAME_COLUMNS };
const RUNS: readonly Run[] = [
  { from: 'record r', columns: RECORD_COLUMNS, where: 'r.action is not null' },
  FRAMES,
];
const made = (action: EntryAction): Run => ({
  from: 'record r',
  columns: RECORD_COLUMNS,
  where: `r.action = '${action}'`,
  action,
});
/** In the order of {@link ENTRY_ACTIONS}. */
const ACTION_RUNS: readonly Run[] = [
  made('CREATED'),
  { ...FRAMES, action: 'UNCHANGED' },
  made('UPDATED'),
];

/** The statement for a page: as many rows of each run as the page may have, and the first of them all. */
class PageText {
  readonly sql: string;
  private readonly key: readonly string[];
  private readonly limit: string;

  constructor(
    private readonly page: EntriesPage,
    private readonly bound: (value: unknown) => string,
  ) {
    this.limit = bound(page.limit);
    this.key = page.sortBy === 'title' ? ['title collate "C"', ...TIES] : TIES;
    const runs = page.sortBy === 'action' ? this.actionRuns() : RUNS;
    const parts = runs.map((run) => `(${this.part(run)})`);
    const first = page.sortBy === 'action' ? ['action collate "C"'] : [];
    this.sql = `select e.* from (${parts.join(' union all ')}) as e
      order by ${this.ordered('e', [...first, ...this.key])} limit ${this.limit}`;
  }

  /** Those that may follow the cursor. */
  private actionRuns(): readonly Run[] {
    const { after, direction } = this.page;
    if (!after) return ACTION_RUNS;
    const at = ACTION_RUNS.findIndex(({ action }) => action === after.action);
    return direction === 'asc' ? ACTION_RUNS.slice(at) : ACTION_RUNS.slice(0, at + 1);
  }

  private part({ from, columns, where, action }: Run): string {
    const { recordType, from: firstOrder, after } = this.page;
    const conditions = [OF_SNAPSHOT, ...(where === undefined ? [] : [where])];
    if (this.page.sortBy === 'title') conditions.push('r.title is not null');
    if (recordType !== undefined) conditions.push(`r.record_type = ${this.bound(recordType)}`);
    if (firstOrder !== undefined)
      conditions.push(`r.record_order ${this.beyond}= ${this.bound(firstOrder)}`);
    if (after && (action === undefined || action === after.action))
      conditions.push(this.behind(after));
    return `select ${columns} from ${from} where ${conditions.join(' and ')}
      order by ${this.ordered('r', this.key)} limit ${this.limit}`;
  }

  private behind({ title, order, id }: EntryPlace): string {
    const values = [...(this.page.sortBy === 'title' ? [title] : []), order, id];
    const key = this.key.map((column) => `r.${column}`).join(', ');
    return `(${key}) ${this.beyond} (${values.map((value) => this.bound(value)).join(', ')})`;
  }

  private ordered(alias: string, key: readonly string[]): string {
    return key.map((column) => `${alias}.${column} ${this.page.direction}`).join(', ');
  }

  private get beyond(): string {
    return this.page.direction === 'asc' ? '>' : '<';
  }
}

const TIES = ['record_order', 'id'];
