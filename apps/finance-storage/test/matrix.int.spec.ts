import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  bulk,
  csv,
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
import { sampleId } from '../src/domain/sample-data.js';
import { ledger } from '../src/domain/entities.js';
import { FinanceWorld, type Answer } from './finance-world.js';

const MATRIX = `${GFFY}/matrix?fiscalYearId=${FY2026}`;

describe('the matrix of a fiscal year', () => {
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

  async function table(more = '', year = FY2026): Promise<string> {
    const answer = await world.ask('GET', `${GFFY}/matrix?fiscalYearId=${year}${more}`, {
      headers: { accept: 'text/csv' },
    });
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      'text/csv; charset=utf-8',
    ]);
    return answer.text;
  }

  const query = (cql: string): string => `&query=${encodeURIComponent(cql)}`;

  describe('as JSON', () => {
    it('has a row for each fund and a column for each group, by their codes', async () => {
      const answer = await world.ask('GET', `${MATRIX}&offset=4&limit=2`);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(answer.json).toEqual({
        fiscalYear: {
          id: FY2026,
          code: 'FY2026',
          name: 'Fiscal Year 2026',
          periodStart: '2026-01-01T00:00:00.000+00:00',
          periodEnd: '2026-12-31T23:59:59.000+00:00',
          series: 'FY',
        },
        groups: [
          { id: HIST, code: 'HIST', name: 'History' },
          { id: SCI, code: 'SCI', name: 'Natural Sciences' },
        ],
        rows: [
          {
            fund: {
              id: fundOf('GRANT'),
              code: 'GRANT',
              name: 'Grant Serials',
              fundStatus: 'Inactive',
            },
            cells: [null, null],
          },
          {
            fund: {
              id: fundOf('H-AFR'),
              code: 'H-AFR',
              name: 'African History',
              fundStatus: 'Active',
            },
            budget: { id: expect.any(String), available: 10_000 },
            cells: [rowOf('HIST/H-AFR/FY2026'), null],
          },
        ],
        totalRecords: 20,
      });
      expect(Object.keys(answer.json as object)).toEqual([
        'fiscalYear',
        'groups',
        'rows',
        'totalRecords',
      ]);
    });

    it.each([
      ['', 10, 20],
      ['&limit=0', 0, 20],
      ['&limit=2147483647', 20, 20],
      ['&offset=15&limit=10', 5, 20],
      ['&limit=3&totalRecords=none', 3, undefined],
      [`&ledgerId=${sampleId(ledger, 'ONGOING')}`, 5, 5],
      [`&ledgerId=${UNKNOWN}`, 0, 0],
      [query('fundStatus==Inactive'), 2, 2],
      [query('groupFundFY.id=* sortBy name/sort.descending') + '&limit=1', 1, 12],
      [query('ledger.name==Ongoing') + `&ledgerId=${sampleId(ledger, 'ONETIME')}`, 0, 0],
    ])('of %s has %s funds of %s', async (more, rows, total) => {
      const answer = await world.ask('GET', `${MATRIX}${more}`);
      const { rows: found, totalRecords } = answer.json as { rows: object[]; totalRecords: number };
      expect([found.length, totalRecords]).toEqual([rows, total]);
    });

    it.each([
      [`${GFFY}/matrix`, 400, "'fiscalYearId' parameter is incorrect. parameter value {null}"],
      [`${GFFY}/matrix?fiscalYearId=FY2026`, 400, 'is not valid: Invalid UUID FY2026'],
      [`${GFFY}/matrix?fiscalYearId=${UNKNOWN}`, 404, 'Not found'],
      [`${MATRIX}&ledgerId=x`, 400, "'ledgerId' parameter is incorrect"],
      [`${MATRIX}&limit=-1`, 400, "'limit' parameter is incorrect"],
      [
        `${MATRIX}&query=colour==red`,
        400,
        "unable to list matrix -- malformed parameter 'query', syntax error at column 1: unknown index 'colour'",
      ],
    ])('of %s is a %s', async (target, status, text) => {
      const answer = await world.ask('GET', target);
      expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
    });

    it('is not taken for the id of a row, and needs the permission of lists', async () => {
      const permissions = ['finance-storage.group-fund-fiscal-years.item.get'];
      const answer = await world.ask('GET', MATRIX, { permissions });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('finance-storage.group-fund-fiscal-years.collection.get');
    });
  });

  describe('as CSV', () => {
    it('names the fiscal year in its first line and has all funds', async () => {
      const lines = (await table()).split('\n');
      expect(lines.slice(0, 2)).toEqual([
        'fiscalYear,FY2026,Fiscal Year 2026',
        'fund,fundName,fundStatus,available,HIST,SCI',
      ]);
      expect(lines).toHaveLength(23);
      expect(lines).toContain('H-IBE,Iberian History,Inactive,10000,x,');
      expect(lines).toContain('GRANT,Grant Serials,Inactive,,,');
      expect((await table('&limit=1&offset=5')).split('\n')[2]).toBe(
        'H-AFR,African History,Active,10000,x,',
      );
    });

    it('that comes back as it was changes nothing', async () => {
      const before = await stored(world);
      const answer = await csv(world, await table());
      expect([answer.status, answer.json]).toMatchObject([200, { dryRun: false, results: [] }]);
      expect(await stored(world)).toEqual(before);
    });

    it('that comes back with changed cells does what they say', async () => {
      const changed = (await table())
        .replace('H-CAN,Canadian History,Active,10000,x,', 'h-can,whatever,,,,X')
        .replace('UNIV,University Allocation,Active,10000,,', 'UNIV,,,,x,x');
      const before = await stored(world);
      const dry = await csv(world, changed, '?dryRun=true');
      expect(await stored(world)).toEqual(before);
      const answer = await csv(world, changed);
      expect(answer.status).toBe(200);
      expect((answer.json as BulkAnswered).summary).toMatchObject({ created: 3, deleted: 1 });
      expect((dry.json as BulkAnswered).summary).toEqual((answer.json as BulkAnswered).summary);
      const now = await places(world);
      expect(now).toEqual(expect.arrayContaining(['SCI/H-CAN', 'HIST/UNIV', 'SCI/UNIV']));
      expect(now).not.toContain('HIST/H-CAN');
      const [univ] = (answer.json as BulkAnswered).results.slice(-1);
      const row = await world.ask('GET', `${GFFY}/${univ?.id}?expand=budget`);
      expect(row.json).toMatchObject({ expanded: { budget: { name: 'UNIV-FY2026' } } });
      const again = await csv(world, changed);
      expect(statuses(again.json as BulkAnswered)).toEqual([]);
    });

    it('may come from a spreadsheet: semicolons, quotes, padding, fewer columns, CRLF, a mark', async () => {
      const text =
        '\ufefffiscalYear;FY2027;;\r\n"fund";"SCI";"HIST";;\r\n"NEXT-RES"; x ;"";;\r\n;;;;\r\nH-USA;;x;\r\n\r\n';
      const answer = await csv(world, text);
      expect([answer.status, answer.text]).toEqual([200, answer.text]);
      expect(await places(world, 'FY2027')).toEqual(['HIST/H-USA', 'SCI/NEXT-RES']);
    });

    it('shields what a spreadsheet would take for a formula, and reads it back', async () => {
      const { ledgers } = (await world.ask('GET', '/ledgers?limit=1')).json as {
        ledgers: { id: string }[];
      };
      for (const code of ['=1+1', "'=1+1", '-5', 'a"b,c\nd'])
        await world.make('funds', {
          code,
          name: '@SUM(A1)',
          fundStatus: 'Active',
          ledgerId: ledgers[0]?.id,
        });
      await world.make('groups', { code: '+PLUS', name: 'Plus', status: 'Active' });
      await world.make('budgets', {
        name: 'minus',
        budgetStatus: 'Active',
        fundId: fundOf('H-USA'),
        fiscalYearId: FY2027,
        expenditures: 5,
      });
      const text = await table(query('name=="@SUM(A1)" or code==H-USA'), FY2027);
      expect(text).toContain("available,'+PLUS,HIST,SCI\n");
      expect(text).toContain("\n'=1+1,'@SUM(A1),Active,,,,\n");
      expect(text).toContain("\n''=1+1,'@SUM(A1),");
      expect(text).toContain("\n'-5,");
      expect(text).toContain('\n"a""b,c\nd",');
      expect(text).toContain('\nH-USA,United States History,Active,-5,');
      const answer = await csv(world, text.replaceAll('Active,,,,', 'Active,,x,,'));
      expect((answer.json as BulkAnswered).summary).toMatchObject({ created: 4 });
      expect(await places(world, 'FY2027')).toEqual([
        "+PLUS/'=1+1",
        '+PLUS/-5',
        '+PLUS/=1+1',
        '+PLUS/a"b,c\nd',
        'HIST/H-USA',
        'SCI/NEXT-RES',
      ]);
    });

    it.each([
      ['nothing but bytes', Buffer.from('fiscalYear,FY2026\nfund,\xff', 'latin1'), '2:6'],
      ['U+0000', 'fiscalYear,FY2026\nfund,HIST\nH-\0,x\n', '3:3'],
      ['another first line', 'fund,HIST\n', '1:1'],
      ['no fiscal year', 'fiscalYear,\nfund,HIST\n', '1:12'],
      ['no second line', 'fiscalYear,FY2026\n', '2:1'],
      ['another second line', 'fiscalYear,FY2026\ncolour,HIST\n', '2:1'],
      ['an empty code of a group', 'fiscalYear,FY2026\nfund,,HIST\n', '2:6'],
      ['an open quote', 'fiscalYear,FY2026\nfund,HIST\n"H-CAN,x\n', '4:1'],
      ['a quote in a cell', 'fiscalYear,FY2026\nfund,HIST\nH"CAN,x\n', '3:2'],
      ['something behind a quote', 'fiscalYear,FY2026\nfund,HIST\n"H-CAN"s,x\n', '3:8'],
      ['a short row', 'fiscalYear,FY2026\nfund,HIST,SCI\nH-CAN,x\n', '3:7'],
      ['a long row', 'fiscalYear,FY2026\nfund,HIST\nH-CAN,x,x\n', '3:9'],
      ['a row without a fund', 'fiscalYear,FY2026\nfund,HIST\n,x\n', '3:1'],
      ['ten thousand columns', `fiscalYear,FY2026\nfund${','.repeat(10_000)}\n`, '2:10005'],
    ])('with %s is malformed', async (_, text, place) => {
      const answer = await csv(world, text);
      expect([answer.status, answer.text]).toEqual([
        400,
        `unable to add bulk -- malformed CSV at ${place}`,
      ]);
    });

    it.each(['atomic', 'each'])(
      'says where it names nothing, and changes nothing: %s',
      async (mode) => {
        const before = await stored(world);
        const text = `fiscalYear,FY2026\nfund,HIST,NONE,hist\nH-CAN,x,,\nH-NONE,,x,\nh-can,,,\nH-EUR,x,yes,\n`;
        const answer = await csv(world, text, `?mode=${mode}`);
        expect(answer.status).toBe(422);
        const { errors } = answer.json as {
          errors: { message: string; parameters: { key: string; value: string }[] }[];
        };
        expect(
          errors.map(({ message, parameters: [one] }) => [message, one?.key, one?.value]),
        ).toEqual([
          ['Line 2: there is no group with this code', '2:11', 'NONE'],
          ['Line 2: the group is there twice', '2:16', 'hist'],
          ['Line 4: there is no fund with this code', '4:1', 'H-NONE'],
          ['Line 5: the fund is there twice', '5:1', 'h-can'],
          ['Line 6: a cell must be x or empty', '6:9', 'yes'],
        ]);
        const year = await csv(world, 'fiscalYear,FY1999\nfund,HIST\n');
        expect([year.status, year.text]).toEqual([
          422,
          expect.stringContaining('Line 1: there is no fiscal year with this code'),
        ]);
        expect(await stored(world)).toEqual(before);
      },
    );

    it('of an empty body is none at all, and of bad parameters is refused', async () => {
      const answers: Answer[] = [
        await csv(world, ''),
        await csv(world, 'x', '?dryRun=maybe'),
        await csv(world, 'x', '?mode=some'),
      ];
      expect(answers.map(({ status, text }) => [status, text])).toEqual([
        [400, 'HV000116: The object to be validated must not be null.'],
        [400, expect.stringContaining('must be true or false')],
        [400, expect.stringContaining('must match "atomic|each"')],
      ]);
    });

    it('changes rows of its own fiscal year only', async () => {
      await bulk(world, [{ op: 'add', ...named('SCI', 'H-AFR', 'FY2024') }]);
      await csv(world, 'fiscalYear,FY2025\nfund,HIST,SCI\nH-AFR,,x\n');
      expect(await places(world, 'FY2025')).toEqual(['SCI/H-AFR']);
      expect(await places(world, 'FY2024')).toEqual(['SCI/H-AFR']);
      expect(await table('&limit=1', FY2025)).toContain('fiscalYear,FY2025,');
    });
  });
});
