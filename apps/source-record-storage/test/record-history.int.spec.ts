import { uuidV5 } from '@quire/contracts/ids';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { idOf, OTHER_TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld, type Answer } from './record-world.js';

const bib = (...fields: readonly FieldSketch[]): Buffer =>
  marcRecord({ fields: [['001', 'h1'], ...fields] });
const HISTORY = (id: string): string => `/source-storage/records/${id}/history`;

/** Source-record-storage, 9.3 and 14: who changed what, when and in which job. */
describe('the history of a record', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  const id = uuidV5(idOf('spring'), 'file:0');
  const instance = uuidV5(id, 'instance');

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    const ids: FieldSketch = ['999', 'ff', { s: id }];
    const imports = [
      ['spring', 'ann', bib(['245', '10', { a: 'One' }], ['650', ' 0', { a: 'Water' }])],
      ['summer', 'bob', bib(['245', '10', { a: 'Two' }], ['650', ' 0', { a: 'Water' }], ids)],
      ['autumn', 'cyd', bib(['100', '1 ', { a: 'Lee' }], ['245', '10', { a: 'Two' }], ids)],
    ] as const;
    for (const [job, userName, frame] of imports)
      await world.send([frame], {
        job,
        options: { on999ff: 'accept' },
        changes: { userName, userId: idOf(userName) },
      });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const refused = (answer: Answer): object => ({ status: answer.status, text: answer.text });

  it('that three imports changed shows who, when, which job and which tags', async () => {
    const { status, json } = await world.get(HISTORY(id));
    expect(status).toBe(200);
    const [first, second, third] = await world.rows<{ id: string; created_at: Date }>(
      'select id, created_at from record where tenant_id = $1 and matched_id = $2 order by generation',
      [id],
    );
    const about = (name: string, job: string) => ({
      userId: idOf(name),
      userName: name,
      snapshotId: idOf(job),
      version: 0,
      suppressDiscovery: false,
      leaderRecordStatus: 'n',
    });
    const date = (row: { created_at: Date } | undefined) =>
      row?.created_at.toISOString().replace('Z', '+00:00');
    expect(json).toEqual({
      versions: [
        {
          ...about('ann', 'spring'),
          id: first?.id,
          generation: 0,
          action: 'CREATED',
          date: date(first),
          state: 'OLD',
          changedTags: ['LDR', '001', '245', '650', '999'],
        },
        {
          ...about('bob', 'summer'),
          id: second?.id,
          generation: 1,
          action: 'UPDATED',
          date: date(second),
          state: 'OLD',
          changedTags: ['245'],
        },
        {
          ...about('cyd', 'autumn'),
          id: third?.id,
          generation: 2,
          action: 'UPDATED',
          date: date(third),
          state: 'ACTUAL',
          changedTags: ['100', '650'],
        },
      ],
      totalRecords: 3,
      recordId: id,
    });
  });

  it('shows each change in place with its user and what it changed, and keeps what was', async () => {
    await world.send(
      [
        marcRecord({
          fields: [
            ['001', 'p1'],
            ['245', '10', { a: 'Placed' }],
          ],
        }),
      ],
      {
        job: 'placed',
      },
    );
    const placed = uuidV5(idOf('placed'), 'file:0');
    const target = `/source-storage/records/${placed}`;
    const { json: body } = await world.get(target);
    const edited = structuredClone(body);
    const fields = edited.parsedRecord.content.fields as object[];
    fields.splice(2, 0, { '500': { ind1: ' ', ind2: ' ', subfields: [{ a: 'Note' }] } });
    for (const [method, path, sent] of [
      ['PUT', target, edited],
      ['PUT', `${target}/suppress-from-discovery`, undefined],
      ['DELETE', target, undefined],
      ['POST', `${target}/un-delete`, undefined],
    ] as const)
      expect((await world.ask(method, path, sent ? { body: sent } : {})).status).toBeLessThan(300);
    const { json } = await world.get(HISTORY(placed));
    const byUser = { userId: USER_ID, id: placed, generation: 0 };
    expect(json.versions).toMatchObject([
      { action: 'CREATED', version: 0, snapshotId: idOf('placed') },
      { ...byUser, action: 'CHANGED', version: 1, changedTags: ['500'], suppressDiscovery: false },
      { ...byUser, action: 'SUPPRESSED', version: 2, changedTags: [], suppressDiscovery: true },
      { ...byUser, action: 'DELETED', version: 3, changedTags: ['LDR', '005'], state: 'DELETED' },
      { ...byUser, action: 'UNDELETED', version: 4, state: 'ACTUAL' },
    ]);
    const [, ...inPlace] = json.versions as object[];
    for (const version of inPlace) expect(version).not.toHaveProperty('snapshotId');
    const dates = (json.versions as { date: string }[]).map(({ date }) => date);
    expect(dates).toEqual([...dates].sort());
  });

  it('is found by each kind of id', async () => {
    const { json } = await world.get(HISTORY(id));
    const newest = json.versions[2].id as string;
    for (const [found, idType] of [
      [id, 'record'],
      [newest, 'SRS_RECORD'],
      [instance, 'INSTANCE'],
      [instance, 'EXTERNAL'],
    ] as const)
      expect((await world.get(`${HISTORY(found)}?idType=${idType}`)).json).toEqual(json);
  });

  it('is 404 for an id that names no such record, or another tenant’s', async () => {
    const no = (idType: string, what: string) => ({
      status: 404,
      text: `Record with ${idType} id: ${what} was not found`,
    });
    expect(refused(await world.get(HISTORY(instance)))).toEqual(no('RECORD', instance));
    expect(refused(await world.get(`${HISTORY(instance)}?idType=HOLDINGS`))).toEqual(
      no('HOLDINGS', instance),
    );
    expect(refused(await world.get(HISTORY(id), { tenant: OTHER_TENANT }))).toEqual(
      no('RECORD', id),
    );
    expect(refused(await world.get(HISTORY('abc')))).toEqual(no('RECORD', 'abc'));
  });

  it('refuses a kind of id that there is not, and who may not read records', async () => {
    expect(refused(await world.get(`${HISTORY(id)}?idType=ISBN`))).toEqual({
      status: 400,
      text: "'idType' parameter is incorrect. parameter value {ISBN} is not valid: Unknown id type ISBN",
    });
    const { status } = await world.get(HISTORY(id), {
      permissions: ['source-storage.records.put'],
    });
    expect(status).toBe(403);
  });
});
