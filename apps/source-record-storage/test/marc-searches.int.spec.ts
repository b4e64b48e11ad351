import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { DataSource } from 'typeorm';
import { idOf, OTHER_TENANT, TENANT } from './chunk-source.js';
import { instanceId, recordId } from './library.js';
import { RecordWorld, type Ask } from './record-world.js';

const TARGET = '/source-storage/stream/marc-record-identifiers';
const JOB = 'searched';

const bib = (status: string, date: string, ...more: readonly ['999', 'ff', object][]): Buffer =>
  marcRecord({
    leader: `00000${status}am a2200000 i 4500`,
    fields: [
      ['001', `s${date}`],
      ['005', `${date}120000.0`],
      ['245', '10', { a: `A book of ${date}` }],
      ...(more as []),
    ],
  });

describe('POST /source-storage/stream/marc-record-identifiers', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser, to set what no door sets. */
  let admin: DataSource;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await world.send(
      [
        bib('d', '20240101'),
        bib('d', '20240131'),
        bib('d', '20240201'),
        bib('c', '20240115'),
        bib('x', '20240115'),
        marcRecord({ leader: '00000dz  a2200000n  4500', fields: [['005', '20240115000000.0']] }),
      ],
      { job: JOB },
    );
    const accept = { options: { on999ff: 'accept' } } as const;
    const twin = (name: string): Buffer =>
      bib('d', '20230505', ['999', 'ff', { s: idOf(name), i: idOf('twin') }]);
    await world.send([twin('twin one')], { job: 'twin one', ...accept });
    await world.send([twin('twin two')], { job: 'twin two', ...accept });
    await world.send([bib('d', '20240101')], { job: 'elsewhere', tenantId: OTHER_TENANT });
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const asked = async (body: object, ask: Ask = {}): Promise<unknown> => {
    const { status, json, text } = await world.ask('POST', TARGET, { body, ...ask });
    return status === 200 ? json : [status, text];
  };
  const some = (...ids: readonly string[]): object => ({
    records: [...ids].sort(),
    totalCount: ids.length,
  });
  const [first, last, later, living, obsolete] = [0, 1, 2, 3, 4].map((order) =>
    instanceId(order, JOB),
  ) as [string, string, string, string, string];
  const DELETED = { leaderSearchExpression: `p_05 = 'd'` };

  it('finds deleted records of some days, as exports of them ask', async () => {
    const fieldsSearchExpression = `005.date from '20240101' and 005.date to '20240131'`;
    const body = { ...DELETED, fieldsSearchExpression, deleted: true };
    expect(await asked(body)).toEqual(some(first, last));
    expect(await asked(body, { issuer: 'data-export' })).toEqual(some(first, last));
    expect(await asked({ ...DELETED, fieldsSearchExpression: `005.date from '20240131'` })).toEqual(
      some(last, later),
    );
  });

  it('gives an id once, however many records have it', async () => {
    expect(await asked({ fieldsSearchExpression: `005.date = '20230505'` })).toEqual(
      some(idOf('twin')),
    );
  });

  it('looks at bibliographic records only, of either expression alone', async () => {
    expect(await asked(DELETED)).toEqual(some(first, last, later, idOf('twin')));
    expect(await asked({ fieldsSearchExpression: `005.date = '20240115'` })).toEqual(
      some(living, obsolete),
    );
  });

  it('leaves out those of state DELETED only when told', async () => {
    expect(await asked({ ...DELETED, deleted: false })).toEqual(some());
    const obsoletes = { leaderSearchExpression: `p_05 = 'x'`, deleted: false };
    expect(await asked(obsoletes)).toEqual(some(obsolete));
  });

  it('filters by suppression', async () => {
    await admin.query(
      'update source_record_storage.record set suppress_discovery = true where tenant_id = $1 and id = $2',
      [TENANT, recordId(0, JOB)],
    );
    expect(await asked({ ...DELETED, suppressFromDiscovery: true })).toEqual(some(first));
    expect(await asked({ ...DELETED, suppressFromDiscovery: false })).toEqual(
      some(last, later, idOf('twin')),
    );
  });

  it('counts all matches, whatever page is asked for', async () => {
    const all = [first, last, later, idOf('twin')].sort();
    const page = (offset: number, limit: number): Promise<unknown> =>
      asked({ ...DELETED, offset, limit });
    expect(await page(1, 2)).toEqual({ records: all.slice(1, 3), totalCount: 4 });
    expect(await page(0, 0)).toEqual({ records: [], totalCount: 4 });
    expect(await page(9, 5)).toEqual({ records: [], totalCount: 4 });
  });

  it('says what is wrong with a request', async () => {
    expect(await asked({})).toEqual([
      400,
      "The 'leaderSearchExpression' and the 'fieldsSearchExpression' are missing",
    ]);
    expect(await asked({ leaderSearchExpression: '' })).toEqual([
      400,
      'The input expression should not be black or empty [expression: leaderSearchExpression]',
    ]);
    expect(await asked({ fieldsSearchExpression: `(001.value = 'x'` })).toEqual([
      400,
      expect.stringContaining('[expression: marcFieldSearchExpression]'),
    ]);
    for (const body of [{ ...DELETED, limit: -1 }, { expression: 'x' }, { deleted: 'maybe' }])
      expect(await asked(body)).toEqual([422, expect.any(String)]);
    expect(await asked(DELETED, { permissions: [] })).toEqual([403, expect.any(String)]);
  });

  it('sees nothing of other tenants', async () => {
    expect(await asked(DELETED, { tenant: OTHER_TENANT })).toEqual(
      some(instanceId(0, 'elsewhere')),
    );
  });
});
