import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { RecordWorld } from './record-world.js';
import {
  authorityBody,
  bibBody,
  control,
  data,
  LEADER,
  marc,
  RecordClient,
} from './sent-records.js';

/** Parsed content that is no MARC, or hardly (source-record-storage, 2.4, rule 6). */
describe('POST /source-storage/records', () => {
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

  describe('stores parsed content that cannot be read as an error, and answers 201', () => {
    it.each<[string, unknown]>([
      ['a text that is no JSON', 'Not a MARC record'],
      ['an object that is no record', { hello: 'world' }],
      ['a text nested too deep', `${'['.repeat(100)}${']'.repeat(100)}`],
      ['fields with two tags', marc({ '001': 'a', '002': 'b' })],
      ['an empty text', ''],
    ])('%s', async (name, content) => {
      const { status, json } = await client.post(
        authorityBody(`unreadable ${name}`, { parsedRecord: { content } }),
      );
      expect(status).toBe(201);
      expect(json).not.toHaveProperty('parsedRecord');
      expect(json.errorRecord).toEqual({
        id: json.id,
        description: expect.stringMatching(/./),
        content,
      });
      expect((await client.get(json.id)).json).toEqual(json);
      const source = await world.get(
        `/source-storage/source-records?recordType=MARC_AUTHORITY&recordId=${json.id}`,
      );
      expect(source.json.totalRecords).toBe(0);
    });

    it.each<[string, string]>([
      ['in a tag', String.raw`{"leader":"${LEADER}","fields":[{"0\u00001":"a"}]}`],
      ['in a code', String.raw`{"fields":[{"245":{"subfields":[{"\u0000b":"c"}]}}]}`],
      ['beside half a character', String.raw`{"leader":"\ud800\u0000","fields":[]}`],
    ])('U+0000 written as an escape %s of a text', async (where, content) => {
      const saved = await client.save(authorityBody(`nul ${where}`, { parsedRecord: { content } }));
      expect(saved.errorRecord.content).toBe(content);
      expect((await client.get(saved.id)).json).toEqual(saved);
    });

    it('U+0000 written as an escape in readable text stays, and breaks nothing', async () => {
      const content = String.raw`{"leader":"${LEADER}","fields":[{"001":"a\u0000b"},{"003":"\u0000"},
        {"100":{"ind1":"1","ind2":" ","subfields":[{"a":"\u0000\ud800"}]}}]}`;
      const saved = await client.save(authorityBody('nul text', { parsedRecord: { content } }));
      const heading = data('100', '1 ', { a: '\0\ud800' });
      expect(saved.parsedRecord.content.fields.slice(0, 3)).toEqual([
        control('001', 'a\0b'),
        control('003', '\0'),
        heading,
      ]);
    });

    it('of a bibliographic record when its 001 can be read', async () => {
      const content = { leader: 'short', fields: [control('001', 'in bad')] };
      const saved = await client.save(bibBody('in bad', { parsedRecord: { content } }));
      expect(saved).not.toHaveProperty('parsedRecord');
      expect(saved.errorRecord.content).toEqual(content);
    });

    it('beside readable content a sent error stays, however long', async () => {
      const errorRecord = { description: 'x'.repeat(5000), content: 'what was wrong' };
      const saved = await client.save(authorityBody('with error', { errorRecord }));
      expect(saved.errorRecord).toEqual({ id: saved.id, ...errorRecord });
      expect(saved.parsedRecord.content.fields).toHaveLength(3);
    });
  });
});
