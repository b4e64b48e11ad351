import { decimalJson } from '@quire/contracts/decimals';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  ALWAYS,
  FinanceWorld,
  OTHER_TENANT,
  UNKNOWN_ID,
  USER_ID,
  type Made,
} from './finance-world.js';

const BAD_ID_TEXT =
  'Invalid UUID format of id, should be xxxxxxxx-xxxx-Mxxx-Nxxx-xxxxxxxxxxxx where M is 1-5 and N is 8, 9, a, b, A or B and x is 0-9, a-f or A-F.';
const PATTERN =
  '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$';

let database: TestDatabase;
let world: FinanceWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

/** Paths in the order in which they can be made, each with a smallest body. */
const PATHS = [
  'fiscal-years',
  'ledgers',
  'fund-types',
  'funds',
  'budgets',
  'groups',
  'group-fund-fiscal-years',
] as const;
type Path = (typeof PATHS)[number];

function bodyOf(path: Path, name: string, made: Partial<Record<Path, Made>>): object {
  const named = { code: name, name };
  const id = (of: Path): string | undefined => made[of]?.id;
  switch (path) {
    case 'fiscal-years':
      return { ...named, ...ALWAYS };
    case 'ledgers':
      return { ...named, ledgerStatus: 'Active', fiscalYearOneId: id('fiscal-years') };
    case 'fund-types':
      return { name };
    case 'funds':
      return { ...named, fundStatus: 'Active', ledgerId: id('ledgers') };
    case 'budgets':
      return {
        name,
        budgetStatus: 'Active',
        fundId: id('funds'),
        fiscalYearId: id('fiscal-years'),
      };
    case 'groups':
      return { ...named, status: 'Active' };
    case 'group-fund-fiscal-years':
      return { groupId: id('groups'), fundId: id('funds'), fiscalYearId: id('fiscal-years') };
  }
}

async function makeAll(name: string, tenant?: string): Promise<Record<Path, Made>> {
  const made: Partial<Record<Path, Made>> = {};
  for (const path of PATHS) made[path] = await world.make(path, bodyOf(path, name, made), tenant);
  return made as Record<Path, Made>;
}

