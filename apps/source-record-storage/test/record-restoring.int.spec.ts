import { uuidV5 } from '@quire/contracts/ids';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { idOf, OTHER_TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld, type Answer, type Ask } from './record-world.js';

const bib = (...fields: readonly FieldSketch[]): Buffer =>
  marcRecord({ fields: [['001', 'r1'], ...fields] });
const RECORDS = '/source-storage/records';
const FIRST = idOf('restored');
const MATCHED = uuidV5(FIRST, 'file:0');

interface Row {
  readonly id: string;
  readonly generation: number;
  readonly state: string;
  readonly snapshot_id: string;
  readonly suppress_discovery: boolean;
  readonly content: Buffer;
}

/** Source-record-storage, 9.3 and 14: an earlier content comes back as a new generation. */
describe('restoring a record', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    const ids: FieldSketch = ['999', 'ff', { s: MATCHED }];
    const frames = [
      bib(['245', '10', { a: 'Água viva' }], ['650', ' 0', { a: 'Water' }]),
      bib(['245', '10', { a: 'Two' }], ids),
      bib(['245', '10', { a: 'Three' }], ids),
    ];
    for (const [at, frame] of frames.entries())
      await world.send([frame], {
        job: at === 0 ? 'restored' : `later ${at}`,
        options: { on999ff: 'accept' },
      });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const restore = (id: string, query: string, ask: Ask = {}): Promise<Answer> =>
    world.ask('POST', `${RECORDS}/${id}/restore${query}`, ask);
  const generations = (matchedId = MATCHED): Promise<Row[]> =>
    world.rows<Row>(
      `select r.*, c.content from record r left join record_content c on (c.tenant_id, c.record_id) = (r.tenant_id, r.id)
       where r.tenant_id = $1 and r.matched_id = $2 order by r.generation`,
      [matchedId],
    );
  const current = async (): Promise<Row> =>
    (await generations()).find(({ state }) => state !== 'OLD')!;
  const titleOf = ({ content }: Row): string => content.toString('utf8');

  it('of the first generation gives its bytes back', async () => {
    const before = await generations();
    const { status, headers, json } = await restore(MATCHED, '?generation=0');
    expect(status).toBe(201);
    const after = await generations();
    expect(after.slice(0, 3).map(({ state }) => state)).toEqual(['OLD', 'OLD', 'OLD']);
    const made = after[3]!;
    expect(made.content.equals(before[0]!.content)).toBe(true);
    expect(made.content.equals(before[2]!.content)).toBe(false);
    expect(headers['location']).toMatch(new RegExp(`${RECORDS}/${made.id}$`));
    expect(json).toMatchObject({
      id: made.id,
      matchedId: MATCHED,
      generation: 3,
      state: 'ACTUAL',
      externalIdsHolder: { instanceId: uuidV5(MATCHED, 'instance'), instanceHrid: 'r1' },
      metadata: { createdByUserId: USER_ID },
    });
  });

  it('is found by who looks for it, as what is current', async () => {
    const { json } = await world.get(`/source-storage/source-records?recordId=${MATCHED}`);
    expect(json.totalRecords).toBe(1);
    expect(json.sourceRecords[0]).toMatchObject({ generation: 3 });
    const instances = await world.rows<{ title: string }>(
      'select title from instance where tenant_id = $1 and matched_id = $2',
      [MATCHED],
    );
    expect(instances).toEqual([{ title: 'Água viva' }]);
  });

  it('stands in the history, with its user, a finished job of its own and what it changed', async () => {
    const { json } = await world.get(`${RECORDS}/${MATCHED}/history`);
    const restored = json.versions[3];
    expect(restored).toMatchObject({
      generation: 3,
      action: 'RESTORED',
      restoredFrom: 0,
      userId: USER_ID,
      changedTags: ['245', '650'],
    });
    const { snapshotId } = restored as { snapshotId: string };
    expect(json.versions).toMatchObject(
      [FIRST, idOf('later 1'), idOf('later 2'), snapshotId].map((id) => ({ snapshotId: id })),
    );
    const snapshot = await world.get(`/source-storage/snapshots/${snapshotId}`);
    expect(snapshot.json).toMatchObject({ status: 'COMMITTED' });
  });

  it('leaves the suppression of the current record as it is', async () => {
    await world.ask('PUT', `${RECORDS}/${MATCHED}/suppress-from-discovery`);
    expect((await restore(MATCHED, '?generation=1')).json.additionalInfo).toMatchObject({
      suppressDiscovery: true,
    });
    await world.ask('PUT', `${RECORDS}/${MATCHED}/suppress-from-discovery?suppress=false`);
  });

  it('of a deleted record makes it current again, as it was suppressed before', async () => {
    await world.ask('DELETE', `${RECORDS}/${MATCHED}?idType=RECORD`);
    expect((await current()).state).toBe('DELETED');
    await restore(MATCHED, '?generation=2');
    const row = await current();
    expect(row).toMatchObject({ state: 'ACTUAL', suppress_discovery: false });
    expect(titleOf(row)).toContain('Three');
  });

  it('of a version in place gives the bytes that it had, of a generation its last ones', async () => {
    const { json } = await world.get(`${RECORDS}/${(await current()).id}`);
    const edited = structuredClone(json);
    const fields = edited.parsedRecord.content.fields as object[];
    fields.push({ '500': { ind1: ' ', ind2: ' ', subfields: [{ a: 'x' }] } });
    const before = await current();
    expect((await world.ask('PUT', `${RECORDS}/${before.id}`, { body: edited })).status).toBe(200);
    const changed = await current();
    expect(changed.content.equals(before.content)).toBe(false);
    const { generation } = before;
    await restore(MATCHED, `?generation=${generation}&version=0`);
    expect((await current()).content.equals(before.content)).toBe(true);
    await restore(MATCHED, `?generation=${generation}`);
    expect((await current()).content.equals(changed.content)).toBe(true);
    await restore(MATCHED, `?generation=${generation}&version=1`);
    expect((await current()).content.equals(changed.content)).toBe(true);
    const text = `Record with matched id '${MATCHED}' has no generation ${generation} with version 2`;
    expect(await restore(MATCHED, `?generation=${generation}&version=2`)).toMatchObject({
      status: 404,
      text,
    });
  });

  it('finds the record by other ids', async () => {
    const { id, generation } = await current();
    const answer = await restore(id, '?generation=0&idType=SRS_RECORD');
    expect(answer).toMatchObject({ status: 201, json: { generation: generation + 1 } });
    const instance = uuidV5(MATCHED, 'instance');
    expect((await restore(instance, '?generation=0&idType=instance')).status).toBe(201);
  });

  it('can be undone like any job', async () => {
    const before = await current();
    const { json } = await restore(MATCHED, '?generation=1');
    const answer = await world.ask('POST', `/source-storage/snapshots/${json.snapshotId}/undo`);
    expect(answer).toMatchObject({ status: 200, json: { removed: 1, restored: 1, conflicts: [] } });
    const after = await current();
    expect(after.id).toBe(before.id);
    expect(after.content.equals(before.content)).toBe(true);
  });

  it('is refused for records, generations and parameters that are none', async () => {
    const rows = (await generations()).length;
    const no = (status: number, text: string) => ({ status, text });
    const unknown = idOf('nobody');
    const bad = (name: string, value: string, reason: string) =>
      no(
        400,
        `'${name}' parameter is incorrect. parameter value {${value}} is not valid: ${reason}`,
      );
    for (const [id, query, expected] of [
      [
        MATCHED,
        '?generation=99',
        no(404, `Record with matched id '${MATCHED}' has no generation 99`),
      ],
      [unknown, '?generation=0', no(404, `Record with RECORD id: ${unknown} was not found`)],
      [MATCHED, '', bad('generation', 'null', 'must not be null')],
      [MATCHED, '?generation=-1', bad('generation', '-1', 'must be greater than or equal to 0')],
      [
        MATCHED,
        '?generation=x',
        bad('generation', 'x', 'must be an integer between 0 and 2147483647'),
      ],
      [MATCHED, '?generation=0&idType=x', bad('idType', 'x', 'Unknown id type x')],
    ] as const)
      expect(await restore(id, query)).toMatchObject(expected);
    expect((await restore('abc', '?generation=0')).status).toBe(400);
    expect((await restore(MATCHED, '?generation=0', { tenant: OTHER_TENANT })).status).toBe(404);
    const permissions = ['source-storage.records.item.get'];
    expect((await restore(MATCHED, '?generation=0', { permissions })).status).toBe(403);
    expect(await generations()).toHaveLength(rows);
  });
});
