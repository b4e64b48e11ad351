import { IDS_MAX } from '@quire/contracts/source-batches';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT } from './chunk-source.js';
import { bib, fill, ids999ff, instanceId, recordId, TWIN_INSTANCE, UNKNOWN } from './library.js';
import { RecordWorld, type Answer } from './record-world.js';

const FETCH = '/source-storage/batch/parsed-records/fetch';
const VERIFY = '/source-storage/batch/verified-records';

/** Source-record-storage, section 5: the two batches that only read. */
describe('batches that read', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    await fill(world);
    // The second generation of a record has another number than the first.
    await world.send([bib('gen1', 'First', { more: [ids999ff('gen', idOf('gen instance'))] })], {
      job: 'gen 1',
      options: { on999ff: 'accept' },
    });
    await world.send([bib('gen2', 'Second', { more: [ids999ff('gen', idOf('gen instance'))] })], {
      job: 'gen 2',
      options: { on999ff: 'accept' },
    });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const post = (target: string, body: object, tenant?: string): Promise<Answer> =>
    world.ask('POST', target, { body, ...(tenant === undefined ? {} : { tenant }) });
  const fetch = async (body: object): Promise<Fetched> => {
    const answer = await post(FETCH, body);
    expect(answer.status).toBe(200);
    return answer.json as Fetched;
  };
  const found = async (conditions: object, more: object = {}): Promise<string[]> =>
    (await fetch({ conditions, recordType: 'MARC_BIB', ...more })).records.map(({ id }) => id);
  const errors = (answer: Answer): unknown => {
    expect(answer.status).toBe(422);
    return (
      answer.json as { errors: { message: string; parameters: { key: string }[] }[] }
    ).errors.map(({ message, parameters }) => [message, parameters[0]?.key]);
  };

  describe('a fetch of parsed records', () => {
    it('gives records in the order of their ids, each once, and leaves unknown ids out', async () => {
      const ids = [recordId(1), UNKNOWN, recordId(0), recordId(1).toUpperCase()];
      const answer = await post(FETCH, {
        conditions: { idType: 'SRS_RECORD', ids },
        recordType: 'MARC_BIB',
      });
      expect(answer.text.startsWith('{"records":[{"id":"')).toBe(true);
      const { records, totalRecords } = answer.json as Fetched;
      expect(totalRecords).toBe(2);
      expect(records.map(({ id }) => id)).toEqual([recordId(1), recordId(0)]);
      expect(records[1]).toEqual({
        id: recordId(0),
        externalIdsHolder: { instanceId: instanceId(0), instanceHrid: 'in2' },
        recordType: 'MARC_BIB',
        recordState: 'ACTUAL',
        parsedRecord: {
          id: recordId(0),
          content: expect.objectContaining({
            fields: [
              { '001': 'in2' },
              { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'The nod' }] } },
              {
                '999': {
                  ind1: 'f',
                  ind2: 'f',
                  subfields: [{ s: recordId(0) }, { i: instanceId(0) }],
                },
              },
            ],
          }) as object,
        },
      });
    });

    it.each([
      ['RECORD', recordId(0)],
      ['SRS_RECORD', recordId(0)],
      ['INSTANCE', instanceId(0)],
      ['EXTERNAL', instanceId(0)],
      [undefined, recordId(0)],
    ])('finds by id type %s', async (idType, id) => {
      expect(await found({ idType, ids: [id] })).toEqual([recordId(0)]);
    });

    it('tells matched ids from ids of records', async () => {
      const [older] = await world.rows<{ id: string; matched_id: string }>(
        `select id, matched_id from record where tenant_id = $1 and external_hrid = 'tw1'`,
      );
      if (!older) throw new Error('no record');
      expect(older.id).not.toBe(older.matched_id);
      expect(await found({ idType: 'RECORD', ids: [older.matched_id] })).toEqual([older.id]);
      expect(await found({ idType: 'RECORD', ids: [older.id] })).toEqual([]);
      expect(await found({ idType: 'SRS_RECORD', ids: [older.id] })).toEqual([older.id]);
    });

    it('gives every record of an external id, the newest first', async () => {
      const { records } = await fetch({
        conditions: { idType: 'INSTANCE', ids: [TWIN_INSTANCE] },
        recordType: 'MARC_BIB',
      });
      expect(records.map((one) => one.externalIdsHolder)).toEqual([
        { instanceId: TWIN_INSTANCE, instanceHrid: 'tw2' },
        { instanceId: TWIN_INSTANCE, instanceHrid: 'tw1' },
      ]);
    });

    it.each([
      ['HOLDINGS', 'MARC_HOLDING', 'ho1'],
      ['AUTHORITY', 'MARC_AUTHORITY', 'au1'],
      ['EXTERNAL', 'MARC_AUTHORITY', 'au1'],
    ])('finds %s of %s, and no record of another type', async (idType, recordType, hrid) => {
      const [row] = await world.rows<{ id: string; external_id: string }>(
        'select id, external_id from record where tenant_id = $1 and external_hrid = $2',
        [hrid],
      );
      const conditions = { idType, ids: [row?.external_id] };
      expect((await fetch({ conditions, recordType })).records[0]?.id).toBe(row?.id);
      expect(await found(conditions)).toEqual([]);
    });

    it('leaves deleted records out unless they are asked for', async () => {
      const conditions = { idType: 'SRS_RECORD', ids: [recordId(2), recordId(0)] };
      expect(await found(conditions)).toEqual([recordId(0)]);
      expect(await found(conditions, { includeDeleted: false })).toEqual([recordId(0)]);
      const { records } = await fetch({
        conditions,
        recordType: 'MARC_BIB',
        includeDeleted: true,
      });
      expect(records.map((one) => [one.id, one.recordState])).toEqual([
        [recordId(2), 'DELETED'],
        [recordId(0), 'ACTUAL'],
      ]);
    });

    it('gives the current generation only', async () => {
      const { records } = await fetch({
        conditions: { ids: [idOf('gen')] },
        recordType: 'MARC_BIB',
      });
      expect(records.map((one) => one.externalIdsHolder)).toEqual([
        { instanceId: idOf('gen instance'), instanceHrid: 'gen2' },
      ]);
    });

    it.each([
      ['one tag', [{ from: '245', to: '245' }], ['245']],
      ['a range, both ends included', [{ from: '001', to: '245' }], ['001', '245']],
      [
        'ranges in any order, fields in that of the record',
        [
          { from: '900', to: '999' },
          { from: '000', to: '001' },
        ],
        ['001', '999'],
      ],
      ['letters, compared as text', [{ from: '24', to: '2z' }], ['245']],
      ['nothing from last to first', [{ from: '999', to: '001' }], []],
      ['no ranges', [], ['001', '245', '999']],
    ])('gives the fields of %s', async (_, data, tags) => {
      const { records } = await fetch({
        conditions: { ids: [recordId(0)] },
        recordType: 'MARC_BIB',
        data,
      });
      const { leader, fields } = records[0]?.parsedRecord.content ?? { fields: [] };
      expect(leader).toHaveLength(24);
      expect(fields.map((field) => Object.keys(field)[0])).toEqual(tags);
    });

    it('without ids is empty, and so is one of another tenant', async () => {
      expect(await fetch({ conditions: {}, recordType: 'MARC_BIB' })).toEqual({
        records: [],
        totalRecords: 0,
      });
      const elsewhere = await post(
        FETCH,
        { conditions: { ids: [recordId(0)] }, recordType: 'MARC_BIB' },
        OTHER_TENANT,
      );
      expect(elsewhere.json).toEqual({ records: [], totalRecords: 0 });
    });

    it.each([
      [{ recordType: 'MARC_BIB' }, [['may not be null', 'conditions']]],
      [{ conditions: {} }, [['may not be null', 'recordType']]],
      [
        { conditions: { idType: 'BARCODE' }, recordType: 'MARC_BIB' },
        [
          [
            'must be one of [RECORD, SRS_RECORD, INSTANCE, HOLDINGS, AUTHORITY, EXTERNAL]',
            'conditions.idType',
          ],
        ],
      ],
      [
        { conditions: { ids: ['x'] }, recordType: 'MARC_BIB' },
        [[expect.stringMatching(/^must match "/), 'conditions.ids[0]']],
      ],
      [
        { conditions: {}, recordType: 'MARC', data: [{ from: '001' }, 5] },
        [
          ['must be one of [MARC_BIB, MARC_AUTHORITY, MARC_HOLDING, EDIFACT]', 'recordType'],
          ['may not be null', 'data[0].to'],
          ['must be an object', 'data[1]'],
        ],
      ],
      [
        { conditions: {}, recordType: 'MARC_BIB', extra: 1 },
        [[expect.stringMatching(/^Unrecognized field "extra"/), 'extra']],
      ],
      [[], [['must be an object', '']]],
    ])('refuses %j', async (body, expected) => {
      expect(errors(await post(FETCH, body))).toEqual(expected);
    });

    it('takes 32,767 ids, and not one more', async () => {
      const ids = Array.from({ length: IDS_MAX }, (_, at) => idOf(`many ${at}`));
      ids[IDS_MAX - 1] = recordId(0);
      expect(await found({ ids })).toEqual([recordId(0)]);
      const tooMany = await post(FETCH, {
        conditions: { ids: [...ids, recordId(1)] },
        recordType: 'MARC_BIB',
      });
      expect(errors(tooMany)).toEqual([['size must be between 0 and 32767', 'conditions.ids']]);
    });
  });

  describe('a check of record numbers', () => {
    const verify = async (hrids: readonly string[]): Promise<unknown> => {
      const { status, json } = await post(VERIFY, hrids);
      expect(status).toBe(200);
      return json;
    };

    it('names those that no bibliographic record has, in the order sent, each once', async () => {
      const hrids = ['zz', 'in2', 'aa', 'zz', 'in1', '', 'aa'];
      expect(await verify(hrids)).toEqual({ invalidMarcBibIds: ['zz', 'aa', ''] });
    });

    it('knows numbers of deleted records and of older generations, but not of other types', async () => {
      expect(await verify(['in3', 'gen1', 'gen2', 'au1', 'ho1'])).toEqual({
        invalidMarcBibIds: ['au1', 'ho1'],
      });
    });

    it('knows nothing of other tenants', async () => {
      expect((await post(VERIFY, ['in1'], OTHER_TENANT)).json).toEqual({
        invalidMarcBibIds: ['in1'],
      });
    });

    it('of nothing is empty', async () => {
      expect(await verify([])).toEqual({ invalidMarcBibIds: [] });
    });

    it('takes 32,767 numbers of any length, and not one more', async () => {
      const hrids = Array.from({ length: IDS_MAX }, (_, at) => `no ${at}`);
      hrids[0] = 'x'.repeat(10_000);
      expect(await verify(hrids)).toEqual({ invalidMarcBibIds: hrids });
      expect(errors(await post(VERIFY, [...hrids, 'in1']))).toEqual([
        ['size must be between 0 and 32767', ''],
      ]);
    });

    it.each([
      [{}, [['must be an array', '']]],
      [
        ['in1', 5, null],
        [
          ['must be a string', '[1]'],
          ['may not be null', '[2]'],
        ],
      ],
      [['a\u0000'], [['must not contain U+0000', '[0]']]],
    ])('refuses %j', async (body, expected) => {
      expect(errors(await post(VERIFY, body))).toEqual(expected);
    });

    it('refuses no body at all, and one of more than 32 MiB', async () => {
      const none = await world.ask('POST', VERIFY);
      expect([none.status, none.text]).toEqual([
        400,
        'HV000116: The object to be validated must not be null.',
      ]);
      const huge = await post(VERIFY, ['x'.repeat(33_554_432)]);
      expect(huge.status).toBe(413);
    });
  });

  it('need their permissions', async () => {
    const ask = { body: [], permissions: ['source-storage.records.item.get'] };
    for (const target of [FETCH, VERIFY])
      expect((await world.ask('POST', target, ask)).status).toBe(403);
  });
});

interface Fetched {
  readonly records: readonly {
    readonly id: string;
    readonly recordState: string;
    readonly externalIdsHolder: object;
    readonly parsedRecord: { readonly content: { leader?: string; fields: readonly object[] } };
  }[];
  readonly totalRecords: number;
}