describe('every entity', () => {
  it('is made, read, listed, changed and deleted', async () => {
    const made: Partial<Record<Path, Made>> = {};
    for (const path of PATHS) {
      const body = { ...bodyOf(path, 'crud', made), _version: 7 };
      const answer = await world.ask('POST', `/${path}`, { body });
      expect([path, answer.status]).toEqual([path, 201]);
      const one = answer.json as Made;
      made[path] = one;
      expect(answer.headers['location']).toMatch(new RegExp(`/finance-storage/${path}/${one.id}$`));
      expect(one).toMatchObject({ _version: 1 });
      expect(Object.keys(one)[0]).toBe('id');
    }
    for (const path of PATHS) {
      const target = `/${path}/${made[path]?.id ?? ''}`;
      const got = await world.ask('GET', target);
      expect(got.headers['etag']).toBe(`"${(got.json as Made)._version}"`);
      const put = await world.ask('PUT', target, { body: got.json as object });
      expect([path, put.status, put.text]).toEqual([path, 204, '']);
      const after = await world.get(path, made[path] ?? { id: '' });
      expect(after._version).toBe((got.json as Made)._version + 1);
    }
    for (const path of [...PATHS].reverse()) {
      const target = `/${path}/${made[path]?.id ?? ''}`;
      const gone = await world.ask('DELETE', target);
      expect([path, gone.status, gone.text]).toEqual([path, 204, '']);
      const after = await world.ask('GET', target);
      expect([path, after.status, after.text]).toEqual([path, 404, 'Not found']);
    }
  });

  it.each(PATHS)('knows %s that are none', async (path) => {
    const made = await makeAll(`none-${path}`);
    const body = bodyOf(path, `other-${path}`, made);
    for (const [method, sent] of [
      ['GET', undefined],
      ['PUT', body],
      ['DELETE', undefined],
    ] as const) {
      const answer = await world.ask(method, `/${path}/${UNKNOWN_ID}`, sent ? { body: sent } : {});
      expect([method, answer.status, answer.text]).toEqual([method, 404, 'Not found']);
      const bad = await world.ask(method, `/${path}/not-a-uuid`, sent ? { body: sent } : {});
      expect([method, bad.status, bad.text]).toEqual(
        method === 'GET' ? [method, 404, 'Not found'] : [method, 400, BAD_ID_TEXT],
      );
      const seventh = '00000000-0000-7000-8000-000000000000';
      const other = await world.ask(method, `/${path}/${seventh}`, sent ? { body: sent } : {});
      expect(other.status).toBe(method === 'GET' ? 404 : 400);
    }
  });

  it.each(PATHS)('of another tenant is unknown: %s', async (path) => {
    const own = await makeAll(`own-${path}`);
    const theirs = await makeAll(`theirs-${path}`, OTHER_TENANT);
    const target = `/${path}/${theirs[path].id}`;
    const body = { ...bodyOf(path, `x-${path}`, own), _version: 1 };
    for (const [method, sent] of [
      ['GET', undefined],
      ['PUT', body],
      ['DELETE', undefined],
    ] as const) {
      const answer = await world.ask(method, target, sent ? { body: sent } : {});
      expect([method, answer.status, answer.text]).toEqual([method, 404, 'Not found']);
    }
    const list = await world.ask('GET', `/${path}?limit=1000&query=id==${theirs[path].id}`);
    expect(list.text).toContain('"totalRecords":0');
    // The same id and the same names may be used by both.
    const same = await world.ask('POST', `/${path}`, {
      body: { ...bodyOf(path, `theirs-${path}`, own), id: theirs[path].id },
    });
    // Only the fund's one budget of the year, and its place in the group, are taken: by the tenant's own.
    const taken = path === 'budgets' || path === 'group-fund-fiscal-years';
    expect([same.status, same.text]).toEqual(
      taken
        ? [400, expect.stringContaining('fundId, fiscalYearId value already exists')]
        : [201, same.text],
    );
  });

  it('may refer to nothing of another tenant', async () => {
    const theirs = await makeAll('foreign', OTHER_TENANT);
    const own = await makeAll('home');
    const answer = await world.ask('POST', '/group-fund-fiscal-years', {
      body: {
        groupId: theirs.groups.id,
        fundId: own.funds.id,
        fiscalYearId: own['fiscal-years'].id,
      },
    });
    expect([answer.status, answer.text]).toEqual([
      400,
      `Cannot set group_fund_fiscal_year.groupid = ${theirs.groups.id} because it does not exist in groups.id.`,
    ]);
  });

  it('needs its permission', async () => {
    for (const [method, target] of [
      ['GET', '/groups'],
      ['POST', '/groups'],
      ['POST', '/funds/batch'],
    ] as const) {
      const answer = await world.ask(method, target, { permissions: [], body: {} });
      expect([target, answer.status]).toEqual([target, 403]);
    }
  });
});

