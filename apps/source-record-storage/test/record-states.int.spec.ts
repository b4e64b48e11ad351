import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT } from './chunk-source.js';
import { bib } from './library.js';
import { RecordWorld, type Answer } from './record-world.js';
import {
  authorityBody,
  bibBody,
  control,
  data,
  ff,
  marc,
  RecordClient,
  RECORDS,
  type Stored,
} from './sent-records.js';

/** Soft deletion and its reverse, suppression, and formatted records (source-record-storage, section 3). */
describe('a record', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let client: RecordClient;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    client = new RecordClient(world);
    await client.snapshot();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const NOW = /^\d{14}\.\d$/;
  const today = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const remove = (target: string): Promise<Answer> => world.ask('DELETE', `${RECORDS}/${target}`);
  const undelete = (target: string): Promise<Answer> =>
    world.ask('POST', `${RECORDS}/${target.replace(/(\?|$)/, '/un-delete$1')}`);
  const suppress = (target: string): Promise<Answer> =>
    world.ask('PUT', `${RECORDS}/${target.replace(/(\?|$)/, '/suppress-from-discovery$1')}`);
  const read = async (id: string): Promise<Stored> => (await client.get(id)).json as Stored;
  /** A bibliographic record with an old 005 behind other fields. */
  const saveDated = (name: string, additionalInfo = {}): Promise<Stored> => {
    const fields = [control('005', '20010101000000.0'), control('001', name), control('008', 'x')];
    return client.save(
      bibBody(name, { parsedRecord: { content: marc(...fields) }, additionalInfo }),
    );
  };

  describe('that is deleted', () => {
    it('is DELETED and suppressed, says so in its leader, and has 005 behind 001', async () => {
      const saved = await saveDated('gone');
      const before = today();
      expect(await remove(saved.id)).toMatchObject({ status: 204, text: '' });
      const json = await read(saved.id);
      expect(json).toMatchObject({
        state: 'DELETED',
        deleted: true,
        leaderRecordStatus: 'd',
        additionalInfo: { suppressDiscovery: true },
        generation: 0,
        rawRecord: { content: 'raw gone' },
      });
      const { leader, fields } = json.parsedRecord.content;
      expect(leader[5]).toBe('d');
      expect(fields).toEqual([
        control('001', 'gone'),
        { '005': expect.stringMatching(NOW) },
        control('008', 'x'),
        ff(saved.id),
      ]);
      // Midnight may pass.
      expect([before, today()]).toContain(String(fields[1]?.['005']).slice(0, 8));
    });

    it('stays as it is when it is deleted twice', async () => {
      const { id } = await saveDated('twice');
      await remove(id);
      const first = await read(id);
      expect((await remove(id)).status).toBe(204);
      expect(await read(id)).toEqual(first);
    });

    it('comes back with its former suppression', async () => {
      for (const suppressDiscovery of [true, false]) {
        const { id } = await saveDated(`back ${suppressDiscovery}`, { suppressDiscovery });
        await remove(id);
        await remove(id);
        expect(await undelete(id)).toMatchObject({ status: 204, text: '' });
        const json = await read(id);
        expect(json).toMatchObject({
          state: 'ACTUAL',
          deleted: false,
          leaderRecordStatus: 'c',
          additionalInfo: { suppressDiscovery },
        });
        expect(json.parsedRecord.content.leader[5]).toBe('c');
        expect(json.parsedRecord.content.fields[1]?.['005']).toMatch(NOW);
        expect((await undelete(id)).status).toBe(204);
        expect(await read(id)).toEqual(json);
      }
    });

    it('comes back as one that is not deleted, also when only its leader said so', async () => {
      await world.send([bib('withdrawn', 'Withdrawn', { status: 'x' })], { job: 'import' });
      const [row] = await world.rows<{ id: string }>(
        `select id from record where tenant_id = $1 and external_hrid = 'withdrawn'`,
      );
      const id = row?.id ?? '';
      const before = await read(id);
      expect(before).toMatchObject({ state: 'ACTUAL', deleted: true });
      await undelete(id);
      const after = await read(id);
      expect(after).toMatchObject({ deleted: false, leaderRecordStatus: 'c' });
      // What was imported is still what was imported.
      expect(after.rawRecord).toEqual(before.rawRecord);
    });

    it('of a type without leader has neither leader nor 005', async () => {
      const parsedRecord = { content: "UNB+UNOC:3'" };
      const { id } = await client.save(
        authorityBody('edi', { recordType: 'EDIFACT', parsedRecord }),
      );
      expect((await remove(id)).status).toBe(204);
      expect(await read(id)).toMatchObject({ state: 'DELETED', deleted: true, parsedRecord });
      expect((await undelete(id)).status).toBe(204);
      expect(await read(id)).toMatchObject({ state: 'ACTUAL', deleted: false, parsedRecord });
    });

    it('without parsed content is deleted all the same', async () => {
      const { id } = await client.save(authorityBody('bare', { parsedRecord: undefined }));
      await remove(id);
      expect(await read(id)).toMatchObject({
        state: 'DELETED',
        additionalInfo: { suppressDiscovery: true },
      });
    });
  });

  describe('is found by', () => {
    const instanceOf = ({ externalIdsHolder }: Stored): string =>
      externalIdsHolder.instanceId ?? '';

    it.each<[string, (saved: Stored) => string]>([
      ['SRS_RECORD', ({ id }) => id],
      ['RECORD', ({ matchedId }) => matchedId],
      ['INSTANCE', instanceOf],
      ['EXTERNAL', instanceOf],
      ['instance', (saved) => instanceOf(saved).toUpperCase()],
    ])('%s', async (idType, idOfSaved) => {
      const saved = await client.save(bibBody(`by ${idType}`, {}, ff(idOf(`matched ${idType}`))));
      const target = `${idOfSaved(saved)}?idType=${idType}`;
      expect((await remove(target)).status).toBe(204);
      expect((await read(saved.id)).state).toBe('DELETED');
      expect((await client.get(target.replace('?', '/formatted?'))).json.id).toBe(saved.id);
      expect(await suppress(`${target}&suppress=false`)).toMatchObject({
        status: 200,
        text: 'true',
      });
      expect((await undelete(target)).status).toBe(204);
      expect((await read(saved.id)).state).toBe('ACTUAL');
    });

    it('HOLDINGS and AUTHORITY, each in its own type', async () => {
      const holdings = await client.save(
        authorityBody('ho', {
          recordType: 'MARC_HOLDING',
          externalIdsHolder: { holdingsId: idOf('x') },
        }),
      );
      const authority = await client.save(
        authorityBody('au', { externalIdsHolder: { authorityId: idOf('x') } }),
      );
      await remove(`${idOf('x')}?idType=HOLDINGS`);
      expect([(await read(holdings.id)).state, (await read(authority.id)).state]).toEqual([
        'DELETED',
        'ACTUAL',
      ]);
      await remove(`${idOf('x')}?idType=AUTHORITY`);
      expect((await read(authority.id)).state).toBe('DELETED');
      expect((await remove(`${idOf('x')}?idType=INSTANCE`)).status).toBe(404);
    });

    const CALLS: readonly [string, string, (target: string) => Promise<Answer>][] = [
      ['DELETE', 'SRS_RECORD', remove],
      ['un-delete', 'RECORD', undelete],
      ['suppress', 'RECORD', suppress],
      ['formatted', 'RECORD', (target) => client.get(target.replace(/(\?|$)/, '/formatted$1'))],
    ];

    it.each(CALLS)(
      'nothing: %s says so with the id type, of old ones and of other tenants too',
      async (name, idType, call) => {
        const unknown = idOf(`unknown ${name}`);
        const text = (type: string, id: string): string =>
          `Record with ${type} id: ${id} was not found`;
        expect(await call(unknown)).toMatchObject({ status: 404, text: text(idType, unknown) });
        expect(await call(`${unknown}?idType=EXTERNAL`)).toMatchObject({
          status: 404,
          text: text('EXTERNAL', unknown),
        });
        const old = await client.save(bibBody(`old ${name}`, { state: 'OLD' }));
        expect(await call(`${old.id}?idType=SRS_RECORD`)).toMatchObject({
          status: 404,
          text: text('SRS_RECORD', old.id),
        });
        expect(await call(`${unknown}?idType=THING`)).toMatchObject({
          status: 400,
          text: "'idType' parameter is incorrect. parameter value {THING} is not valid: Unknown id type THING",
        });
      },
    );

    it('nothing in another tenant', async () => {
      const { id } = await client.save(bibBody('elsewhere'));
      const ask = { tenant: OTHER_TENANT };
      const text = `Record with SRS_RECORD id: ${id} was not found`;
      expect(await world.ask('DELETE', `${RECORDS}/${id}`, ask)).toMatchObject({
        status: 404,
        text,
      });
      expect((await client.get(`${id}/formatted`, ask)).status).toBe(404);
      expect((await read(id)).state).toBe('ACTUAL');
    });

    it('no id that is none', async () => {
      const bad = /^Invalid UUID format of id, should be/;
      for (const call of [remove, undelete, suppress]) {
        const answer = await call('1');
        expect(answer.status).toBe(400);
        expect(answer.text).toMatch(bad);
      }
      expect(await client.get('1/formatted?idType=INSTANCE')).toMatchObject({
        status: 404,
        text: 'Record with INSTANCE id: 1 was not found',
      });
    });
  });

  describe('that is suppressed', () => {
    it('says so until that is taken back; the answer is a text', async () => {
      const { id } = await client.save(bibBody('hidden', { additionalInfo: { note: 'stays' } }));
      const answer = await suppress(id);
      expect(answer).toMatchObject({ status: 200, text: 'true' });
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect((await read(id)).additionalInfo).toEqual({ note: 'stays', suppressDiscovery: true });
      expect((await suppress(`${id}?suppress=false`)).text).toBe('true');
      expect((await read(id)).additionalInfo).toEqual({ note: 'stays', suppressDiscovery: false });
      expect(await suppress(`${id}?suppress=maybe`)).toMatchObject({
        status: 400,
        text: "'suppress' parameter is incorrect. parameter value {maybe} is not valid: must be true or false",
      });
    });
  });

  describe('that is formatted', () => {
    it('has its leader and fields in lines', async () => {
      const title = data('245', '10', { a: 'Title :' }, { b: 'sub' });
      const content = marc(control('001', 'lines'), title);
      const { id, parsedRecord } = await client.save(
        bibBody('lines', { parsedRecord: { content } }),
      );
      const { status, json } = await client.get(`${id}/formatted`);
      expect(status).toBe(200);
      expect(json.parsedRecord).toEqual({
        ...parsedRecord,
        formattedContent: `LEADER ${parsedRecord.content.leader}\n001 lines\n245 10$aTitle :$bsub\n999 ff$s${id}\n`,
      });
    });

    it('of EDIFACT has a line per segment', async () => {
      const parsedRecord = { content: "UNB+UNOC:3'UNH+1'" };
      const { id } = await client.save(
        authorityBody('edi lines', { recordType: 'EDIFACT', parsedRecord }),
      );
      const { json } = await client.get(`${id}/formatted`);
      expect(json.parsedRecord.formattedContent).toMatch(/^UNB.*\nUNH.*\n$/);
    });

    it('is the generation that is current', async () => {
      await client.snapshot('f1');
      await client.save(bibBody('form', { snapshotId: idOf('f1') }));
      await client.snapshot('f1', 'COMMITTED');
      await client.snapshot('f2');
      const second = await client.save(
        bibBody('form', { id: idOf('form 2'), snapshotId: idOf('f2') }),
      );
      expect((await client.get(`${idOf('form')}/formatted`)).json.id).toBe(second.id);
    });

    it('without parsed content has none', async () => {
      const { id } = await client.save(authorityBody('no lines', { parsedRecord: undefined }));
      expect((await client.get(`${id}/formatted`)).json).not.toHaveProperty('parsedRecord');
    });
  });
});
