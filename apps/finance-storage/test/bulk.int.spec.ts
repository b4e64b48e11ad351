import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  bulk,
  FY2025,
  FY2026,
  fundOf,
  GFFY,
  HIST,
  named,
  places,
  rowOf,
  SCI,
  statuses,
  stored,
  UNKNOWN,
} from './bulk-world.js';
import { FinanceWorld, OTHER_TENANT, type Answer } from './finance-world.js';

describe('bulk work on group-fund-fiscal-years', () => {
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

  const ask = (body: unknown): Promise<Answer> => world.ask('POST', `${GFFY}/bulk`, { body });

  it('adds rows by codes in any case and accents, linked to the budget of their fund and year', async () => {
    await world.make('groups', { code: 'Cafe', name: 'Coffee', status: 'Active' });
    const { results, summary } = await bulk(world, [
      { op: 'add', ...named('sci', 'endow', 'fy2026') },
      { op: 'add', ...named('CAFÉ', 'Grant', 'FY2022') },
      { op: 'add', groupId: SCI, fundId: fundOf('ENDOW'), fiscalYearId: FY2025 },
    ]);
    expect(summary).toEqual({
      created: 3,
      deleted: 0,
      moved: 0,
      merged: 0,
      unchanged: 0,
      failed: 0,
    });
    expect(results.map(({ index, op, _version }) => [index, op, _version])).toEqual([
      [0, 'add', 1],
      [1, 'add', 1],
      [2, 'add', 1],
    ]);
    const [linked, without] = await Promise.all(
      [0, 1].map((at) => world.ask('GET', `${GFFY}/${results[at]?.id}?expand=budget,group`)),
    );
    expect(linked?.json).toMatchObject({ expanded: { budget: { name: 'ENDOW-FY2026' } } });
    expect(without?.json).toMatchObject({ expanded: { group: { code: 'Cafe' } } });
    expect(without?.json).not.toHaveProperty('budgetId');
  });

  it('gives a new row the id that was sent, and lets one that is there as it is', async () => {
    const add = { op: 'add', id: UNKNOWN, ...named('SCI', 'EXCH', 'FY2020') };
    expect((await bulk(world, [add])).results[0]).toEqual({
      index: 0,
      op: 'add',
      status: 'created',
      id: UNKNOWN,
      _version: 1,
    });
    const again = await bulk(world, [add, { op: 'add', ...named('SCI', 'EXCH', 'FY2020') }]);
    expect(again.results.map(({ status, id }) => [status, id])).toEqual([
      ['unchanged', UNKNOWN],
      ['unchanged', UNKNOWN],
    ]);
    const other = await ask({ operations: [{ ...add, fiscalYearCode: 'FY2021' }] });
    expect(other.json).toMatchObject({
      errors: [
        {
          message: `id value already exists in table group_fund_fiscal_year: ${UNKNOWN}`,
          code: 'finance.duplicate',
          parameters: [{ key: 'operations[0].id' }],
        },
      ],
    });
  });

  it('removes rows by id or by what they tie; what is not there stays so', async () => {
    const made = await bulk(world, [
      { op: 'add', ...named('SCI', 'UNIV', 'FY2020') },
      { op: 'add', ...named('SCI', 'UNIV', 'FY2021') },
    ]);
    const removal = [
      { op: 'remove', id: made.results[0]?.id },
      { op: 'remove', ...named('SCI', 'UNIV', 'FY2021') },
      { op: 'remove', id: UNKNOWN.replace('3', '4') },
      { op: 'remove', groupId: UNKNOWN, fundId: UNKNOWN, fiscalYearId: UNKNOWN },
    ];
    const first = await bulk(world, removal);
    expect(statuses(first)).toEqual(['deleted', 'deleted', 'unchanged', 'unchanged']);
    expect(first.results[1]).toMatchObject({ id: made.results[1]?.id, _version: 1 });
    expect(statuses(await bulk(world, removal))).toEqual(Array(4).fill('unchanged'));
    expect([...(await places(world, 'FY2020')), ...(await places(world, 'FY2021'))]).not.toContain(
      'SCI/UNIV',
    );
  });

  it('moves rows to another group and merges them with one that is there; again changes nothing', async () => {
    const made = await bulk(world, [
      { op: 'add', ...named('SCI', 'GIFT-ONE', 'FY2026') },
      { op: 'add', ...named('SCI', 'GIFT-SER', 'FY2026') },
      { op: 'add', ...named('HIST', 'GIFT-SER', 'FY2026') },
    ]);
    const [moved, merged, target] = made.results.map(({ id }) => id);
    const operations = [
      { op: 'move', ...named('SCI', 'GIFT-ONE'), toGroupCode: 'hist', _version: 1 },
      { op: 'move', ...named('SCI', 'GIFT-SER'), toGroupId: HIST },
    ];
    const answer = await bulk(world, operations);
    expect(answer.results).toEqual([
      { index: 0, op: 'move', status: 'moved', id: moved, _version: 2 },
      { index: 1, op: 'move', status: 'merged', id: target, _version: 1 },
    ]);
    expect(answer.summary).toMatchObject({ moved: 1, merged: 1 });
    const row = await world.ask('GET', `${GFFY}/${moved}?expand=budget`);
    expect(row.json).toMatchObject({
      groupId: HIST,
      expanded: { budget: { name: 'GIFT-ONE-FY2026' } },
    });
    expect((await world.ask('GET', `${GFFY}/${merged}`)).status).toBe(404);
    expect(statuses(await bulk(world, operations))).toEqual(['unchanged', 'unchanged']);
    const byId = { op: 'move', id: moved, groupId: SCI, toGroupId: HIST, _version: 1 };
    expect(statuses(await bulk(world, [byId]))).toEqual(['unchanged']);
  });

  it('checks the version when one is sent and the row would be changed', async () => {
    const made = await bulk(world, [{ op: 'add', ...named('SCI', 'LAST-REST', 'FY2025') }]);
    const id = made.results[0]?.id;
    for (const operation of [
      { op: 'remove', id, _version: 7 },
      { op: 'move', id, toGroupId: HIST, _version: 7 },
    ]) {
      const answer = await ask({ operations: [operation] });
      expect([answer.status, answer.json]).toMatchObject([
        422,
        {
          errors: [
            {
              message: `Cannot update record ${id} because it has been changed (optimistic locking): Stored _version is 1, _version of request is 7`,
              type: 'error',
              code: 'finance.version.conflict',
              parameters: [{ key: 'operations[0]._version', value: '7' }],
            },
          ],
          total_records: 1,
        },
      ]);
    }
    const fitting = { op: 'remove', id, _version: '1' };
    expect(statuses(await bulk(world, [fitting]))).toEqual(['deleted']);
  });

  it('changes nothing when one of all is wrong, and names the first', async () => {
    const before = await stored(world);
    const answer = await ask({
      operations: [
        { op: 'add', ...named('SCI', 'H-CAN') },
        { op: 'remove', ...named('HIST', 'H-CAN') },
        { op: 'add', ...named('SCI', 'H-NONE') },
        { op: 'add', ...named('NONE', 'H-CAN') },
      ],
    });
    expect([answer.status, answer.json]).toEqual([
      422,
      {
        errors: [
          {
            message:
              'Cannot set group_fund_fiscal_year.fundid = H-NONE because it does not exist in fund.code.',
            type: 'error',
            code: 'finance.reference',
            parameters: [{ key: 'operations[2].fundCode', value: 'H-NONE' }],
          },
        ],
        total_records: 1,
      },
    ]);
    expect(await stored(world)).toEqual(before);
  });

  it('does each on its own when that is wanted', async () => {
    const operations = [
      { op: 'add', ...named('SCI', 'H-ASI', 'FY2023') },
      { op: 'add', ...named('SCI', 'H-NONE', 'FY2023') },
      { op: 'move', ...named('SCI', 'H-EUR', 'FY2023'), toGroupCode: 'HIST' },
      { op: 'remove', id: rowOf('HIST/H-USA/FY2026'), _version: 9 },
      { op: 'add', groupCode: 'SCI', fundCode: 'H-EUR' },
      { op: 'add', ...named('SCI', 'H-EUR', 'FY2023') },
    ];
    const answer = await bulk(world, operations, { mode: 'each' });
    expect(answer.summary).toMatchObject({ created: 2, failed: 4 });
    const errors = answer.results.map(({ status, error }) => [status, error?.parameters[0]?.key]);
    expect(errors).toEqual([
      ['created', undefined],
      ['failed', 'operations[1].fundCode'],
      ['failed', 'operations[2]'],
      ['failed', 'operations[3]._version'],
      ['failed', 'operations[4].fiscalYearId'],
      ['created', undefined],
    ]);
    expect(answer.results[3]).toMatchObject({ id: rowOf('HIST/H-USA/FY2026'), _version: 1 });
    expect(await places(world, 'FY2023')).toEqual(['SCI/H-ASI', 'SCI/H-EUR']);
  });

  it.each(['atomic', 'each'])(
    'says without changing anything what it would do: %s',
    async (mode) => {
      const before = await stored(world);
      const operations = [
        { op: 'add', ...named('SCI', 'H-LAT', 'FY2022') },
        { op: 'remove', ...named('HIST', 'H-LAT') },
        { op: 'move', ...named('HIST', 'H-MEA'), toGroupCode: 'SCI' },
      ];
      const dry = await bulk(world, operations, { mode, dryRun: true });
      expect(dry.dryRun).toBe(true);
      expect(dry.results[0]).not.toHaveProperty('id');
      expect(await stored(world)).toEqual(before);
      const wet = await bulk(world, operations, { mode });
      expect(wet.summary).toEqual(dry.summary);
      expect(wet.results.slice(1)).toEqual(dry.results.slice(1));
      const undo = [
        { op: 'remove', ...named('SCI', 'H-LAT', 'FY2022') },
        { op: 'add', id: rowOf('HIST/H-LAT/FY2026'), ...named('HIST', 'H-LAT') },
        { op: 'move', ...named('SCI', 'H-MEA'), toGroupCode: 'HIST' },
      ];
      expect(statuses(await bulk(world, undo))).toEqual(['deleted', 'created', 'moved']);
      const broken = { operations: [{ op: 'add', ...named('X', 'H-LAT') }], mode: 'atomic' };
      expect((await ask({ ...broken, dryRun: true })).text).toBe((await ask(broken)).text);
    },
  );

  it('lets every operation see what those before it did', async () => {
    const row = named('SCI', 'H-GEN', 'FY2024');
    const operations = [
      { op: 'add', ...row },
      { op: 'add', ...row },
      { op: 'move', ...row, toGroupCode: 'HIST' },
      { op: 'add', ...row },
      { op: 'move', ...row, toGroupCode: 'HIST' },
      { op: 'remove', ...named('HIST', 'H-GEN', 'FY2024') },
      { op: 'remove', ...row },
      { op: 'add', ...row },
    ];
    const answer = await bulk(world, operations);
    expect(statuses(answer)).toEqual([
      'created',
      'unchanged',
      'moved',
      'created',
      'merged',
      'deleted',
      'unchanged',
      'created',
    ]);
    expect(await places(world, 'FY2024')).toEqual(['SCI/H-GEN']);
  });

  it('changes places of two rows over a third group', async () => {
    await world.make('groups', { code: 'AWAY', name: 'Away', status: 'Active' });
    const made = await bulk(world, [
      { op: 'add', ...named('SCI', 'H-MIS', 'FY2022') },
      { op: 'add', ...named('HIST', 'H-MIS', 'FY2022') },
    ]);
    const [one, other] = made.results.map(({ id }) => id);
    const answer = await bulk(world, [
      { op: 'move', id: one, toGroupCode: 'AWAY' },
      { op: 'move', id: other, toGroupCode: 'SCI' },
      { op: 'move', id: one, toGroupCode: 'HIST' },
    ]);
    expect(answer.results.map(({ status, _version }) => [status, _version])).toEqual([
      ['moved', 2],
      ['moved', 2],
      ['moved', 3],
    ]);
    const groups = await Promise.all(
      [one, other].map(async (id) => (await world.ask('GET', `${GFFY}/${id}`)).json as object),
    );
    expect(groups).toMatchObject([
      { groupId: HIST, _version: 3 },
      { groupId: SCI, _version: 2 },
    ]);
  });

  it('moves a row that the same list adds by its id onto one that is there', async () => {
    const id = UNKNOWN.replace('3', '5');
    const answer = await bulk(world, [
      { op: 'add', id, ...named('SCI', 'H-AFR') },
      { op: 'move', id, toGroupCode: 'HIST' },
    ]);
    expect(answer.results).toMatchObject([
      { status: 'created', id },
      { status: 'merged', id: rowOf('HIST/H-AFR/FY2026') },
    ]);
  });

  it('takes ids of another tenant for unknown', async () => {
    const theirs = await world.make(
      'groups',
      { code: 'THEIRS', name: 'Theirs', status: 'Active' },
      OTHER_TENANT,
    );
    const row = { fundId: fundOf('H-CAN'), fiscalYearId: FY2026 };
    const unknown = await ask({ operations: [{ op: 'add', groupId: UNKNOWN, ...row }] });
    const foreign = await ask({ operations: [{ op: 'add', groupId: theirs.id, ...row }] });
    expect([foreign.status, foreign.text]).toEqual([
      422,
      unknown.text.replaceAll(UNKNOWN, theirs.id),
    ]);
    expect(unknown.json).toMatchObject({
      errors: [
        {
          message: `Cannot set group_fund_fiscal_year.groupid = ${UNKNOWN} because it does not exist in groups.id.`,
          parameters: [{ key: 'operations[0].groupId' }],
        },
      ],
    });
    const code = await ask({ operations: [{ op: 'add', ...row, groupCode: 'THEIRS' }] });
    expect(code.json).toMatchObject({ errors: [{ parameters: [{ value: 'THEIRS' }] }] });
    const removal = await world.ask('POST', `${GFFY}/bulk`, {
      tenant: OTHER_TENANT,
      body: { operations: [{ op: 'remove', id: rowOf('HIST/H-CAN/FY2026') }] },
    });
    expect(removal.json).toMatchObject({ summary: { unchanged: 1, deleted: 0 } });
    expect(await places(world)).toContain('HIST/H-CAN');
  });

  it('tells codes apart that differ behind their 400th character', async () => {
    const { ledgers } = (await world.ask('GET', '/ledgers?limit=1')).json as {
      ledgers: { id: string }[];
    };
    const long = 'L'.repeat(400);
    const fund = { name: 'Long', fundStatus: 'Active', ledgerId: ledgers[0]?.id };
    const one = await world.make('funds', { ...fund, code: `${long}1` });
    const two = await world.make('funds', { ...fund, code: `${long}2` });
    const { results } = await bulk(world, [
      { op: 'add', ...named('HIST', `${long}2`) },
      { op: 'add', ...named('HIST', `${long}1`.toLowerCase()) },
    ]);
    const rows = await Promise.all(
      results.map(async ({ id }) => (await world.ask('GET', `${GFFY}/${id}`)).json as object),
    );
    expect(rows).toMatchObject([
      { groupId: HIST, fundId: two.id },
      { groupId: HIST, fundId: one.id },
    ]);
  });
});
