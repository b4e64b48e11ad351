import { controlField, dataField } from '@quire/marc/iso2709/write';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { OTHER_TENANT, TENANT } from './chunk-source.js';
import { bib, instanceId, recordId, UNKNOWN } from './library.js';
import { RecordWorld, type Ask } from './record-world.js';

const TARGET = '/source-storage/records/matching';
const JOB = 'matched';

describe('POST /source-storage/records/matching', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser, to set what no door sets. */
  let admin: DataSource;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const more = [
      controlField('007', '12569'),
      dataField('024', '80', [['a', 'test123']]),
      dataField('035', '  ', [['a', '(OCoLC)63611770']]),
    ];
    const plain = ['in002', 'in003', 'in004'].map((hrid) => bib(hrid, `Book ${hrid}`));
    await world.send([bib('in001', 'The nod', { more }), ...plain], { job: JOB });
    await world.send([bib('in001', 'Elsewhere')], { job: 'elsewhere', tenantId: OTHER_TENANT });
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const set = (columns: string, order: number): Promise<unknown> =>
    admin.query(
      `update source_record_storage.record set ${columns} where tenant_id = $1 and id = $2`,
      [TENANT, recordId(order, JOB)],
    );
  const ask = async (body: object, more: Ask = {}): Promise<unknown> => {
    const { status, json, text } = await world.ask('POST', TARGET, { body, ...more });
    return status === 200 ? json : [status, json ?? text];
  };
  const match = (filters: readonly object[], more: object = {}): Promise<unknown> =>
    ask({ recordType: 'MARC_BIB', filters, ...more });
  const page = (total: number, ...orders: readonly number[]): object => ({
    identifiers: orders
      .map((order) => ({ recordId: recordId(order, JOB), externalId: instanceId(order, JOB) }))
      .sort((one, other) => (one.recordId < other.recordId ? -1 : 1)),
    totalRecords: total,
  });
  const NOD = page(1, 0);
  const NOTHING = page(0);
  const ff = { field: '999', indicator1: 'f', indicator2: 'f' };
  const hit = { field: '001', values: ['in001'] };
  const miss = { field: '007', values: ['x'] };

  it.each<[string, object, object]>([
    ['001', hit, NOD],
    ['999 ff s', { ...ff, subfield: 's', values: [recordId(0, JOB)] }, NOD],
    ['999 ff i', { ...ff, subfield: 'i', values: [instanceId(0, JOB)] }, NOD],
    ['999 ff of nobody', { ...ff, subfield: 's', values: [UNKNOWN, 'x'] }, NOTHING],
    [
      '024 80',
      {
        field: '024',
        indicator1: '8',
        indicator2: '0',
        subfield: 'a',
        values: ['12345', 'test123'],
      },
      NOD,
    ],
    [
      '024 **',
      { field: '024', indicator1: '*', indicator2: '*', subfield: 'a', values: ['test123'] },
      NOD,
    ],
    ['024 blank', { field: '024', subfield: 'a', values: ['test123'] }, NOTHING],
    [
      '035 by its digits',
      { field: '035', subfield: 'a', values: ['63611770'], comparisonPartType: 'NUMERICS_ONLY' },
      NOD,
    ],
    [
      '035 by its letters and digits, qualified',
      {
        field: '035',
        subfield: 'a',
        values: ['OCoLC63611770'],
        comparisonPartType: 'ALPHANUMERICS_ONLY',
        qualifier: 'CONTAINS',
        qualifierValue: 'OCoLC',
      },
      NOD,
    ],
    ['007', { field: '007', values: ['12569'] }, NOD],
    [
      '007 that begins otherwise',
      { field: '007', values: ['12569'], qualifier: 'BEGINS_WITH', qualifierValue: 'ABC' },
      NOTHING,
    ],
  ])('finds by %s', async (_, filter, found) => {
    expect(await match([filter])).toEqual(found);
  });

  it('joins filters by AND, or by OR when told', async () => {
    expect(await match([hit, miss])).toEqual(NOTHING);
    expect(await match([hit, miss], { logicalOperator: 'AND' })).toEqual(NOTHING);
    expect(await match([hit, miss], { logicalOperator: 'OR' })).toEqual(NOD);
    const numbers = ['in001', 'in003'].map((value) => ({ field: '001', values: [value] }));
    expect(await match(numbers, { logicalOperator: 'OR' })).toEqual(page(2, 0, 2));
    const either = [{ field: '035', subfield: 'a', values: ['(OCoLC)63611770'] }, numbers[1]!];
    expect(await match(either, { logicalOperator: 'OR' })).toEqual(page(2, 0, 2));
  });

  it('finds deleted records too', async () => {
    await set(`state = 'DELETED'`, 0);
    expect(await match([{ ...ff, subfield: 's', values: [recordId(0, JOB)] }])).toEqual(NOD);
    expect(await match([{ field: '007', values: ['12569'] }])).toEqual(NOD);
    await set(`state = 'ACTUAL'`, 0);
  });

  it('finds neither generations of before, nor other types, nor other tenants', async () => {
    await set(`state = 'OLD'`, 0);
    expect(await match([hit])).toEqual(NOTHING);
    expect(await match([{ field: '035', subfield: 'a', values: ['(OCoLC)63611770'] }])).toEqual(
      NOTHING,
    );
    await set(`state = 'ACTUAL'`, 0);
    expect(await match([hit], { recordType: 'MARC_HOLDING' })).toEqual(NOTHING);
    expect(await ask({ recordType: 'MARC_BIB', filters: [hit] }, { tenant: OTHER_TENANT })).toEqual(
      {
        identifiers: [
          { recordId: recordId(0, 'elsewhere'), externalId: instanceId(0, 'elsewhere') },
        ],
        totalRecords: 1,
      },
    );
  });

  it('finds no record without an external id', async () => {
    await set('external_id = null', 1);
    expect(await match([{ field: '001', values: ['in002'] }])).toEqual(NOTHING);
    expect(
      await match([
        { field: '245', indicator1: '1', indicator2: '0', subfield: 'a', values: ['Book in002'] },
      ]),
    ).toEqual(NOTHING);
    await set(`external_id = '${instanceId(1, JOB)}'`, 1);
  });

  it('finds a record without parsed content by its columns', async () => {
    const content = await admin.query<{ content: Buffer }[]>(
      'delete from source_record_storage.record_content where tenant_id = $1 and record_id = $2 returning content',
      [TENANT, recordId(3, JOB)],
    );
    const number = { field: '001', values: ['in004'] };
    expect(await match([number])).toEqual(page(1, 3));
    expect(await match([number, miss], { logicalOperator: 'OR' })).toEqual(page(1, 3));
    expect(await match([number, { field: '007', values: ['12569'] }])).toEqual(NOTHING);
    await admin.query('insert into source_record_storage.record_content values ($1, $2, $3)', [
      TENANT,
      recordId(3, JOB),
      (content as unknown as [{ content: Buffer }[]])[0][0]?.content,
    ]);
  });

  it('pages in the order of record ids, and counts only when wanted', async () => {
    const all = {
      field: '001',
      values: ['in'],
      matchType: 'EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE',
    };
    const { identifiers } = page(4, 0, 1, 2, 3) as { identifiers: object[] };
    expect(await match([all])).toEqual({ identifiers, totalRecords: 4 });
    expect(await match([all], { offset: 1, limit: 2 })).toEqual({
      identifiers: identifiers.slice(1, 3),
      totalRecords: 4,
    });
    expect(await match([all], { offset: 9 })).toEqual({ identifiers: [], totalRecords: 4 });
    expect(await match([all], { limit: 3, returnTotalRecordsCount: false })).toEqual({
      identifiers: identifiers.slice(0, 3),
    });
  });

  it('takes no value for more than text', async () => {
    for (const value of [
      `'`,
      `in001' or '1'='1`,
      '\\',
      'in001\\',
      ':*',
      '035a:*',
      '*',
      '%',
      '_',
      '(',
      `";--`,
    ])
      for (const field of ['001', '003', '007', '035', '245']) {
        const filter = { field, subfield: 'a', values: [value] };
        expect(await match([filter])).toEqual(NOTHING);
        expect(
          await match([{ ...filter, matchType: 'EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE' }]),
        ).toEqual(value === '(' && field === '035' ? NOD : NOTHING);
      }
  });

  it.each<[string, object, string, string]>([
    ['no filters', { filters: [] }, 'filters', 'size must be between 1 and 2147483647'],
    ['absent filters', { filters: null }, 'filters', 'may not be null'],
    [
      'no values',
      { filters: [{ field: '001', values: [] }] },
      'filters[0].values',
      'size must be between 1 and 2147483647',
    ],
    ['absent values', { filters: [{ field: '001' }] }, 'filters[0].values', 'may not be null'],
    [
      'a value with U+0000',
      { filters: [{ field: '001', values: ['a\u0000'] }] },
      'filters[0].values[0]',
      'must not contain U+0000',
    ],
    ['no field', { filters: [{ values: ['x'] }] }, 'filters[0].field', 'may not be null'],
    [
      'a field that is none',
      { filters: [{ ...hit, field: '01' }] },
      'filters[0].field',
      'must match "^[0-9]{3}$"',
    ],
    [
      'an indicator that is none',
      { filters: [{ ...hit, indicator1: '#' }] },
      'filters[0].indicator1',
      'must match "^[a-z0-9\\s*]?$"',
    ],
    [
      'two indicators',
      { filters: [{ ...hit, indicator2: 'ff' }] },
      'filters[0].indicator2',
      'must match "^[a-z0-9\\s*]?$"',
    ],
    [
      'a subfield that is none',
      { filters: [{ ...hit, subfield: 'A' }] },
      'filters[0].subfield',
      'must match "^[a-z0-9]?$"',
    ],
    [
      'EDIFACT',
      { recordType: 'EDIFACT' },
      'recordType',
      'must be one of [MARC_BIB, MARC_AUTHORITY, MARC_HOLDING]',
    ],
    ['no type', { recordType: null }, 'recordType', 'may not be null'],
    [
      'an operator that is none',
      { logicalOperator: 'XOR' },
      'logicalOperator',
      'must be one of [AND, OR]',
    ],
    ['a limit of 0', { limit: 0 }, 'limit', 'must be greater than or equal to 1'],
    ['a negative offset', { offset: -1 }, 'offset', 'must be greater than or equal to 0'],
    [
      'a qualifier that is none',
      { filters: [{ ...hit, qualifier: 'LIKE' }] },
      'filters[0].qualifier',
      'must be one of [BEGINS_WITH, ENDS_WITH, CONTAINS]',
    ],
    [
      'a part that is none',
      { filters: [{ ...hit, comparisonPartType: 'ALL' }] },
      'filters[0].comparisonPartType',
      'must be one of [NUMERICS_ONLY, ALPHANUMERICS_ONLY]',
    ],
  ])('says 422 to %s', async (_, change, key, message) => {
    const answer = await ask({ recordType: 'MARC_BIB', filters: [hit], ...change });
    expect(answer).toEqual([
      422,
      expect.objectContaining({
        errors: [
          expect.objectContaining({ message, parameters: [expect.objectContaining({ key })] }),
        ],
      }),
    ]);
  });

  it('says 422 to what it does not know, and 403 without permission', async () => {
    for (const body of [
      { filter: [] },
      { filters: [{ ...hit, tag: '001' }] },
      { filters: [{ ...hit, matchType: 'EXACT' }] },
    ])
      expect(await ask({ recordType: 'MARC_BIB', filters: [hit], ...body })).toEqual([
        422,
        expect.anything(),
      ]);
    expect(await ask({ recordType: 'MARC_BIB', filters: [hit] }, { permissions: [] })).toEqual([
      403,
      expect.anything(),
    ]);
  });
});
