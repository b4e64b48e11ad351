import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  ALWAYS,
  FinanceWorld,
  OTHER_TENANT,
  UNKNOWN_ID,
  type Answer,
  type Library,
  type Made,
} from './finance-world.js';

/** What the database refuses, for POST and PUT and DELETE alike (finance-storage, section 3). */
let database: TestDatabase;
let world: FinanceWorld;
let library: Library;
let budget: Made;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  library = await world.library('Café');
  budget = await world.make('budgets', {
    name: 'Café-2026',
    budgetStatus: 'Active',
    fundId: library.fund.id,
    fiscalYearId: library.year.id,
  });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const textOf = ({ status, text }: Answer): readonly unknown[] => [status, text];
const BODIES = (): Readonly<Record<string, Record<string, unknown>>> => ({
  groups: { code: 'new', name: 'new', status: 'Active' },
  'fiscal-years': { code: 'new', name: 'new', ...ALWAYS },
  ledgers: { code: 'new', name: 'new', ledgerStatus: 'Active', fiscalYearOneId: library.year.id },
  'fund-types': { name: 'new' },
  funds: { code: 'new', name: 'new', fundStatus: 'Active', ledgerId: library.ledger.id },
});

describe('names and codes', () => {
  it.each([
    ['groups', 'code', 'groups'],
    ['groups', 'name', 'groups'],
    ['fiscal-years', 'code', 'fiscal_year'],
    ['ledgers', 'name', 'ledger'],
    ['ledgers', 'code', 'ledger'],
    ['fund-types', 'name', 'fund_type'],
    ['funds', 'code', 'fund'],
  ])('of %s are unique without case and accents: %s', async (path, property, table) => {
    const other = await world.make(path, {
      ...BODIES()[path],
      code: `other-${property}`,
      name: `other-${property}`,
      ...(path === 'fund-types' ? { code: undefined } : {}),
    });
    for (const value of ['Café', 'CAFE', 'cafe']) {
      const text = `${property} value already exists in table ${table}: ${value}`;
      const post = await world.ask('POST', `/${path}`, {
        body: { ...BODIES()[path], [property]: value },
      });
      expect(textOf(post)).toEqual([400, text]);
      const stored = await world.get(path, other);
      const put = await world.ask('PUT', `/${path}/${other.id}`, {
        body: { ...stored, [property]: value },
      });
      expect(textOf(put)).toEqual([400, text]);
    }
  });

  it.each([
    ['fiscal-years', 'name'],
    ['funds', 'name'],
  ])('that are not unique may be the same: %s, %s', async (path, property) => {
    await world.make(path, { ...BODIES()[path], code: `same-${path}`, [property]: 'Café' });
  });

  it.each(['groups', 'fiscal-years', 'ledgers', 'fund-types', 'funds'])(
    'of %s may be 10,000 characters long, and differ in the last one',
    async (path) => {
      const long = Array.from({ length: 9999 }, (_, at) =>
        String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000)),
      ).join('');
      const named = (end: string): Record<string, unknown> => ({
        ...BODIES()[path],
        name: long + end,
        ...(path === 'fund-types' ? {} : { code: long + end, description: long }),
        ...(path === 'funds' ? { tags: { tagList: [long + end] } } : {}),
      });
      await world.make(path, named('a'));
      const other = await world.make(path, named('b'));
      const again = await world.ask('POST', `/${path}`, { body: named('B') });
      expect([again.status, again.text.slice(0, 60)]).toEqual([
        400,
        expect.stringContaining('value already exists in table'),
      ]);
      const stored = await world.get(path, other);
      expect(stored['name']).toBe(`${long}b`);
      const sorted = await world.ask('GET', `/${path}?query=cql.allRecords=1+sortBy+name&limit=50`);
      expect(sorted.status).toBe(200);
      if (path !== 'funds') return;
      // A tag is found whole, not by its beginning.
      const start = long.slice(0, 450);
      for (const tag of [`${start}x`, `${start}y`])
        await world.make('funds', { ...BODIES()['funds'], code: tag, tags: { tagList: [tag] } });
      const query = encodeURIComponent(`tags.tagList=="${start}x"`);
      const found = await world.ask('GET', `/funds?query=${query}`);
      expect(found.text).toContain('"totalRecords":1}');
    },
  );
});

