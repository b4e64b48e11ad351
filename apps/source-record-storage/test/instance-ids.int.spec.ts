import { uuidV5 } from '@quire/contracts/ids';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { idOf, OTHER_TENANT, TENANT } from './chunk-source.js';
import { bib, fill, ids999ff, instanceId, recordId, TWIN_INSTANCE, UNKNOWN } from './library.js';
import { RecordWorld, type Ask } from './record-world.js';
import { ViewWorld } from './view-world.js';

const TARGET = '/internal/instance-ids';
const AUTHORITY_ID = uuidV5(recordId(4), 'authority');
const HOLDINGS_ID = uuidV5(recordId(5), 'holdings');

describe('POST /internal/instance-ids', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser, to set what no door sets. */
  let admin: DataSource;
  let view: ViewWorld;
  /** Before anything is stored: midnight may pass later. */
  let today: string;

  beforeAll(async () => {
    today = new Date().toISOString().slice(0, 10);
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    view = new ViewWorld(world);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await fill(world);
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const asked = async (body: object, ask: Ask = {}): Promise<unknown> => {
    const whole = { issuer: 'data-export', body, ...ask } as const;
    const { status, json, text } = await world.ask('POST', TARGET, whole);
    return status === 200 ? json : [status, text.split('\n')[0]];
  };
  const some = (...ids: readonly string[]): object => ({
    ids: [...ids].sort().map((id) => ({ id })),
    totalRecords: ids.length,
  });
  const [IN2, IN1, IN3, IN4] = [0, 1, 2, 3].map((order) => instanceId(order)) as [
    string,
    string,
    string,
    string,
  ];

  it('takes a record for deleted by its state or its leader, and gives, leaves out or singles out those', async () => {
    const query = 'cql.allRecords=1';
    expect(await asked({ query, deleted: 'exclude' })).toEqual(some(IN1, IN2, TWIN_INSTANCE));
    expect(await asked({ query, deleted: 'include' })).toEqual(
      some(IN1, IN2, IN3, IN4, TWIN_INSTANCE),
    );
    expect(await asked({ query, deleted: 'only' })).toEqual(some(IN3, IN4));
  });

  it('leaves out those of state DELETED unless something asks for them', async () => {
    expect(await asked({})).toEqual(some(IN1, IN2, IN4, TWIN_INSTANCE));
    expect(await asked({ query: '' })).toEqual(some(IN1, IN2, IN4, TWIN_INSTANCE));
    expect(await asked({ query: 'deleted==true' })).toEqual(some(IN3, IN4));
    expect(await asked({ query: 'staffSuppress==true and deleted==true' })).toEqual(some(IN3));
  });

  it('gives holdings and authorities by their own ids', async () => {
    expect(await asked({ recordType: 'HOLDING' })).toEqual(some(HOLDINGS_ID));
    expect(await asked({ recordType: 'AUTHORITY' })).toEqual(some(AUTHORITY_ID));
    expect(await asked({ recordType: 'AUTHORITY', query: 'hrid==AU1' })).toEqual(
      some(AUTHORITY_ID),
    );
    expect(await asked({ recordType: 'AUTHORITY', deleted: 'only' })).toEqual(some());
  });

  it('finds holdings by the number of their bibliographic record', async () => {
    const query = 'instanceHrid==in2';
    expect(await asked({ recordType: 'HOLDING', query })).toEqual(some(HOLDINGS_ID));
    await admin.query('update source_record_storage.record set parent_hrid = null');
    expect(await asked({ recordType: 'HOLDING', query })).toEqual(some());
    await view.rebuild();
    expect(await asked({ recordType: 'HOLDING', query })).toEqual(some(HOLDINGS_ID));
    expect(await asked({ recordType: 'HOLDING', query: 'instanceHrid==in1' })).toEqual(some());
  });

  it('finds by what stands beside a record', async () => {
    expect(await asked({ query: 'hrid==in2' })).toEqual(some(IN2));
    expect(
      await asked({ query: 'hrid==in* and source==MARC sortBy hrid/sort.descending' }),
    ).toEqual({
      ids: [{ id: IN4 }, { id: IN2 }, { id: IN1 }],
      totalRecords: 3,
    });
    expect(await asked({ query: `id==(${IN1} or ${UNKNOWN})` })).toEqual(some(IN1));
    expect(await asked({ query: `snapshotId==${idOf('newer')}` })).toEqual(some(TWIN_INSTANCE));
    expect(await asked({ query: `metadata.updatedDate>=${today} and hrid==in1` })).toEqual(
      some(IN1),
    );
    expect(await asked({ query: 'metadata.createdDate<2020' })).toEqual(some());
  });

  it('leaves suppressed records out when asked', async () => {
    await suppress(recordId(0), true);
    const query = 'cql.allRecords=1 not discoverySuppress==true';
    expect(await asked({ query, deleted: 'include' })).toEqual(some(IN1, IN3, IN4, TWIN_INSTANCE));
    await suppress(recordId(0), false);
  });

  it('judges records of one instance by the newest of them', async () => {
    const [older] = await world.rows<{ id: string }>(
      'select id from record where tenant_id = $1 and snapshot_id = $2',
      [idOf('older')],
    );
    await suppress(older?.id ?? '', true);
    expect(await asked({ query: 'discoverySuppress==true' })).toEqual(some());
    expect(await asked({ query: 'hrid==tw1' })).toEqual(some());
    expect(await asked({ query: 'hrid==tw2' })).toEqual(some(TWIN_INSTANCE));
    await suppress(older?.id ?? '', false);
  });

  it('takes the first generation for the creation', async () => {
    const frames = (title: string): Buffer[] => [
      bib('ge1', title, { more: [ids999ff('grown', idOf('grown instance'))] }),
    ];
    const accept = { options: { on999ff: 'accept' } } as const;
    await world.send(frames('Once'), { job: 'once', ...accept });
    await admin.query(
      `update source_record_storage.record set created_at = '2001-02-03' where tenant_id = $1 and snapshot_id = $2`,
      [TENANT, idOf('once')],
    );
    await world.send(frames('Twice'), { job: 'twice', ...accept });
    expect(await asked({ query: 'metadata.createdDate==2001-02-03' })).toEqual(
      some(idOf('grown instance')),
    );
  });

  it('says where a query is wrong, up to the length that a body may have', async () => {
    const refusal = (column: number, reason: string): unknown => [
      400,
      `unable to list instance-ids -- malformed parameter 'query', syntax error at column ${column}: ${reason}`,
    ];
    expect(await asked({ query: 'titel=x' })).toEqual(
      refusal(1, "unknown index 'titel', did you mean 'title'?"),
    );
    expect(await asked({ recordType: 'AUTHORITY', query: 'source==MARC' })).toEqual(
      refusal(1, "unknown index 'source'"),
    );
    const many = Array.from({ length: 1999 }, () => UNKNOWN).join(' or ');
    expect(
      await asked({ query: `id==(${many.slice(0, 60_000).replace(/ or [^ ]*$/, '')})` }),
    ).toEqual(some());
    expect(await asked({ query: `hrid==${'x'.repeat(65_531)}` })).toEqual(
      refusal(65_537, 'query is longer than 65536 characters'),
    );
  });

  it('refuses what is no request', async () => {
    for (const body of [{ recordType: 'ITEM' }, { deleted: true }, { limit: 1 }, []])
      expect(await asked(body)).toEqual([422, expect.any(String)]);
  });

  it('answers data-export alone, and only about its tenant', async () => {
    expect(await asked({}, { issuer: 'gateway' })).toEqual([401, 'Invalid token']);
    expect(await asked({}, { issuer: 'data-import' })).toEqual([401, 'Invalid token']);
    expect(await asked({}, { tenant: OTHER_TENANT })).toEqual(some(instanceId(0, 'elsewhere')));
  });

  async function suppress(id: string, suppressed: boolean): Promise<void> {
    await admin.query(
      'update source_record_storage.record set suppress_discovery = $3 where tenant_id = $1 and id = $2',
      [TENANT, id, suppressed],
    );
    await view.refresh(id);
  }
});
