import { fiscalYear, fund, group, groupFundFiscalYear } from '../src/domain/entities.js';
import { sampleId } from '../src/domain/sample-data.js';
import type { Answer, Ask, FinanceWorld } from './finance-world.js';

/** What tests of bulk work ask of the sample data. */
export const GFFY = '/group-fund-fiscal-years';
export const HIST = sampleId(group, 'HIST');
export const SCI = sampleId(group, 'SCI');
export const FY2025 = sampleId(fiscalYear, 'FY2025');
export const FY2026 = sampleId(fiscalYear, 'FY2026');
export const FY2027 = sampleId(fiscalYear, 'FY2027');
export const fundOf = (code: string): string => sampleId(fund, code);
export const rowOf = (key: string): string => sampleId(groupFundFiscalYear, key);
export const UNKNOWN = '3f1c5a7e-0d3b-4c55-9d2e-8f6a7b8c9d0e';

export interface Result {
  readonly index: number;
  readonly op: string;
  readonly status: string;
  readonly id?: string;
  readonly _version?: number;
  readonly error?: { readonly message: string; readonly parameters: readonly { key: string }[] };
}

export interface BulkAnswered {
  readonly dryRun: boolean;
  readonly summary: Readonly<Record<string, number>>;
  readonly results: readonly Result[];
}

export const named = (groupCode: string, fundCode: string, fiscalYearCode = 'FY2026'): object => ({
  groupCode,
  fundCode,
  fiscalYearCode,
});

/** Sends bulk work that must succeed. */
export async function bulk(
  world: FinanceWorld,
  operations: readonly object[],
  more: object = {},
): Promise<BulkAnswered> {
  const answer = await world.ask('POST', `${GFFY}/bulk`, { body: { operations, ...more } });
  expect([answer.status, answer.text]).toEqual([200, answer.text]);
  const answered = answer.json as BulkAnswered;
  const sum = Object.values(answered.summary).reduce((one, other) => one + other, 0);
  expect(sum).toBe(answered.results.length);
  return answered;
}

export const statuses = ({ results }: BulkAnswered): string[] =>
  results.map(({ status }) => status);

export const csv = (world: FinanceWorld, text: string | Uint8Array, query = ''): Promise<Answer> =>
  world.ask('POST', `${GFFY}/bulk${query}`, {
    bytes: Buffer.from(text),
    headers: { 'content-type': 'text/csv; charset=utf-8' },
  } satisfies Ask);

/** Everything of the tenant, as it is stored: proves that nothing was changed. */
export const stored = (world: FinanceWorld): Promise<object[]> =>
  world.rows('select * from group_fund_fiscal_year where tenant_id = $1 order by id');

/** Which funds are in which groups, `HIST/H-AFR/FY2026`. */
export async function places(world: FinanceWorld, year = 'FY2026'): Promise<string[]> {
  const rows = await world.rows<{ place: string }>(
    `select place from (select g.code || '/' || f.code as place from group_fund_fiscal_year r
     join groups g on g.tenant_id = $1 and g.id = r.group_id
     join fund f on f.tenant_id = $1 and f.id = r.fund_id
     join fiscal_year y on y.tenant_id = $1 and y.id = r.fiscal_year_id
     where r.tenant_id = $1 and y.code = $2) as found order by place collate "C"`,
    [year],
  );
  return rows.map(({ place }) => place);
}