describe('ids and pairs', () => {
  it.each(['groups', 'fiscal-years', 'ledgers', 'fund-types', 'funds'])(
    'an id is used once: %s',
    async (path) => {
      const table = { groups: 'groups', 'fiscal-years': 'fiscal_year', 'fund-types': 'fund_type' };
      const body = { ...BODIES()[path], name: `id ${path}` };
      if (path !== 'fund-types') Object.assign(body, { code: `id ${path}` });
      const made = await world.make(path, body);
      // Its names are taken as well; the id is named first.
      const answer = await world.ask('POST', `/${path}`, { body: { ...body, id: made.id } });
      const name = (table as Record<string, string>)[path] ?? path.replace(/s$/, '');
      expect(textOf(answer)).toEqual([400, `id value already exists in table ${name}: ${made.id}`]);
    },
  );

  it('a fund has one budget a year', async () => {
    const { fund, year } = library;
    const pair = { fundId: fund.id, fiscalYearId: year.id };
    const body = { name: 'again', budgetStatus: 'Active', ...pair };
    const text = `fundId, fiscalYearId value already exists in table budget: ${fund.id}, ${year.id}`;
    expect(textOf(await world.ask('POST', '/budgets', { body }))).toEqual([400, text]);
    const nextYear = await world.make('fiscal-years', { code: 'b2', name: 'b2', ...ALWAYS });
    const other = await world.make('budgets', { ...body, fiscalYearId: nextYear.id });
    const put = await world.ask('PUT', `/budgets/${other.id}`, { body: { ...other, ...pair } });
    expect(textOf(put)).toEqual([400, text]);
    const same = await world.ask('POST', '/budgets', { body: { ...body, id: budget.id } });
    expect(same.text).toBe(`id value already exists in table budget: ${budget.id}`);
  });

  it('a fund is in a group once a year', async () => {
    const { fund, year, group } = library;
    const body = { groupId: group.id, fundId: fund.id, fiscalYearId: year.id };
    const made = await world.make('group-fund-fiscal-years', body);
    const text = `groupId, fundId, fiscalYearId value already exists in table group_fund_fiscal_year: ${group.id}, ${fund.id}, ${year.id}`;
    expect(textOf(await world.ask('POST', '/group-fund-fiscal-years', { body }))).toEqual([
      400,
      text,
    ]);
    const same = await world.ask('POST', '/group-fund-fiscal-years', {
      body: { ...body, id: made.id },
    });
    expect(same.text).toBe(`id value already exists in table group_fund_fiscal_year: ${made.id}`);
    const second = await world.make('groups', { code: 'second', name: 'second', status: 'Active' });
    const other = await world.make('group-fund-fiscal-years', { ...body, groupId: second.id });
    const put = await world.ask('PUT', `/group-fund-fiscal-years/${other.id}`, {
      body: { ...body, _version: 1 },
    });
    expect(textOf(put)).toEqual([400, text]);
  });
});