describe('a body', () => {
  const required: readonly (readonly [Path, readonly string[]])[] = [
    ['fiscal-years', ['code', 'name', 'periodStart', 'periodEnd']],
    ['ledgers', ['code', 'name', 'fiscalYearOneId', 'ledgerStatus']],
    ['fund-types', ['name']],
    ['funds', ['code', 'name', 'fundStatus', 'ledgerId']],
    ['budgets', ['name', 'budgetStatus', 'fundId', 'fiscalYearId']],
    ['groups', ['code', 'name', 'status']],
    ['group-fund-fiscal-years', ['groupId', 'fiscalYearId', 'fundId']],
  ];

  it.each(required)('of %s must have %p', async (path, names) => {
    const answer = await world.ask('POST', `/${path}`, { body: {} });
    expect(answer.status).toBe(422);
    expect(answer.json).toEqual({
      errors: names.map((key) => ({
        message: 'may not be null',
        type: '1',
        code: '-1',
        parameters: [{ key, value: 'null' }],
      })),
      total_records: names.length,
    });
  });

  const bad: readonly (readonly [Path, object, string, string])[] = [
    ['groups', { status: 'Closed' }, 'status', 'must be one of [Active, Frozen, Inactive]'],
    [
      'ledgers',
      { ledgerStatus: 'active' },
      'ledgerStatus',
      'must be one of [Active, Frozen, Inactive]',
    ],
    ['funds', { fundStatus: 'Planned' }, 'fundStatus', 'must be one of [Active, Frozen, Inactive]'],
    [
      'budgets',
      { budgetStatus: 'Open' },
      'budgetStatus',
      'must be one of [Active, Frozen, Inactive, Planned, Closed]',
    ],
    ['funds', { code: 'A:B' }, 'code', 'must match "^[^:]+$"'],
    ['funds', { ledgerId: 'x' }, 'ledgerId', `must match "${PATTERN}"`],
    ['funds', { locations: [{}] }, 'locations[0].locationId', 'may not be null'],
    [
      'funds',
      { locations: [{ locationId: UNKNOWN_ID, x: 1 }] },
      'locations[0].x',
      'Unrecognized field "x", not marked as ignorable (2 known properties: "locationId", "tenantId")',
    ],
    ['funds', { tags: { tagList: 'x' } }, 'tags.tagList', 'must be an array'],
    ['groups', { code: 5 }, 'code', 'must be a string'],
    ['groups', { code: decimalJson('12345678901234567890') }, 'code', 'must be a string'],
    ['groups', { name: 'a\u0000b' }, 'name', 'must not contain U+0000'],
    ['groups', { name: 'a\ud800b' }, 'name', 'must be well-formed Unicode'],
    ['funds', { tags: { tagList: ['\u0000'] } }, 'tags.tagList[0]', 'must not contain U+0000'],
    ['groups', { acqUnitIds: ['no'] }, 'acqUnitIds[0]', `must match "${PATTERN}"`],
    ['fiscal-years', { periodEnd: 'soon' }, 'periodEnd', 'must be a date'],
    ['fiscal-years', { periodEnd: '9999-12-31T23:59:59-05:00' }, 'periodEnd', 'must be a date'],
    ['fiscal-years', { periodStart: '0001-01-01T00:00+05:00' }, 'periodStart', 'must be a date'],
    ['ledgers', { restrictEncumbrance: 'perhaps' }, 'restrictEncumbrance', 'must be a boolean'],
    [
      'budgets',
      { allowableEncumbrance: -1 },
      'allowableEncumbrance',
      'must be greater than or equal to 0',
    ],
    ['budgets', { initialAllocation: 'much' }, 'initialAllocation', 'must be a number'],
    ['budgets', { credits: 0.12345 }, 'credits', 'must have at most 15 digits, 4 of them decimals'],
    ['groups', { _version: 'x' }, '_version', 'must be an integer'],
    ['groups', { metadata: {} }, 'metadata.createdDate', 'may not be null'],
    [
      'groups',
      { metadata: { createdDate: '2020-01-01', createdByUserId: 'ann' } },
      'metadata.createdByUserId',
      'must match "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}$"',
    ],
  ];

  it.each(bad)('of %s is checked: %j', async (path, change, key, message) => {
    const fill: Partial<Record<Path, Made>> = Object.fromEntries(
      PATHS.map((one) => [one, { id: UNKNOWN_ID, _version: 1 }]),
    );
    const body = { ...bodyOf(path, 'bad', fill), ...change };
    const answer = await world.ask('POST', `/${path}`, { body });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      errors: [{ message, type: '1', code: '-1', parameters: [{ key }] }],
      total_records: 1,
    });
  });

  it.each(['tenantId', 'constructor', 'totalFunding', 'ledger'])(
    'of a group may not have the property %s',
    async (name) => {
      const body = { code: 'c', name: 'n', status: 'Active', [name]: 1 };
      const answer = await world.ask('POST', '/groups', { body });
      expect([answer.status, answer.text]).toEqual([
        422,
        expect.stringContaining(`Unrecognized field \\"${name}\\"`),
      ]);
    },
  );

  it.each([
    [{ name: 'same day', periodStart: '2026-01-01', periodEnd: '2026-01-01' }],
    [{ name: 'backwards', periodStart: '2026-02-01', periodEnd: '2026-01-01' }],
  ])('of a fiscal year ends after it starts: %j', async (body) => {
    const answer = await world.ask('POST', '/fiscal-years', { body: { code: 'P', ...body } });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      errors: [{ type: 'error', code: 'finance.fiscalYear.period' }],
      total_records: 1,
    });
  });

  it.each(['allocatedFromIds', 'allocatedToIds'])(
    'of a fund names not itself in %s',
    async (name) => {
      const { ledgers, funds } = await makeAll(`self-${name}`);
      const own = '5b1f1c1e-9c2b-4c7e-8d3b-0a1b2c3d4e5f';
      const body = {
        ...bodyOf('funds', 'self', { ledgers }),
        id: own,
        [name]: [own.toUpperCase()],
      };
      const post = await world.ask('POST', '/funds', { body });
      const stored = await world.get('funds', funds);
      const put = await world.ask('PUT', `/funds/${funds.id}`, {
        body: { ...stored, [name]: [funds.id] },
      });
      for (const answer of [post, put]) {
        expect(answer.status).toBe(422);
        expect(answer.json).toMatchObject({
          errors: [{ type: 'error', code: 'finance.fund.selfAllocation' }],
        });
      }
    },
  );
});

