import type {
  SourceRecordsDeletedPayload,
  SourceRecordsSavedPayload,
} from '@quire/contracts/source-record-events';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld } from './record-world.js';
import { authorityBody, bibBody, RecordClient, RECORDS } from './sent-records.js';

interface Told {
  readonly name: string;
  readonly payload: SourceRecordsSavedPayload & SourceRecordsDeletedPayload;
}

/** What the world is told of records that are written by REST (source-record-storage, section 10). */
describe('events of records', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let client: RecordClient;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    client = new RecordClient(world);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const told = async (job: string): Promise<Told[]> =>
    (await world.factsOf(idOf(job))).filter(({ name }) =>
      name.startsWith('SourceRecords'),
    ) as unknown as Told[];

  it('name a new record, and the generation that the next one has superseded', async () => {
    await client.snapshot('a1');
    const first = await client.save(bibBody('a', { snapshotId: idOf('a1') }));
    const reference = {
      recordId: first.id,
      matchedId: first.id,
      recordType: 'MARC_BIB',
      action: 'CREATED',
      state: 'ACTUAL',
      generation: 0,
      leaderRecordStatus: 'n',
      externalId: idOf('instance a'),
      externalHrid: 'a',
      updatedDate: first.metadata.updatedDate,
    };
    expect(await told('a1')).toMatchObject([
      {
        name: 'SourceRecordsSaved',
        payload: {
          tenantId: TENANT,
          snapshotId: idOf('a1'),
          userId: USER_ID,
          counts: { created: 1, updated: 0 },
          records: [reference],
        },
      },
    ]);
    await client.snapshot('a1', 'COMMITTED');
    await client.snapshot('a2');
    const second = await client.save(bibBody('a', { id: idOf('a 2'), snapshotId: idOf('a2') }));
    expect((await told('a2')).map(({ payload }) => payload)).toMatchObject([
      {
        counts: { created: 0, updated: 1 },
        records: [
          {
            recordId: second.id,
            matchedId: first.id,
            action: 'UPDATED',
            generation: 1,
            previousRecordId: first.id,
            previousGeneration: 0,
          },
        ],
      },
    ]);
  });

  it('name what changes in place, and what is deleted; nothing is told twice', async () => {
    await client.snapshot('b');
    const saved = await client.save(bibBody('b', { snapshotId: idOf('b') }));
    await client.put(saved.id, saved);
    await world.ask('PUT', `${RECORDS}/${saved.id}/suppress-from-discovery`);
    for (let times = 0; times < 2; times += 1) await world.ask('DELETE', `${RECORDS}/${saved.id}`);
    await world.ask('POST', `${RECORDS}/${saved.id}/un-delete`);
    const facts = await told('b');
    expect(
      facts.map(({ name, payload }) => [
        name,
        payload.records[0]?.action,
        payload.records[0]?.state,
      ]),
    ).toEqual([
      ['SourceRecordsSaved', 'CREATED', 'ACTUAL'],
      ['SourceRecordsSaved', 'UPDATED', 'ACTUAL'],
      ['SourceRecordsSaved', 'UPDATED', 'ACTUAL'],
      ['SourceRecordsDeleted', 'DELETED', 'DELETED'],
      ['SourceRecordsSaved', 'UPDATED', 'ACTUAL'],
    ]);
    expect(facts[3]?.payload.records[0]).toMatchObject({
      recordId: saved.id,
      leaderRecordStatus: 'd',
    });
  });

  it('do not speak of records without parsed content, nor of what was not stored', async () => {
    await client.snapshot('c');
    await client.save(authorityBody('c1', { snapshotId: idOf('c'), parsedRecord: undefined }));
    await client.save(
      authorityBody('c2', { snapshotId: idOf('c'), parsedRecord: { content: 'bad' } }),
    );
    expect(await told('c')).toEqual([]);
    await client.save(bibBody('c3', { snapshotId: idOf('c') }));
    expect(
      (await client.post(bibBody('c3', { id: idOf('c4'), snapshotId: idOf('c') }))).status,
    ).toBe(409);
    expect(await told('c')).toHaveLength(1);
  });
});
