import type { Paging, TotalRecordsMode } from '@quire/contracts/paging';
import { testDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { compileList, Page, type CompiledList, type Listing } from '../src/pages.js';
import { readTenant } from '../src/tenant.js';
import { ALMA, openShelf, type Shelf } from './shelf.js';

/** Counts of collections (conventions, 14.2 and 14.3), on statistics that are as wrong as each case wants them. */
const SCHEMA = 'pages_spec';
const WANTED = 'title==wanted';

let shelf: Shelf;
let admin: DataSource;

beforeAll(async () => {
  shelf = await openShelf(await testDatabase(), SCHEMA);
  admin = await new DataSource({ type: 'postgres', url: shelf.adminUrl }).initialize();
  await admin.query(`alter table ${SCHEMA}.book set (autovacuum_enabled = false)`);
});

afterAll(async () => {
  await admin.destroy();
  await shelf[Symbol.asyncDispose]();
});

const LISTING: Listing = {
  collection: 'books',
  table: 'book',
  alias: 'b',
  columns: 'b.id',
  defaultOrder: 'b.id',
  entity: {
    fields: {
      id: { type: 'number', sql: 'b.id', integer: true },
      title: { type: 'enum', sql: 'b.title', values: ['wanted', 'other'] },
    },
  },
};

/** Books 1 to `there`, of which the statistics say that there are `expected`. */
async function books(there: number, expected: number): Promise<void> {
  const book = `${SCHEMA}.book`;
  await admin.query(`truncate ${book}`);
  await admin.query(
    `insert into ${book} (tenant_id, id, title)
     select $1, n, case when n <= $2 then 'wanted' else 'other' end from generate_series(1, $3) as n`,
    [ALMA.tenantId, expected, Math.max(there, expected)],
  );
  await admin.query(`analyze ${book}`);
  await admin.query(`delete from ${book} where id > $1`, [there]);
  await admin.query(`update ${book} set title = 'wanted' where title <> 'wanted'`);
}

interface Asked extends Partial<Omit<Paging, 'totalRecords'>> {
  readonly query?: string;
}

async function answer(
  totalRecords: TotalRecordsMode,
  { query = WANTED, offset = 0, limit = 10 }: Asked = {},
): Promise<{ rows: number; total: number | undefined }> {
  const list: CompiledList = compileList(LISTING, query, ALMA.tenantId);
  const page = new Page<{ id: number }>(list, { offset, limit, totalRecords });
  return readTenant(shelf.source, ALMA, async (tx) => {
    let rows = 0;
    for await (const batch of page.batches(tx)) rows += batch.length;
    return { rows, total: page.total(rows) };
  });
}

const total = async (mode: TotalRecordsMode, asked?: Asked): Promise<number | undefined> =>
  (await answer(mode, asked)).total;

describe('totalRecords', () => {
  it('is the true count of few rows, whatever little the planner expects', async () => {
    await books(500, 400);
    expect(await total('auto')).toBe(500);
    expect(await total('exact')).toBe(500);
    await books(500, 2_000);
    expect(await total('auto')).toBe(500);
  });

  it('is what the planner expects where that is more than four thousand', async () => {
    await books(500, 5_000);
    expect(await answer('auto')).toEqual({ rows: 10, total: 5_000 });
    expect(await total('estimated')).toBe(5_000);
    expect(await total('exact')).toBe(500);
  });

  it('is at least a thousand where there are more, and what the planner expects if that is more', async () => {
    await books(1_500, 100);
    expect(await total('auto')).toBe(1_000);
    await books(1_500, 3_000);
    expect(await total('auto')).toBe(3_000);
  });

  it('is corrected by what the page shows', async () => {
    await books(500, 5_000);
    expect(await answer('auto', { offset: 495 })).toEqual({ rows: 5, total: 500 });
    expect(await answer('estimated', { limit: 600 })).toEqual({ rows: 500, total: 500 });
    await books(500, 1);
    expect(await total('estimated', { offset: 200, limit: 100 })).toBe(300);
  });

  it('is the true count behind the end', async () => {
    await books(500, 5_000);
    for (const mode of ['auto', 'estimated', 'exact'] as const)
      expect(await answer(mode, { offset: 500 })).toEqual({ rows: 0, total: 500 });
    expect(await answer('none', { offset: 500 })).toEqual({ rows: 0, total: undefined });
  });

  it('is the true count where no rows are asked for', async () => {
    await books(500, 5_000);
    for (const mode of ['auto', 'estimated', 'exact'] as const)
      expect(await answer(mode, { limit: 0 })).toEqual({ rows: 0, total: 500 });
    expect(await total('none', { limit: 0 })).toBeUndefined();
  });

  it('is the true count without a query that leaves something out', async () => {
    await books(500, 5_000);
    expect(await total('auto', { query: '' })).toBe(500);
    expect(await total('auto', { query: 'cql.allRecords=1' })).toBe(500);
    expect(await total('estimated', { query: '' })).toBe(5_000);
  });

  it('is left out where it is not wanted', async () => {
    expect(await answer('none')).toEqual({ rows: 10, total: undefined });
  });
});

describe('a page', () => {
  it('is found under all filters, which no query escapes', async () => {
    await books(20, 20);
    const filters = [
      { column: 'b.title', value: 'wanted' },
      { column: 'b.id', value: '7' },
    ];
    const list = compileList(LISTING, 'id > 0 or id < 5', ALMA.tenantId, filters);
    const page = new Page<{ id: number }>(list, { offset: 0, limit: 10, totalRecords: 'exact' });
    const rows = await readTenant(shelf.source, ALMA, async (tx) => {
      const all: { id: number }[] = [];
      for await (const batch of page.batches(tx)) all.push(...batch);
      return all;
    });
    expect(rows).toEqual([{ id: 7 }]);
    expect(page.total(1)).toBe(1);
  });

  it('comes from a cursor, so that its length costs no memory', async () => {
    await books(1_200, 1_200);
    const list = compileList(LISTING, WANTED, ALMA.tenantId);
    const page = new Page<object>(list, { offset: 0, limit: 1_200, totalRecords: 'none' });
    await readTenant(shelf.source, ALMA, async (tx) => {
      const cursors = (): Promise<object[]> => tx.query('select name from pg_cursors');
      const batches = page.batches(tx);
      const first = await batches.next();
      expect(first.value).toHaveLength(500);
      expect(await cursors()).toHaveLength(1);
      await batches.return(undefined);
      expect(await cursors()).toEqual([]);
    });
  });

  it('has the order that was asked for, also where an index finds its rows first', async () => {
    await books(1_200, 1_200);
    const found = compileList({ ...LISTING, order: 'b.id desc' }, WANTED, ALMA.tenantId);
    for (const foundBy of [{}, { order: 'b.title' }, { few: true }] as const) {
      const paging = { offset: 3, limit: 1_100, totalRecords: 'none' } as const;
      const page = new Page<{ id: number }>({ ...found, foundBy }, paging);
      const ids = await readTenant(shelf.source, ALMA, async (tx) => {
        const all: number[] = [];
        for await (const batch of page.batches(tx)) all.push(...batch.map(({ id }) => id));
        return all;
      });
      expect(ids).toEqual(Array.from({ length: 1_100 }, (_, at) => 1_197 - at));
    }
  });
});