it('funds are found by their locations', async () => {
  const { ledgers } = await makeAll('located');
  const locations = [{ locationId: UNKNOWN_ID, tenantId: 'Main' }, { locationId: ledgers.id }];
  const body = { ...bodyOf('funds', 'with locations', { ledgers }), locations };
  const { id } = await world.make('funds', body);
  for (const [query, hits] of [
    [`locations.locationId==${ledgers.id}`, [{ id }]],
    ['locations.locationId==0000*', [{ id }]],
    ['locations.tenantId==main sortBy locations.tenantId', [{ id }]],
    [`locations.locationId==${id}`, []],
  ] as const) {
    const answer = await world.ask('GET', `/funds?query=${encodeURIComponent(query)}`);
    expect([query, answer.json]).toMatchObject([query, { funds: hits }]);
  }
});

describe('metadata', () => {
  it('names who made and changed a thing, whatever is sent', async () => {
    const sent = { createdDate: '1999-01-01T00:00:00Z', createdByUserId: UNKNOWN_ID };
    const made = await world.make('groups', {
      code: 'meta',
      name: 'meta',
      status: 'Active',
      metadata: sent,
    });
    const before = (await world.get('groups', made))['metadata'] as Record<string, string>;
    expect(before).toEqual({
      createdDate: before['createdDate'],
      createdByUserId: USER_ID,
      createdByUsername: 'ann',
      updatedDate: before['createdDate'],
      updatedByUserId: USER_ID,
      updatedByUsername: 'ann',
    });
    expect(before['createdDate']).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
    const put = await world.ask('PUT', `/groups/${made.id}`, { body: { ...made, metadata: sent } });
    expect(put.status).toBe(204);
    const after = (await world.get('groups', made))['metadata'] as Record<string, string>;
    expect(after['createdDate']).toBe(before['createdDate']);
    expect(after['createdByUserId']).toBe(USER_ID);
    expect((after['updatedDate'] ?? '') >= (before['updatedDate'] ?? '')).toBe(true);
  });

  it.each(['fund-types', 'group-fund-fiscal-years'] as const)('is unknown to %s', async (path) => {
    const made = await makeAll(`plain-${path}`);
    expect(made[path]).not.toHaveProperty('metadata');
    const answer = await world.ask('PUT', `/${path}/${made[path].id}`, {
      body: { ...made[path], metadata: { createdDate: '2020-01-01' } },
    });
    expect(answer.status).toBe(422);
  });
});
