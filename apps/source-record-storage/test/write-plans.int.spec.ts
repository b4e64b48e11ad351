import { openSource } from '@quire/postgres/migrate';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { passwordOfRole } from '@quire/service/isolated';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { RecordHistory } from '../src/db/record-history.js';
import { RecordLocks } from '../src/db/record-locks.js';
import { RecordReferences } from '../src/db/record-references.js';
import { RecordWrites, valuesOf } from '../src/db/record-writes.js';
import { StoredRecordReads } from '../src/db/stored-records.js';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld } from './record-world.js';

/**
 * What writers by REST read of a tenant, with and without statistics: the records they are about. Counted is what scans
 * have looked at, not which index they took.
 */
const RECORDS = 30_000;
/** A statement looks at a record up to three times: to find it, to meet it, to write it. */
const LOOKS_MAX = 3;

const uuid = (kind: number, number: string): string => `md5('${kind} ' || (${number}))::uuid`;

/** Ids of records, of the same place in each list. */
interface Ids {
  readonly own: readonly string[];
  readonly matched: readonly string[];
  readonly external: readonly string[];
}

const locks = new RecordLocks();
const writes = new RecordWrites();
const reads = new StoredRecordReads();
const saving = { snapshotId: idOf('snapshot'), startedAt: new Date() };

type Work = (tx: TenantTx, ids: Ids) => Promise<unknown>;
const WORK: readonly [string, Work][] = [
  ['take locks', (tx, { own, matched }) => locks.take(tx, matched, own)],
  ['look for records', (tx, { own }) => locks.places(tx, own)],
  [
    'find one by its matched id',
    (tx, { matched }) => locks.current(tx, 'RECORD', matched[0] ?? ''),
  ],
  [
    'find one by its external id',
    (tx, { external }) => locks.current(tx, 'EXTERNAL', external[0] ?? ''),
  ],
  [
    'find matched ids',
    (tx, { external }) =>
      locks.matchedIds(
        tx,
        external.map((id) => ['MARC_BIB', id]),
      ),
  ],
  [
    'read generations',
    (tx, { own, matched }) =>
      locks.under(
        tx,
        own.map((id, at) => ({ id, matchedId: matched[at] ?? '' })),
        saving,
      ),
  ],
  ['supersede', (tx, { own }) => writes.supersede(tx, own, saving.snapshotId)],
  ['read whole records', (tx, { own }) => reads.byIds(tx, own)],
  ['keep history', (tx, { own }) => new RecordHistory().keep(tx, own, { cause: 'UPDATE' })],
  ['tell of records', (tx, { own }) => new RecordReferences().withContent(tx, own)],
];
/** With the rows they have read before. */
const WRITES: readonly [string, 'change' | 'put'][] = [
  ['change records', 'change'],
  ['put records', 'put'],
];

let database: TestDatabase;
let world: RecordWorld;
let admin: DataSource;
let source: DataSource;
let ids: Ids;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  source = await openSource(database.url, 'source_record_storage', passwordOfRole);
  await admin.query('alter table source_record_storage.record set (autovacuum_enabled = false)');
  await fill();
  ids = { own: await some(1), matched: await some(3), external: await some(4) };
});

afterAll(async () => {
  await source.destroy();
  await admin.destroy();
  await world[Symbol.asyncDispose]();
  await database.close();
});

async function fill(): Promise<void> {
  await admin.query(`
    insert into source_record_storage.record (tenant_id, id, snapshot_id, matched_id, record_type, external_id,
      external_hrid, record_order, leader_status)
    select '${TENANT}', ${uuid(1, 'n')}, ${uuid(2, 'n / 1000')}, ${uuid(3, 'n')}, 'MARC_BIB', ${uuid(4, 'n')}, 'in' || n,
      n % 1000, 'c' from generate_series(1, ${RECORDS}) as n`);
}

/** A thousand of them, all over the tenant. */
async function some(kind: number): Promise<string[]> {
  const rows = await admin.query<{ id: string }[]>(
    `select ${uuid(kind, 'n * 29')} as id from generate_series(1, 1000) as n`,
  );
  return rows.map(({ id }) => id);
}

/** Rows of `record` that scans of this transaction have looked at. */
async function looked(tx: TenantTx): Promise<number> {
  const row = await tx.one<{ rows: string }>(
    `select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as rows from pg_stat_xact_user_tables
     where relid = 'source_record_storage.record'::regclass`,
  );
  return Number(row?.rows);
}

/** @returns rows that the work looked at; what it wrote is taken back */
async function looks(
  prepare: (tx: TenantTx) => Promise<(tx: TenantTx) => Promise<unknown>>,
): Promise<number> {
  const undone = new Error('undone');
  let rows = 0;
  const done = withTenant(source, { tenantId: TENANT, actorId: USER_ID }, async (tx) => {
    const work = await prepare(tx);
    const before = await looked(tx);
    await work(tx);
    rows = (await looked(tx)) - before;
    throw undone;
  });
  await done.catch((error: unknown) => {
    if (error !== undone) throw error;
  });
  return rows;
}

async function expectFew(): Promise<void> {
  for (const count of [1, 1000]) {
    const some: Ids = {
      own: ids.own.slice(0, count),
      matched: ids.matched.slice(0, count),
      external: ids.external.slice(0, count),
    };
    const works = WORK.map(([name, work]) => {
      const prepared = (tx: TenantTx) => work(tx, some);
      return [name, () => Promise.resolve(prepared)] as const;
    });
    const changes = WRITES.map(([name, how]) => {
      const prepare = async (tx: TenantTx) => {
        const values = (await reads.byIds(tx, some.own)).map(valuesOf);
        return (after: TenantTx) => writes[how](after, values, 'ann');
      };
      return [name, prepare] as const;
    });
    for (const [name, prepare] of [...works, ...changes]) {
      const rows = await looks(prepare);
      const few = rows > 0 && rows <= count * LOOKS_MAX;
      expect([name, count, few ? 'few' : rows]).toEqual([name, count, 'few']);
    }
  }
}

it('writers read no more than their records in a database without statistics', async () => {
  await expectFew();
});

it('writers read no more than their records with statistics', async () => {
  await admin.query('analyze source_record_storage.record');
  await expectFew();
});
