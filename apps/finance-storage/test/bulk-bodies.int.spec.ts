import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  bulk,
  csv,
  fundOf,
  FY2026,
  GFFY,
  HIST,
  named,
  rowOf,
  SCI,
  stored,
  UNKNOWN,
} from './bulk-world.js';
import { FinanceWorld, type Answer } from './finance-world.js';

const row = named('SCI', 'H-CAN');
const ADD = { op: 'add', ...row };

describe('a body of bulk work', () => {
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

  it.each([
    ['no operations', {}, 'operations', 'may not be null'],
    ['an empty list', { operations: [] }, 'operations', 'size must be between 1 and 2000'],
    [
      'one too many',
      { operations: Array(2001).fill(ADD) },
      'operations',
      'size must be between 1 and 2000',
    ],
    ['another mode', { mode: 'some', operations: [ADD] }, 'mode', 'must be one of [atomic, each]'],
    ['no boolean', { dryRun: 'yes', operations: [ADD] }, 'dryRun', 'must be a boolean'],
    ['an unknown property', { operations: [ADD], x: 1 }, 'x', 'Unrecognized field "x"'],
    ['no operation', { operations: [null] }, 'operations[0]', 'may not be null'],
    [
      'another operation',
      { operations: [ADD, { ...row, op: 'swap' }] },
      'operations[1].op',
      'must be one of [add, remove, move]',
    ],
    [
      'an unknown property of one',
      { operations: [{ ...ADD, budgetId: HIST }] },
      'operations[0].budgetId',
      'Unrecognized field "budgetId"',
    ],
    [
      'a key of every object',
      JSON.parse('{"operations":[{"op":"add","__proto__":{"groupId":"x"}}]}'),
      'operations[0].__proto__',
      'Unrecognized field "__proto__"',
    ],
    ['U+0000', { operations: [{ ...ADD, fundCode: 'a\0' }] }, 'operations[0].fundCode', 'U+0000'],
    ['no UUID', { operations: [{ op: 'remove', id: 'x' }] }, 'operations[0].id', 'must match'],
    [
      'half a version',
      { operations: [{ ...ADD, _version: 1.5 }] },
      'operations[0]._version',
      'must be an integer',
    ],
    [
      'a number for a code',
      { operations: [{ ...ADD, fundCode: 7 }] },
      'operations[0].fundCode',
      'must be a string',
    ],
    // What no schema can say.
    [
      'no group',
      { operations: [{ ...ADD, groupCode: null }] },
      'operations[0].groupId',
      'may not be null',
    ],
    [
      'no target',
      { operations: [{ ...row, op: 'move' }] },
      'operations[0].toGroupId',
      'may not be null',
    ],
    [
      'a target of a removal',
      { operations: [{ ...row, op: 'remove', toGroupCode: 'HIST' }] },
      'operations[0].toGroupCode',
      'must be null where op is remove',
    ],
    [
      'a target that is none',
      { operations: [{ ...named('HIST', 'H-CAN'), op: 'move', toGroupId: UNKNOWN }] },
      'operations[0].toGroupId',
      `Cannot set group_fund_fiscal_year.groupid = ${UNKNOWN} because`,
    ],
    [
      'id and code of two groups',
      { operations: [{ ...ADD, groupId: HIST }] },
      'operations[0].groupCode',
      'groupCode names another one than groupId',
    ],
    [
      'an id of another row than its triple',
      { operations: [{ ...ADD, op: 'remove', id: rowOf('HIST/H-CAN/FY2026') }] },
      'operations[0].groupId',
      'has another group',
    ],
    [
      'nothing to move',
      { operations: [{ ...row, op: 'move', toGroupCode: 'SCI', fiscalYearCode: 'FY2020' }] },
      'operations[0]',
      'There is no such group-fund-fiscal-year to move',
    ],
  ])('with %s is refused', async (_, body: object, key, message) => {
    const before = await stored(world);
    const answer = await ask(body);
    expect([answer.status, answer.text]).toEqual([422, answer.text]);
    expect(answer.json).toMatchObject({
      errors: [{ message: expect.stringContaining(message), parameters: [{ key }] }],
      total_records: 1,
    });
    expect(await stored(world)).toEqual(before);
  });

  it.each([
    ['none', '', 'HV000116: The object to be validated must not be null.'],
    ['malformed', '{"operations":[', 'unable to add bulk -- malformed JSON at 1:16'],
  ])('that is %s is refused', async (_, text, message) => {
    const answer = await world.ask('POST', `${GFFY}/bulk`, {
      bytes: Buffer.from(text),
      headers: { 'content-type': 'application/json' },
    });
    expect([answer.status, answer.text]).toEqual([400, message]);
  });

  it('of another type is refused', async () => {
    const answer = await world.ask('POST', `${GFFY}/bulk`, {
      bytes: Buffer.from('x'),
      headers: { 'content-type': 'text/plain' },
    });
    expect([answer.status, answer.text]).toEqual([
      400,
      'Content-type header must be ["application/json","text/csv"] but it is "text/plain"',
    ]);
  });

  it('may have a megabyte and codes as long as that', async () => {
    const code = 'É'.repeat(1_000_000);
    const answer = await ask({ operations: [{ ...ADD, groupCode: code }] });
    expect(answer.status).toBe(422);
    expect(answer.text.length).toBeLessThan(3_000);
  });

  it('has at most 32 MiB, as a table too', async () => {
    for (const type of ['application/json', 'text/csv']) {
      const answer = await world.ask('POST', `${GFFY}/bulk`, {
        bytes: Buffer.alloc(33_554_433, ' '),
        headers: { 'content-type': type },
      });
      expect([answer.status, answer.text]).toEqual([
        413,
        'Request body is too large: limit is 33554432 bytes',
      ]);
    }
  });

  it('may have 2,000 operations, in a few statements', async () => {
    const operations = Array.from({ length: 2000 }, (_, at) => ({
      op: 'add',
      groupCode: `M${at % 40}`,
      fundCode: `M${Math.floor(at / 40)}`,
      fiscalYearCode: 'FY2026',
    }));
    const { ledgers } = (await world.ask('GET', '/ledgers?limit=1')).json as {
      ledgers: { id: string }[];
    };
    const fund = { name: 'M', fundStatus: 'Active', ledgerId: ledgers[0]?.id };
    for (let at = 0; at < 50; at += 1) {
      await world.make('funds', { ...fund, code: `M${at}` });
      if (at < 40) await world.make('groups', { code: `M${at}`, name: `M${at}`, status: 'Active' });
    }
    const started = performance.now();
    const made = await bulk(world, operations);
    expect(made.summary).toMatchObject({ created: 2000 });
    const away = operations.map((one) => ({ ...one, op: 'move', toGroupCode: 'M0' }));
    const moved = await bulk(world, away);
    expect(moved.summary).toMatchObject({ merged: 1950, unchanged: 50 });
    const again = await bulk(
      world,
      operations.map((one) => ({ ...one, op: 'remove' })),
    );
    expect(again.summary).toMatchObject({ deleted: 50, unchanged: 1950 });
    expect(performance.now() - started).toBeLessThan(30_000);
    // Of the table the changed cells count, not all.
    const table = (funds: number): string => {
      const groups = Array.from({ length: 40 }, (_, at) => `M${at}`);
      const row = (_: unknown, at: number): string => `M${at}${',x'.repeat(40)}\n`;
      const rows = Array.from({ length: funds }, row);
      return `fiscalYear,FY2026\nfund,${groups.join()}\n${rows.join('')}M50${','.repeat(40)}\n`;
    };
    await world.make('funds', { ...fund, code: 'M50' });
    const whole = await csv(world, table(50));
    expect(whole.json).toMatchObject({ summary: { created: 2000 } });
    const before = await stored(world);
    const more = await csv(
      world,
      table(50)
        .replaceAll(',x', ',')
        .replace(/M50.*/, `M50${',x'.repeat(40)}`),
    );
    expect([more.status, more.json]).toMatchObject([
      422,
      {
        errors: [
          { message: 'size must be between 1 and 2000', parameters: [{ key: 'operations' }] },
        ],
      },
    ]);
    expect(await stored(world)).toEqual(before);
    const cell = `fiscalYear,FY2026\nfund,SCI\nH-CAN,"${'x'.repeat(1_000_000)}"\n`;
    const huge = await csv(world, cell);
    expect([huge.status, huge.text.length < 1_000]).toEqual([422, true]);
    expect(huge.text).toContain('Line 3: a cell must be x or empty');
  });

  it('that twelve send at once makes its rows once', async () => {
    const operations = [0, 1, 2].map((at) => ({
      op: 'add',
      groupId: SCI,
      fundId: fundOf(['H-EUR', 'H-USA', 'H-GEN'][at] ?? ''),
      fiscalYearId: FY2026,
    }));
    const answers = await Promise.all(Array.from({ length: 12 }, () => bulk(world, operations)));
    const created = answers.reduce((sum, { summary }) => sum + (summary['created'] ?? 0), 0);
    expect(created).toBe(3);
  });

  it('needs the permission of bulk work', async () => {
    const answer = await world.ask('POST', `${GFFY}/bulk`, {
      body: { operations: [ADD] },
      permissions: ['finance-storage.group-fund-fiscal-years.item.post'],
    });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('finance-storage.group-fund-fiscal-years.bulk.post');
  });
});
