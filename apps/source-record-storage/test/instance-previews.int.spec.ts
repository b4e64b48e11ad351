import type { Instance, ValueSource } from '@quire/contracts/instances';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { idOf, USER_ID } from './chunk-source.js';
import { instanceId, recordId, UNKNOWN } from './library.js';
import { RecordWorld } from './record-world.js';

const PATH = '/source-storage/instances';
const NOD = marcRecord({
  fields: [
    ['001', 'r1'],
    ['008', '700101s1998    xxu           000 0 eng d'],
    ['020', '  ', { a: '0140328726 (pbk.)' }],
    ['041', '0 ', { a: 'engfre' }],
    ['100', '1 ', { a: 'Lee, Ann,', d: '1970-', '4': 'aut' }],
    ['245', '14', { a: 'The nod :', b: 'a novel /', c: 'Ann Lee' }],
    ['264', ' 1', { a: 'Lund :', b: 'Owl,', c: '1998.' }],
    ['336', '  ', { a: 'text', b: 'txt' }],
    ['880', '14', { '6': '245-01', a: 'Кивок' }],
  ],
});

describe('GET /source-storage/instances', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    const other = marcRecord({
      fields: [
        ['001', 'r2'],
        ['245', '10', { a: 'Another' }],
      ],
    });
    await world.send([NOD, other], { job: 'reads' });
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const ask = async <T>(target: string): Promise<T> => {
    const { status, json, text } = await world.get(PATH + target);
    if (status !== 200) throw new Error(`${status} ${text}`);
    return json as T;
  };

  it('gives the row of one instance', async () => {
    expect(await ask(`/${instanceId(0)}`)).toEqual({
      id: instanceId(0),
      hrid: 'r1',
      source: 'MARC',
      title: 'The nod : a novel / Ann Lee',
      indexTitle: 'nod : a novel',
      linkedTitles: ['Кивок'],
      contributors: [
        { name: 'Lee, Ann, 1970-', nameType: 'Personal name', primary: true, relator: 'aut' },
      ],
      identifiers: [{ value: '0140328726 (pbk.)', type: 'ISBN' }],
      isbn: ['0140328726', '9780140328721'],
      languages: ['eng', 'fre'],
      dates: { dateType: 's', date1: '1998' },
      publication: [{ publisher: 'Owl', place: 'Lund', dateOfPublication: '1998' }],
      dateOfPublication: ['1998'],
      instanceTypeCode: 'txt',
      modeOfIssuance: 'single unit',
      recordKind: 'am',
      discoverySuppress: false,
      staffSuppress: false,
      deleted: false,
      snapshotId: idOf('reads'),
      recordId: recordId(0),
      duplicates: 0,
      metadata: {
        createdDate: expect.stringMatching(/\+00:00$/) as string,
        createdByUserId: USER_ID,
        updatedDate: expect.stringMatching(/\+00:00$/) as string,
        updatedByUserId: USER_ID,
      },
    });
  });

  it('lists those that a query finds, as pages', async () => {
    const list = await ask<{ instances: Instance[]; totalRecords: number }>(
      '?query=cql.allRecords=1+sortBy+indexTitle&limit=1',
    );
    expect(list.instances.map(({ title }) => title)).toEqual(['Another']);
    expect(list.totalRecords).toBe(2);
    expect(await ask('?query=title=nod&limit=0')).toEqual({ instances: [], totalRecords: 1 });
    expect(await ask('?query=title=nod&totalRecords=none&offset=1')).toEqual({ instances: [] });
  });

  it('explains every value by the fields that say it', async () => {
    const { explanation = [] } = await ask<Instance>(`/${instanceId(0)}?explain=true`);
    const sources = (index: string, value?: unknown): string[] =>
      explanation
        .filter((one) => one.index === index && (value === undefined || one.value === value))
        .flatMap(({ fields }: ValueSource) => fields.map(({ tag, place }) => `${tag}@${place}`));
    expect(explanation.find(({ index }) => index === 'title')).toEqual({
      index: 'title',
      value: 'The nod : a novel / Ann Lee',
      fields: [{ tag: '245', place: 5, content: '14$aThe nod :$ba novel /$cAnn Lee' }],
    });
    expect(sources('indexTitle')).toEqual(['245@5']);
    expect(sources('linkedTitles')).toEqual(['880@8']);
    expect(sources('languages', 'eng')).toEqual(['008@1', '041@3']);
    expect(sources('languages', 'fre')).toEqual(['041@3']);
    expect(sources('contributors')).toEqual(['100@4']);
    expect(sources('isbn', '9780140328721')).toEqual(['020@2']);
    expect(sources('dates.date1')).toEqual(['008@1']);
    expect(sources('publication')).toEqual(['264@6']);
    expect(sources('recordKind')).toEqual(['LDR@undefined']);
    expect(sources('hrid')).toEqual(['001@0']);
    expect(explanation.find(({ index }) => index === 'discoverySuppress')).toEqual({
      index: 'discoverySuppress',
      value: false,
      fields: [],
      property: 'additionalInfo.suppressDiscovery',
    });
    const silent = explanation.filter(({ fields, property }) => fields.length === 0 && !property);
    expect(silent).toEqual([]);
    const list = await ask<{ instances: Instance[] }>('?query=title=nod&explain=TRUE');
    expect(list.instances[0]?.explanation).toEqual(explanation);
  });

  it('says no where there is nothing, or the question is none', async () => {
    for (const id of [UNKNOWN, 'nonsense']) {
      const { status, text } = await world.get(`${PATH}/${id}`);
      expect([status, text]).toEqual([404, `Instance with id '${id}' was not found`]);
    }
    const bad = await world.get(`${PATH}?query=titel=x`);
    expect([bad.status, bad.text.split('\n')[0]]).toEqual([
      400,
      `unable to list instances -- malformed parameter 'query', syntax error at column 1: unknown index 'titel', did you mean 'title'?`,
    ]);
    const unsure = await world.get(`${PATH}?explain=perhaps`);
    expect([unsure.status, unsure.text]).toEqual([
      400,
      `'explain' parameter is incorrect. parameter value {perhaps} is not valid: must be true or false`,
    ]);
    expect((await world.get(`${PATH}/${instanceId(0)}`, { tenant: 'archive' })).status).toBe(404);
  });
});
