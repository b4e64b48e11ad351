import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT, USER_ID } from './chunk-source.js';
import { RecordWorld } from './record-world.js';
import {
  authorityBody,
  bibBody,
  control,
  data,
  ff,
  LEADER,
  marc,
  RecordClient,
  RECORDS,
  type Json,
  type Stored,
} from './sent-records.js';

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

  const without = (body: Json, ...names: readonly string[]): Json =>
    Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
  const fieldsOf = (saved: Stored) => saved.parsedRecord.content.fields;

  it('answers 201 with its place, its version and the stored record', async () => {
    const { status, headers, json } = await client.post(bibBody('in1', { order: 7 }));
    expect(status).toBe(201);
    expect(headers['location']).toBe(`${RECORDS}/${idOf('in1')}`);
    const now = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
    expect(json).toEqual({
      id: idOf('in1'),
      snapshotId: idOf('snapshot'),
      matchedId: idOf('in1'),
      generation: 0,
      recordType: 'MARC_BIB',
      rawRecord: { id: idOf('in1'), content: 'raw in1' },
      parsedRecord: {
        id: idOf('in1'),
        content: {
          leader: expect.stringMatching(/^\d{5}nam a22\d{5} i 4500$/),
          fields: [
            control('001', 'in1'),
            data('245', '10', { a: 'Title of in1' }),
            ff(idOf('in1')),
          ],
        },
      },
      deleted: false,
      order: 7,
      externalIdsHolder: { instanceId: idOf('instance in1'), instanceHrid: 'in1' },
      additionalInfo: { suppressDiscovery: false },
      state: 'ACTUAL',
      leaderRecordStatus: 'n',
      metadata: {
        createdDate: now,
        createdByUserId: USER_ID,
        createdByUsername: 'ann',
        updatedDate: json.metadata.createdDate,
        updatedByUserId: USER_ID,
        updatedByUsername: 'ann',
      },
    });
    const read = await client.get(idOf('in1'));
    expect(read.json).toEqual(json);
    expect(read.headers['etag']).toBe(headers['etag']);
    expect(headers['etag']).toMatch(/^"\d{16}"$/);
  });

  it('makes an id where none was sent, and takes ids in upper case', async () => {
    const made = await client.save(without(authorityBody('no id'), 'id'));
    expect(made.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(made).toMatchObject({ matchedId: made.id, rawRecord: { id: made.id } });
    const upper = await client.save(
      authorityBody(
        'upper',
        { id: idOf('upper').toUpperCase() },
        ff(idOf('upper s').toUpperCase()),
      ),
    );
    expect(upper).toMatchObject({ id: idOf('upper'), matchedId: idOf('upper s') });
    expect((await client.get(idOf('upper').toUpperCase())).status).toBe(200);
  });

  describe('checks, in this order', () => {
    const INCOMPLETE =
      "MARC_BIB records must contain external instance and hr id's and 001 field into parsed record";

    it.each([
      ['no external ids', { externalIdsHolder: undefined }],
      ['no instance id', { externalIdsHolder: { instanceHrid: 'x' } }],
      ['no hrid', { externalIdsHolder: { instanceId: idOf('x') } }],
      ['no parsed record', { parsedRecord: undefined }],
      ['no 001', { parsedRecord: { content: marc(data('245', '10', { a: 'x' })) } }],
      ['an empty 001', { parsedRecord: { content: marc(control('001', '')) } }],
      ['a text that cannot be parsed', { parsedRecord: { content: '{"leader": ' } }],
    ])(
      'a bibliographic record with %s is refused, before its snapshot is looked for',
      async (_, changes) => {
        const { status, text } = await client.post(
          bibBody('incomplete', { snapshotId: idOf('no snapshot'), ...changes }),
        );
        expect([status, text]).toEqual([400, INCOMPLETE]);
      },
    );

    it('a snapshot that is not there is not found, that of another tenant neither', async () => {
      const text = `Snapshot with id '${idOf('no snapshot')}' was not found`;
      const body = bibBody('lost', { snapshotId: idOf('no snapshot') });
      expect(await client.post(body)).toMatchObject({ status: 404, text });
      const other = await client.post(bibBody('lost'), { tenant: OTHER_TENANT });
      expect(other).toMatchObject({
        status: 404,
        text: `Snapshot with id '${idOf('snapshot')}' was not found`,
      });
    });

    it('a snapshot that has not started is refused with its status', async () => {
      await client.snapshot('new', 'NEW');
      expect(await client.post(bibBody('early', { snapshotId: idOf('new') }))).toMatchObject({
        status: 400,
        text: 'Date when processing started is not set, expected snapshot status is PARSING_IN_PROGRESS, actual - NEW',
      });
      expect((await client.get(idOf('early'))).status).toBe(404);
    });
  });

  describe('refuses a body', () => {
    const keysOf = (json: { errors: { message: string; parameters: { key: string }[] }[] }) =>
      json.errors.map(({ message, parameters }) => [parameters[0]?.key, message]);
    const UUID =
      'must match "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$"';

    it('that is empty, naming every required property', async () => {
      const { status, json } = await client.post({});
      expect(status).toBe(422);
      expect(keysOf(json)).toEqual(
        ['snapshotId', 'matchedId', 'recordType', 'rawRecord'].map((key) => [
          key,
          'may not be null',
        ]),
      );
      expect((await client.put(idOf('in1'), {})).json).toEqual(json);
    });

    it.each<[string, Json, readonly [string, string]]>([
      ['a bad id', { id: '1' }, ['id', UUID]],
      ['a bad snapshot id', { snapshotId: 'x' }, ['snapshotId', UUID]],
      [
        'an unknown type',
        { recordType: 'MARC' },
        ['recordType', 'must be one of [MARC_BIB, MARC_AUTHORITY, MARC_HOLDING, EDIFACT]'],
      ],
      [
        'an unknown state',
        { state: 'GONE' },
        ['state', 'must be one of [ACTUAL, OLD, DRAFT, DELETED]'],
      ],
      [
        'a negative generation',
        { generation: -1 },
        ['generation', 'must be greater than or equal to 0'],
      ],
      [
        'a huge generation',
        { generation: 2 ** 31 },
        ['generation', 'must be less than or equal to 2147483647'],
      ],
      ['a huge order', { order: 2 ** 31 }, ['order', 'must be less than or equal to 2147483647']],
      [
        'a bad status',
        { leaderRecordStatus: 'q' },
        ['leaderRecordStatus', 'must match "^[a|c|d|n|p|o|s|x]{1}$"'],
      ],
      [
        'content that is a list',
        { parsedRecord: { content: [] } },
        ['parsedRecord.content', 'must be an object'],
      ],
      [
        'content that is a number',
        { parsedRecord: { content: 1 } },
        ['parsedRecord.content', 'must be an object'],
      ],
      ['no content', { parsedRecord: {} }, ['parsedRecord.content', 'may not be null']],
      [
        'raw content that is no text',
        { rawRecord: { content: {} } },
        ['rawRecord.content', 'must be a string'],
      ],
      [
        'an error without description',
        { errorRecord: { content: 'x' } },
        ['errorRecord.description', 'may not be null'],
      ],
      ['metadata without a date', { metadata: {} }, ['metadata.createdDate', 'may not be null']],
      [
        'a bad instance id',
        { externalIdsHolder: { instanceId: '1', instanceHrid: 'x' } },
        ['externalIdsHolder.instanceId', UUID],
      ],
      [
        'an hrid that no index can hold',
        { externalIdsHolder: { instanceHrid: 'x'.repeat(501) } },
        ['externalIdsHolder.instanceHrid', 'size must be between 0 and 500'],
      ],
      [
        'U+0000 in raw content',
        { rawRecord: { content: 'a\0' } },
        ['rawRecord.content', 'must not contain U+0000'],
      ],
      [
        'U+0000 in parsed content',
        { parsedRecord: { content: marc(control('001', 'a\0')) } },
        ['parsedRecord.content', 'must not contain U+0000'],
      ],
      [
        'U+0000 in a tag',
        { parsedRecord: { content: { fields: [{ '0\0': '' }] } } },
        ['parsedRecord.content', 'must not contain U+0000'],
      ],
      [
        'U+0000 in further information',
        { additionalInfo: { note: ['\0'] } },
        ['additionalInfo.note', 'must not contain U+0000'],
      ],
      [
        'a lone surrogate in further information',
        { additionalInfo: { note: '\ud800' } },
        ['additionalInfo.note', 'must be well-formed Unicode'],
      ],
    ])('with %s', async (_, changes, expected) => {
      const { status, json } = await client.post(bibBody('bad', changes));
      expect(status).toBe(422);
      expect(keysOf(json)).toEqual([expected]);
    });

    it('with unknown properties', async () => {
      const { status, json } = await client.post(bibBody('bad', { tenantId: 'x' }));
      expect(status).toBe(422);
      expect(json.errors[0].message).toMatch(
        /^Unrecognized field "tenantId", not marked as ignorable \(15 known/,
      );
    });

    it('that is nested too deep', async () => {
      let deep: Json = {};
      for (let depth = 0; depth < 80; depth += 1) deep = { deep };
      expect(await client.post(bibBody('deep', { additionalInfo: deep }))).toMatchObject({
        status: 400,
        text: 'JSON is nested deeper than 64',
      });
    });
  });

  describe('decides the matched id', () => {
    it('by 999 ff $s, beside whose other subfields it stands', async () => {
      const own = data('999', 'ff', { i: idOf('i') }, { s: idOf('given s') });
      const plain = data('999', '  ', { s: 'local' });
      const saved = await client.save(
        authorityBody(
          'au by s',
          { matchedId: idOf('ignored') },
          own,
          plain,
          control('009', 'last'),
        ),
      );
      expect(saved.matchedId).toBe(idOf('given s'));
      expect(fieldsOf(saved).slice(2)).toEqual([own, plain, control('009', 'last')]);
    });

    it('by the stored ACTUAL record of the same type and external id', async () => {
      await client.snapshot('earlier');
      const first = await client.save(bibBody('ext', { snapshotId: idOf('earlier') }));
      await client.snapshot('earlier', 'COMMITTED');
      await client.snapshot('later');
      const body = bibBody('ext', { id: idOf('ext 2'), snapshotId: idOf('later') });
      const second = await client.save(body);
      expect(second).toMatchObject({ matchedId: first.id, generation: 1 });
      expect(fieldsOf(second).at(-1)).toEqual(ff(first.id));
      expect((await client.get(first.id)).json.state).toBe('OLD');
    });

    it('else by its own id: another type, and a record that is not to be ACTUAL, are not the same', async () => {
      const externalIdsHolder = {
        authorityId: idOf('instance ext'),
        instanceId: idOf('instance ext'),
        instanceHrid: 'ext',
      };
      const other = await client.save(authorityBody('au ext', { externalIdsHolder }));
      expect(other.matchedId).toBe(idOf('au ext'));
      const draft = await client.save(bibBody('ext', { id: idOf('ext draft'), state: 'DRAFT' }));
      expect(draft).toMatchObject({ matchedId: idOf('ext draft'), state: 'DRAFT' });
    });

    it('not by 999 ff $s that is no id', async () => {
      const saved = await client.save(authorityBody('au bad s', {}, ff('not an id')));
      expect(saved.matchedId).toBe(idOf('au bad s'));
      expect(fieldsOf(saved).at(-1)).toEqual(ff(idOf('au bad s')));
    });

    it('of EDIFACT by its own id, writing nothing into it', async () => {
      const content = "UNA:+.? 'UNB+UNOC:3'";
      const saved = await client.save(
        authorityBody('edi', { recordType: 'EDIFACT', parsedRecord: { content } }),
      );
      expect(saved).toMatchObject({ matchedId: idOf('edi'), parsedRecord: { content } });
      expect(saved).not.toHaveProperty('leaderRecordStatus');
    });
  });

  describe('keeps', () => {
    it('only the external ids of the type', async () => {
      const ids = {
        instanceId: idOf('a'),
        instanceHrid: 'a',
        holdingsId: idOf('b'),
        holdingsHrid: 'b',
        authorityId: idOf('c'),
        authorityHrid: 'c',
      };
      const saved = await client.save(authorityBody('au ids', { externalIdsHolder: ids }));
      expect(saved.externalIdsHolder).toEqual({ authorityId: idOf('c'), authorityHrid: 'c' });
      const holding = await client.save(
        authorityBody('ho ids', { recordType: 'MARC_HOLDING', externalIdsHolder: ids }),
      );
      expect(holding.externalIdsHolder).toEqual({ holdingsId: idOf('b'), holdingsHrid: 'b' });
    });

    it('further information as it is', async () => {
      const additionalInfo = {
        suppressDiscovery: 'true',
        staffSuppress: true,
        __proto__: null,
        nested: { list: [1, 'two', null], __proto__: null },
        text: 'Ж',
      };
      const saved = await client.save(authorityBody('au info', { additionalInfo }));
      expect(saved.additionalInfo).toEqual({
        suppressDiscovery: true,
        staffSuppress: true,
        nested: { list: [1, 'two', null] },
        text: 'Ж',
      });
      expect((await client.get(saved.id)).json).toEqual(saved);
    });

    it('a raw record of any length, and none that its content gives', async () => {
      const long = 'Ж'.repeat(100_000);
      const saved = await client.save(authorityBody('au long', { rawRecord: { content: long } }));
      expect(saved.rawRecord.content).toBe(long);
      const kept = await world.rows<{ inline: boolean; length: string }>(
        'select content is not null as inline, length from record_raw where tenant_id = $1 and record_id = $2',
        [saved.id],
      );
      expect(kept).toEqual([{ inline: false, length: '200000' }]);
      const intents = await world.rows('select key from object_intent where tenant_id = $1');
      expect(intents).toEqual([]);

      const derived = await client.save(
        authorityBody('au same', { rawRecord: { content: await isoOf('au same') } }),
      );
      expect(derived.rawRecord.content).toBe(await isoOf('au same'));
      const none = await world.rows(
        'select 1 from record_raw where tenant_id = $1 and record_id = $2',
        [derived.id],
      );
      expect(none).toEqual([]);
    });

    /** What the content of `authorityBody(name)` is in ISO 2709, before 999 ff. */
    async function isoOf(name: string): Promise<string> {
      const { marcRecord } = await import('@quire/testing/marc');
      const fields = [
        ['001', name],
        ['100', '1 ', { a: `Heading ${name}` }],
      ] as const;
      return marcRecord({ leader: LEADER, fields }).toString('utf8');
    }

    it('content that is sent as a text as an object', async () => {
      const content = JSON.stringify(marc(control('001', 'as text')));
      const saved = await client.save(bibBody('as text', { parsedRecord: { content } }));
      expect(saved.parsedRecord.content).toMatchObject({ fields: [control('001', 'as text'), {}] });
    });

    it('content that ISO 2709 cannot carry, exactly', async () => {
      const content = {
        leader: LEADER,
        fields: [control('001', 'exact'), control('008', 'a\u001eb')],
      };
      const saved = await client.save(bibBody('exact', { parsedRecord: { content } }));
      expect(saved.parsedRecord.content).toEqual({
        leader: LEADER,
        fields: [...content.fields, ff(idOf('exact'))],
      });
    });
  });

  describe('takes the status from the leader', () => {
    const statusOf = async (name: string, leader: string | undefined): Promise<Stored> => {
      const content = { leader, fields: [control('001', name)] };
      return client.save(
        bibBody(name, { parsedRecord: { content }, leaderRecordStatus: 'a', deleted: true }),
      );
    };
    const listed = async (name: string): Promise<number> => {
      const target = `/source-storage/source-records?recordId=${idOf(name)}`;
      return Number((await world.get(target)).json.totalRecords);
    };

    it.each(['a', 'c', 'n', 'p', 'o'])('%s', async (status) => {
      const saved = await statusOf(`status ${status}`, `00000${status}am a2200000 i 4500`);
      expect(saved).toMatchObject({ leaderRecordStatus: status, deleted: false });
    });

    it.each(['d', 's', 'x'])('%s, which says that the record is deleted', async (status) => {
      const saved = await statusOf(`status ${status}`, `00000${status}am a2200000 i 4500`);
      expect(saved).toMatchObject({ leaderRecordStatus: status, deleted: true, state: 'ACTUAL' });
    });

    it('another character is none, and hides nothing', async () => {
      const saved = await statusOf('status 5', '000005am a2200000 i 4500'.slice(0, 24));
      expect(saved).not.toHaveProperty('leaderRecordStatus');
      expect(await listed('status 5')).toBe(1);
    });

    it('no leader is none: the record is readable, but no source record', async () => {
      const saved = await statusOf('status none', undefined);
      expect(saved).not.toHaveProperty('leaderRecordStatus');
      expect(saved).not.toHaveProperty('errorRecord');
      expect(saved).toMatchObject({ parsedRecord: { content: { fields: [{}, {}] } } });
      expect(await listed('status none')).toBe(0);
    });
  });
});
