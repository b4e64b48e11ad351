import { ROUTES } from '@quire/contracts/routes';
import { RouteTable } from '@quire/service/paths';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  bulk,
  FY2025,
  FY2026,
  FY2027,
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
  type BulkAnswered,
} from './bulk-world.js';
import { FinanceWorld, OTHER_TENANT, type Answer, type Method } from './finance-world.js';

describe('group-fund-fiscal-years', () => {
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

  describe('of one fiscal year, copied to another', () => {
    const copy = (body: object): Promise<Answer> => world.ask('POST', `${GFFY}/copy`, { body });
    const years = { fromFiscalYearId: FY2026, toFiscalYearId: FY2027 };

    it('are those of active funds, linked to the budgets of that year', async () => {
      const budget = await world.make('budgets', {
        name: 'H-USA-FY2027',
        budgetStatus: 'Planned',
        fundId: fundOf('H-USA'),
        fiscalYearId: FY2027,
      });
      const before = await stored(world);
      const dry = await copy({ ...years, dryRun: true });
      expect([dry.status, dry.json]).toMatchObject([
        200,
        { dryRun: true, summary: { created: 11 } },
      ]);
      expect(await stored(world)).toEqual(before);
      const answer = await copy(years);
      expect(answer.json).toMatchObject({ dryRun: false, summary: { created: 11, failed: 0 } });
      const { results } = answer.json as BulkAnswered;
      expect(results.map(({ index, op }) => [index, op])).toEqual(
        Array.from({ length: 11 }, (_, at) => [at, 'add']),
      );
      expect(await places(world, 'FY2027')).not.toContain('HIST/H-IBE');
      const linked = await world.rows<{ fund_id: string }>(
        'select fund_id from group_fund_fiscal_year where tenant_id = $1 and budget_id = $2',
        [budget.id],
      );
      expect(linked).toEqual([{ fund_id: fundOf('H-USA') }]);
      const again = await copy(years);
      expect(again.json).toMatchObject({ summary: { created: 0, unchanged: 11 } });
    });

    it('are those of the groups and statuses that are named', async () => {
      await bulk(world, [{ op: 'add', ...named('SCI', 'GRANT') }]);
      const answer = await copy({
        fromFiscalYearId: FY2026,
        toFiscalYearId: FY2025,
        groupIds: [SCI],
        fundStatus: ['Inactive', 'Frozen'],
      });
      expect(answer.json).toMatchObject({ summary: { created: 1 } });
      expect(await places(world, 'FY2025')).toEqual(['HIST/H-AFR', 'SCI/GRANT']);
    });

    it.each([
      [{ toFiscalYearId: FY2027 }, 'fromFiscalYearId', 'may not be null'],
      [{ ...years, fundStatus: ['Closed'] }, 'fundStatus[0]', 'must be one of'],
      [{ ...years, fundStatus: [] }, 'fundStatus', 'size must be between 1 and 3'],
      [{ ...years, groupIds: [] }, 'groupIds', 'size must be between 1 and 32767'],
      [{ ...years, groupIds: ['x'] }, 'groupIds[0]', 'must match'],
      [{ ...years, x: 1 }, 'x', 'Unrecognized field "x"'],
      [
        { ...years, toFiscalYearId: UNKNOWN },
        'toFiscalYearId',
        `Cannot set group_fund_fiscal_year.fiscalyearid = ${UNKNOWN} because it does not exist in fiscal_year.id.`,
      ],
      [
        { ...years, fromFiscalYearId: UNKNOWN },
        'fromFiscalYearId',
        'does not exist in fiscal_year.id.',
      ],
      [{ ...years, groupIds: [SCI, UNKNOWN] }, 'groupIds[1]', 'does not exist in groups.id.'],
    ])('as %j are refused', async (body, key, message) => {
      const answer = await copy(body);
      expect([answer.status, answer.json]).toMatchObject([
        422,
        { errors: [{ message: expect.stringContaining(message), parameters: [{ key }] }] },
      ]);
    });

    it('need the permission of bulk work', async () => {
      const answer = await world.ask('POST', `${GFFY}/copy`, { body: years, permissions: [] });
      expect([answer.status, answer.text]).toEqual([
        403,
        expect.stringContaining('finance-storage.group-fund-fiscal-years.bulk.post'),
      ]);
    });
  });

  describe('by what they tie', () => {
    const byKey = (group: string, fund: string, year: string): string =>
      `${GFFY}/by-key/${group}/${fund}/${year}`;
    const ENDOW = byKey(SCI, fundOf('ENDOW'), FY2026);

    it('are made once and removed once, and the calls can be repeated', async () => {
      const made = await world.ask(
        'PUT',
        ENDOW.toUpperCase().replace('/GROUP-FUND-FISCAL-YEARS/BY-KEY', `${GFFY}/by-key`),
      );
      expect([made.status, made.json]).toEqual([
        201,
        {
          id: expect.any(String),
          _version: 1,
          budgetId: expect.any(String),
          groupId: SCI,
          fiscalYearId: FY2026,
          fundId: fundOf('ENDOW'),
        },
      ]);
      const { id } = made.json as { id: string };
      expect(made.headers['location']).toMatch(new RegExp(`/finance-storage${GFFY}/${id}$`));
      const again = await world.ask('PUT', ENDOW, { body: {} });
      expect([again.status, again.text]).toEqual([204, '']);
      const stale = await world.ask('DELETE', ENDOW, { headers: { 'if-match': '"7"' } });
      expect([stale.status, stale.text]).toEqual([
        409,
        expect.stringContaining('optimistic locking'),
      ]);
      for (let time = 0; time < 2; time += 1)
        expect((await world.ask('DELETE', ENDOW)).status).toBe(204);
      expect((await world.ask('GET', `${GFFY}/${id}`)).status).toBe(404);
    });

    it('are made once when many ask at the same time', async () => {
      const path = byKey(SCI, fundOf('EXCH'), FY2026);
      const answers = await Promise.all(Array.from({ length: 8 }, () => world.ask('PUT', path)));
      const found = answers.map(({ status }) => status).sort();
      expect(found).toEqual([201, ...Array<number>(7).fill(204)]);
      const gone = await Promise.all(Array.from({ length: 8 }, () => world.ask('DELETE', path)));
      expect(gone.map(({ status }) => status)).toEqual(Array(8).fill(204));
    });

    it.each<[Method, object | undefined, string, number, string]>([
      ['PUT', { groupId: SCI }, ENDOW, 422, 'Unrecognized field \\"groupId\\"'],
      ['PUT', [], ENDOW, 422, 'must be an object'],
      ['PUT', undefined, byKey('x', UNKNOWN, FY2026), 400, 'Invalid UUID format of id'],
      ['DELETE', undefined, byKey(SCI, UNKNOWN, 'matrix'), 400, 'Invalid UUID format of id'],
      [
        'PUT',
        undefined,
        byKey(UNKNOWN, fundOf('H-CAN'), FY2026),
        400,
        `Cannot set group_fund_fiscal_year.groupid = ${UNKNOWN} because it does not exist in groups.id.`,
      ],
      [
        'PUT',
        undefined,
        byKey(HIST, UNKNOWN, FY2026),
        400,
        `Cannot set group_fund_fiscal_year.fundid = ${UNKNOWN} because it does not exist in fund.id.`,
      ],
    ])('%s with %j on %s is a %s', async (method, body, path, status, text) => {
      const answer = await world.ask(method, path, body === undefined ? {} : { body });
      expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
    });

    it('stay with their tenant', async () => {
      const path = byKey(HIST, fundOf('H-CAN'), FY2026);
      expect((await world.ask('DELETE', path, { tenant: OTHER_TENANT })).status).toBe(204);
      expect((await world.ask('GET', `${GFFY}/${rowOf('HIST/H-CAN/FY2026')}`)).status).toBe(200);
      expect((await world.ask('PUT', path, { tenant: OTHER_TENANT })).status).toBe(400);
    });

    it('need the permissions of single ones', async () => {
      for (const method of ['PUT', 'DELETE'] as const) {
        const answer = await world.ask(method, ENDOW, { permissions: [] });
        const may = `finance-storage.group-fund-fiscal-years.item.${method.toLowerCase()}`;
        expect([answer.status, answer.text]).toEqual([403, expect.stringContaining(may)]);
      }
    });
  });

  it('have other paths than bulk work, where the gateway allows no other method', () => {
    const table = new RouteTable(ROUTES);
    const allowed = (method: Method, name: string): readonly string[] | undefined => {
      const found = table.find(method, `/finance-storage${GFFY}/${name}`);
      expect(found).not.toHaveProperty('route');
      return found?.allowed;
    };
    for (const method of ['GET', 'PUT', 'DELETE'] as const)
      for (const name of ['bulk', 'copy', 'batch'])
        expect(allowed(method, name)).toEqual(['POST', 'OPTIONS']);
    expect(allowed('PUT', 'matrix')).toEqual(['GET', 'HEAD', 'OPTIONS']);
    expect(allowed('GET', `by-key/${SCI}/${UNKNOWN}/${FY2026}`)).toEqual([
      'PUT',
      'DELETE',
      'OPTIONS',
    ]);
  });

  it('are not taken for bulk work, nor bulk work for them', async () => {
    expect(statuses(await bulk(world, [{ op: 'remove', id: UNKNOWN }]))).toEqual(['unchanged']);
    for (const name of ['bulk', 'copy', 'by-key'])
      expect((await world.ask('GET', `${GFFY}/${name}`)).status).toBe(404);
  });
});
