import { INTEGER_MAX } from '@quire/contracts/paging';
import { countSql, pageSql, type CompiledList } from '@quire/postgres/pages';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { TENANT } from './chunk-source.js';
import { RecordWorld } from './record-world.js';
import { recordList } from '../src/db/record-lists.js';
import {
  sourceRecordList,
  sourceRecordStream,
  type SourceRecordFilter,
} from '../src/db/source-record-lists.js';

/**
 * Every index begins with the tenant, so that to a planner who does not know a tenant any of them looks as good as the right
 * one. What is measured is therefore what a statement reads, not which index it names: of 100,000 records those of the answer.
 */
const RECORDS = 100_000;
const PER_SNAPSHOT = 1_000;
const NEWCOMER = 'newcomer';

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;

const uuid = (kind: number, tenant: string, number: string): string =>
  `md5('${kind} ${tenant} ' || (${number}))::uuid`;

/** Record n: snapshot n / 1,000, written n seconds after the beginning of 2026. */
async function fillTenant(tenant: string): Promise<void> {
  await admin.query(`
    insert into source_record_storage.record (tenant_id, id, snapshot_id, matched_id, record_type, external_id, external_hrid,
      record_order, leader_status, updated_at)
    select '${tenant}', ${uuid(1, tenant, 'n')}, ${uuid(2, tenant, `n / ${PER_SNAPSHOT}`)}, ${uuid(3, tenant, 'n')}, 'MARC_BIB',
      ${uuid(4, tenant, 'n')}, 'in' || n, n % ${PER_SNAPSHOT}, 'c', timestamptz '2026-01-01' + n * interval '1 second'
    from generate_series(0, ${RECORDS - 1}) as n`);
}

const idOf = async (kind: number, tenant: string, number: number): Promise<string> => {
  const [row] = await admin.query<[{ id: string }]>(
    `select ${uuid(kind, tenant, String(number))} as id`,
  );
  return row.id;
};

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Rows that scans looked at. */
function rowsRead(node: PlanNode): number {
  const below = (node.Plans ?? []).reduce((sum, one) => sum + rowsRead(one), 0);
  if (!/^(Seq|Index|Index Only|Bitmap Index) Scan$/.test(node['Node Type'])) return below;
  const removed =
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return below + (node['Actual Rows'] + removed) * node['Actual Loops'];
}

async function readBy(sql: string, list: CompiledList, tenant: string): Promise<number> {
  const [row] = await world.rows<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (analyze, timing off, format json) ${sql}`,
    list.params.slice(1),
    tenant,
  );
  return rowsRead(row!['QUERY PLAN'][0].Plan);
}

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  await world.isolated.enable(NEWCOMER);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await admin.query('alter table source_record_storage.record set (autovacuum_enabled = false)');
  await fillTenant(TENANT);
});

afterAll(async () => {
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

async function listsOf(
  tenant: string,
): Promise<readonly (readonly [string, number, CompiledList])[]> {
  const all: SourceRecordFilter = { recordType: 'MARC_BIB', deleted: false, order: 'r.id' };
  const filters: readonly (readonly [string, number, Partial<SourceRecordFilter>])[] = [
    ['recordId', 1, { recordId: await idOf(3, tenant, 77) }],
    ['externalId', 1, { externalId: await idOf(4, tenant, 77) }],
    ['externalHrid', 1, { externalHrid: 'in77' }],
    ['snapshotId', PER_SNAPSHOT, { snapshotId: await idOf(2, tenant, 50) }],
    ['updatedAfter', 600, { updatedAfter: new Date(Date.UTC(2026, 0, 1, 0, 0, RECORDS - 600)) }],
  ];
  const snapshotId = await idOf(2, tenant, 50);
  const filter = { snapshotId, recordType: 'MARC_BIB', order: undefined } as const;
  return [
    ...filters.flatMap(([name, rows, more]) => {
      const [some, every] = [
        { ...all, ...more },
        { ...all, ...more, deleted: true },
      ];
      return [
        [name, rows, sourceRecordList(tenant, some)],
        [`${name}, deleted too`, rows, sourceRecordList(tenant, every)],
        [`${name}, removed too`, rows, sourceRecordStream(tenant, every)],
      ] as const;
    }),
    ['records of a snapshot', PER_SNAPSHOT, recordList(tenant, filter, undefined)],
  ];
}

/** Of many rows a page may be found by its order; that is still no scan of the tenant. */
const SHORT = 0.03 * RECORDS;

async function expectFew(tenant: string): Promise<void> {
  for (const [name, rows, list] of await listsOf(tenant)) {
    const statements = {
      page: pageSql(list, { offset: 0, limit: 10 }),
      stream: pageSql(list, { offset: 0, limit: INTEGER_MAX }),
      count: countSql(list, ''),
    };
    for (const [kind, sql] of Object.entries(statements)) {
      const read = await readBy(sql, list, tenant);
      const few = rows === 1 ? read === 1 : read > 0 && read <= SHORT;
      expect([name, kind, few ? 'few' : read]).toEqual([name, kind, 'few']);
    }
  }
}

/** A page by key, `id > <last id>`, costs the same wherever it is. */
async function expectShortPages(tenant: string): Promise<void> {
  const filter = { recordType: 'MARC_BIB', order: undefined } as const;
  for (const last of ['00000000', '7fffffff', 'f0000000']) {
    const query = `id > "${last}-0000-0000-0000-000000000000" sortBy id`;
    const list = recordList(tenant, filter, query);
    const read = await readBy(pageSql(list, { offset: 0, limit: 10 }), list, tenant);
    expect([last, read]).toEqual([last, 10]);
  }
}

it('reads no more than the answer in a database without statistics', async () => {
  await expectFew(TENANT);
});

it('reads no more than the answer with statistics', async () => {
  await admin.query('analyze source_record_storage.record');
  await expectFew(TENANT);
  await expectShortPages(TENANT);
});

it('reads no more than the answer where the statistics do not know the tenant', async () => {
  await fillTenant(NEWCOMER);
  await expectFew(NEWCOMER);
  await expectShortPages(NEWCOMER);
});
