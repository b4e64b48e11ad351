import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { budget, fiscalYear, fund, group } from '../src/domain/entities.js';
import { sampleId } from '../src/domain/sample-data.js';
import { FinanceWorld, OTHER_TENANT, UNKNOWN_ID, type Answer } from './finance-world.js';

/** Many entities by a list of ids in the body (finance-storage, 1.3 and section 2). */
let database: TestDatabase;
let world: FinanceWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url, true);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const ask = (path: string, body: object, tenant?: string): Promise<Answer> =>
  world.ask('POST', `/${path}/batch`, { body, ...(tenant === undefined ? {} : { tenant }) });
const manyIds = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
  );
const H_AFR = sampleId(fund, 'H-AFR');
const H_EUR = sampleId(fund, 'H-EUR');

describe('the group-fund-fiscal-years of funds', () => {
  const idsOf = ({ status, text, json }: Answer): readonly string[] => {
    expect([status, text]).toEqual([200, text]);
    const list = json as { groupFundFiscalYears: { id: string }[]; totalRecords: number };
    expect(Object.keys(list)).toEqual(['groupFundFiscalYears', 'totalRecords']);
    expect(list.totalRecords).toBe(list.groupFundFiscalYears.length);
    const ids = list.groupFundFiscalYears.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    return ids;
  };

  it.each([
    [{ fundIds: [H_AFR] }, 2],
    [{ fundIds: [H_EUR, H_AFR, H_AFR.toUpperCase(), UNKNOWN_ID] }, 3],
    [{ fundIds: [H_AFR, H_EUR], fiscalYearId: sampleId(fiscalYear, 'FY2026') }, 2],
    [{ fundIds: [H_AFR, H_EUR], groupId: sampleId(group, 'HIST') }, 3],
    [{ fundIds: [H_AFR, H_EUR], groupId: sampleId(group, 'SCI') }, 0],
    [{ fundIds: [H_AFR], fiscalYearId: UNKNOWN_ID, groupId: null }, 0],
    [{ fundIds: manyIds(32_767) }, 0],
  ])('%# are found, by id', async (body, count) => {
    expect(idsOf(await ask('group-fund-fiscal-years', body))).toHaveLength(count);
  });

  it('are those of the tenant', async () => {
    expect(idsOf(await ask('group-fund-fiscal-years', { fundIds: [H_AFR] }, OTHER_TENANT))).toEqual(
      [],
    );
  });

  it.each([[[]], [manyIds(32_768)]])('%# are asked for with 1 to 32,767 ids', async (fundIds) => {
    const answer = await ask('group-fund-fiscal-years', { fundIds });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      errors: [{ message: 'size must be between 1 and 32767', parameters: [{ key: 'fundIds' }] }],
    });
  });

  it.each([
    [{}, 'may not be null', 'fundIds'],
    [{ fundIds: ['x'] }, expect.stringContaining('must match "^[0-9a-fA-F]{8}'), 'fundIds[0]'],
    [
      { fundIds: [H_AFR], groupId: 'x' },
      expect.stringContaining('must match "^[0-9a-fA-F]{8}'),
      'groupId',
    ],
    [{ fundIds: [H_AFR], ids: [] }, expect.stringContaining('Unrecognized field "ids"'), 'ids'],
  ])('%# are checked', async (body, message, key) => {
    const answer = await ask('group-fund-fiscal-years', body);
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      errors: [{ message: message as string, parameters: [{ key }] }],
    });
  });
});

describe.each([
  ['funds', fund, ['H-USA', 'ENDOW', 'H-AFR']],
  ['budgets', budget, ['UNIV-FY2026', 'H-AFR-FY2025', 'H-EUR-FY2026']],
] as const)('%s by their ids', (path, entity, keys) => {
  const ids = keys.map((key) => sampleId(entity, key));

  it('come in the order of the ids, each once, without those that there are not', async () => {
    const [first = '', ...others] = ids;
    const sent = [first.toUpperCase(), UNKNOWN_ID, ...others, first];
    const answer = await ask(path, { ids: sent });
    expect(answer.status).toBe(200);
    const list = answer.json as Record<string, unknown>;
    expect(Object.keys(list)).toEqual([path, 'totalRecords']);
    expect((list[path] as { id: string }[]).map(({ id }) => id)).toEqual(ids);
    expect(list['totalRecords']).toBe(3);
    const single = await world.ask('GET', `/${path}/${first}`);
    expect((list[path] as object[])[0]).toEqual(single.json);
  });

  it('may be none, many, or of another tenant', async () => {
    const empty = { [path]: [], totalRecords: 0 };
    expect((await ask(path, { ids: [] })).json).toEqual(empty);
    expect((await ask(path, { ids: manyIds(32_767) })).json).toEqual(empty);
    expect((await ask(path, { ids }, OTHER_TENANT)).json).toEqual(empty);
  });

  it('are at most 32,767', async () => {
    const answer = await ask(path, { ids: manyIds(32_768) });
    expect(answer.json).toMatchObject({
      errors: [{ message: 'size must be between 0 and 32767', parameters: [{ key: 'ids' }] }],
    });
    expect((await ask(path, {})).json).toMatchObject({ errors: [{ message: 'may not be null' }] });
  });
});