describe('what does not exist', () => {
  const references: readonly (readonly [string, string, string])[] = [
    ['ledgers', 'fiscalYearOneId', 'ledger.fiscalyearoneid|fiscal_year'],
    ['funds', 'ledgerId', 'fund.ledgerid|ledger'],
    ['funds', 'fundTypeId', 'fund.fundtypeid|fund_type'],
    ['budgets', 'fundId', 'budget.fundid|fund'],
    ['budgets', 'fiscalYearId', 'budget.fiscalyearid|fiscal_year'],
    ['group-fund-fiscal-years', 'budgetId', 'group_fund_fiscal_year.budgetid|budget'],
    ['group-fund-fiscal-years', 'groupId', 'group_fund_fiscal_year.groupid|groups'],
    ['group-fund-fiscal-years', 'fiscalYearId', 'group_fund_fiscal_year.fiscalyearid|fiscal_year'],
    ['group-fund-fiscal-years', 'fundId', 'group_fund_fiscal_year.fundid|fund'],
  ];

  /** POST and PUT are refused with the sentence for this id. @param name in the names of what is made */
  async function expectUnknown(
    [path, property, names]: readonly [string, string, string],
    id: string,
    name: string,
  ): Promise<void> {
    const lib = await world.library(`${name} ${path} ${property}`);
    const [column = '', target = ''] = names.split('|');
    const text = `Cannot set ${column} = ${id} because it does not exist in ${target}.id.`;
    const triple = { groupId: lib.group.id, fundId: lib.fund.id, fiscalYearId: lib.year.id };
    const bodies: Record<string, object> = {
      ...BODIES(),
      budgets: {
        name: 'b',
        budgetStatus: 'Active',
        fundId: lib.fund.id,
        fiscalYearId: lib.year.id,
      },
      'group-fund-fiscal-years': triple,
    };
    const named = { code: `${name} ${property}`, name: `${name} ${property}` };
    const hasNames = path === 'ledgers' || path === 'funds';
    const body = { ...bodies[path], ...(hasNames ? named : {}) };
    const post = await world.ask('POST', `/${path}`, { body: { ...body, [property]: id } });
    expect(textOf(post)).toEqual([400, text]);
    const made = await world.make(path, body);
    const put = await world.ask('PUT', `/${path}/${made.id}`, {
      body: { ...made, [property]: id.toUpperCase() },
    });
    expect(textOf(put)).toEqual([400, text]);
  }

  it.each(references)('cannot be referred to: %s, %s', async (...reference) => {
    await expectUnknown(reference, UNKNOWN_ID, 'ref');
  });

  describe('here, but in another tenant', () => {
    let theirs: Readonly<Record<string, Made>>;

    beforeAll(async () => {
      const { year, ledger, fundType, fund, group } = await world.library('theirs', OTHER_TENANT);
      const pair = { fundId: fund.id, fiscalYearId: year.id };
      const body = { name: 'theirs', budgetStatus: 'Active', ...pair };
      theirs = {
        fiscal_year: year,
        ledger,
        fund_type: fundType,
        fund,
        groups: group,
        budget: await world.make('budgets', body, OTHER_TENANT),
      };
    });

    it.each(references)('cannot be referred to either: %s, %s', async (...reference) => {
      const target = reference[2].split('|')[1] ?? '';
      await expectUnknown(reference, theirs[target]?.id ?? '', 'foreign');
    });
  });

  it('is named in the order of the schema, behind what is there already', async () => {
    const all = { groupId: UNKNOWN_ID, fundId: UNKNOWN_ID, fiscalYearId: UNKNOWN_ID };
    const path = '/group-fund-fiscal-years';
    const order = [
      [{ ...all, budgetId: UNKNOWN_ID }, 'budgetid'],
      [all, 'groupid'],
      [{ ...all, groupId: library.group.id }, 'fiscalyearid'],
    ] as const;
    for (const [body, column] of order) {
      const answer = await world.ask('POST', path, { body });
      expect(textOf(answer)).toEqual([
        400,
        expect.stringMatching(`^Cannot set group_fund_fiscal_year.${column} = `),
      ]);
    }
    const group = { ...BODIES()['funds'], code: 'café', ledgerId: UNKNOWN_ID };
    const answer = await world.ask('POST', '/funds', { body: group });
    expect(answer.text).toBe('code value already exists in table fund: café');
    const both = await world.ask('POST', '/ledgers', {
      body: { ...BODIES()['ledgers'], code: 'Café', name: 'Café', fiscalYearOneId: UNKNOWN_ID },
    });
    expect(both.text).toBe('name value already exists in table ledger: Café');
  });
});

describe('what is still referred to', () => {
  it('stays, and the first that refers to it is named', async () => {
    const { year, ledger, fundType, fund, group } = await world.library('kept');
    const triple = { groupId: group.id, fundId: fund.id, fiscalYearId: year.id };
    const relation = await world.make('group-fund-fiscal-years', triple);
    const pair = { fundId: fund.id, fiscalYearId: year.id };
    const made = await world.make('budgets', { name: 'k', budgetStatus: 'Active', ...pair });
    const refused = async (path: string, { id }: Made, names: string): Promise<void> => {
      const [table, child] = names.split('|');
      expect(textOf(await world.ask('DELETE', `/${path}/${id}`))).toEqual([
        400,
        `Cannot delete ${table ?? ''}.id = ${id} because id is still referenced from table ${child ?? ''}.`,
      ]);
    };
    await refused('fiscal-years', year, 'fiscal_year|budget');
    await refused('funds', fund, 'fund|budget');
    await refused('groups', group, 'groups|group_fund_fiscal_year');
    await refused('ledgers', ledger, 'ledger|fund');
    await refused('fund-types', fundType, 'fund_type|fund');
    // A budget lets go of those that name it.
    expect((await world.ask('DELETE', `/budgets/${made.id}`)).status).toBe(204);
    await refused('fiscal-years', year, 'fiscal_year|group_fund_fiscal_year');
    await refused('funds', fund, 'fund|group_fund_fiscal_year');
    await world.ask('DELETE', `/group-fund-fiscal-years/${relation.id}`);
    await refused('fiscal-years', year, 'fiscal_year|ledger');
    for (const [path, { id }] of [
      ['funds', fund],
      ['groups', group],
      ['fund-types', fundType],
      ['ledgers', ledger],
      ['fiscal-years', year],
    ] as const)
      expect([path, (await world.ask('DELETE', `/${path}/${id}`)).status]).toEqual([path, 204]);
  });
});
