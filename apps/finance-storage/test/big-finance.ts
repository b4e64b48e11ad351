import type { DataSource } from 'typeorm';

/**
 * A tenant with as many rows as a large library has: 100,000 group-fund-fiscal-years of 5,000 funds in 200 groups and 20 years,
 * each with its budget. Made by SQL, with ids that follow from numbers.
 */
export const FUNDS = 5_000;
export const YEARS = 20;
export const GROUPS = 200;

const uuid = (kind: string, number: string): string => {
  const hash = `md5('${kind} ' || (${number}))`;
  return `overlay(overlay(${hash} placing '4' from 13) placing '8' from 17)::uuid`;
};

const STAMPS = 'created_at, updated_at';
const NOW = 'now(), now()';

export async function fillTenant(admin: DataSource, tenant: string): Promise<void> {
  const insertion = (table: string, columns: string, select: string): string =>
    `insert into finance_storage.${table} (tenant_id, ${columns}) select '${tenant}', ${select}`;
  const insert = (...parts: Parameters<typeof insertion>): Promise<unknown> =>
    admin.query(insertion(...parts));
  // The rows fit; to look up each reference would take most of the time.
  const insertUnchecked = (...parts: Parameters<typeof insertion>): Promise<unknown> =>
    admin.query(
      `begin; set local session_replication_role = replica; ${insertion(...parts)}; commit`,
    );
  await insert(
    'fiscal_year',
    `id, code, name, series, period_start, period_end, ${STAMPS}`,
    `${uuid('year', 'n')}, 'FY' || (2010 + n), 'Year ' || (2010 + n), 'FY', make_timestamptz(2010 + n, 1, 1, 0, 0, 0, 'UTC'),
       make_timestamptz(2010 + n, 12, 31, 23, 59, 59, 'UTC'), ${NOW} from generate_series(0, ${YEARS - 1}) as n`,
  );
  await insert(
    'ledger',
    `id, code, name, fiscal_year_one_id, ledger_status, restrict_encumbrance, restrict_expenditures, acq_unit_ids, ${STAMPS}`,
    `${uuid('ledger', 'n')}, 'L' || n, 'Ledger ' || n, ${uuid('year', 'n')}, case when n = 0 then 'Frozen' else 'Active' end,
       true, true, array[${uuid('unit', 'n')}::text], ${NOW} from generate_series(0, 19) as n`,
  );
  await insert(
    'fund_type',
    'id, name',
    `${uuid('type', 'n')}, 'Type ' || n from generate_series(0, 49) as n`,
  );
  await insert(
    'groups',
    `id, code, name, status, acq_unit_ids, ${STAMPS}`,
    `${uuid('group', 'n')}, 'G' || n, 'Group ' || n, case when n < 4 then 'Frozen' else 'Active' end,
       array[${uuid('unit', 'n')}::text], ${NOW} from generate_series(0, ${GROUPS - 1}) as n`,
  );
  await insert(
    'fund',
    `id, code, name, fund_status, ledger_id, fund_type_id, external_account_no, acq_unit_ids, tags, restrict_by_locations, ${STAMPS}`,
    `${uuid('fund', 'n')}, 'F' || n, 'Fund ' || n || ' History', case when n < 50 then 'Inactive' else 'Active' end,
       ${uuid('ledger', 'n % 20')}, ${uuid('type', 'n % 50')}, '9-F' || n, array[${uuid('unit', 'n')}::text],
       jsonb_build_object('tagList', jsonb_build_array('tag ' || n)), false, ${NOW} from generate_series(0, ${FUNDS - 1}) as n`,
  );
  const rows = `generate_series(0, ${FUNDS - 1}) as f, generate_series(0, ${YEARS - 1}) as y`;
  await insertUnchecked(
    'budget',
    `id, name, budget_status, fund_id, fiscal_year_id, initial_allocation, ${STAMPS}`,
    `${uuid('budget', `f || ' ' || y`)}, 'F' || f || '-FY' || (2010 + y), case when f = 7 then 'Closed' else 'Active' end,
       ${uuid('fund', 'f')}, ${uuid('year', 'y')}, 10000, ${NOW} from ${rows}`,
  );
  await insertUnchecked(
    'group_fund_fiscal_year',
    'id, group_id, fund_id, fiscal_year_id, budget_id',
    `${uuid('relation', `f || ' ' || y`)}, ${uuid('group', `f % ${GROUPS}`)}, ${uuid('fund', 'f')}, ${uuid('year', 'y')},
       ${uuid('budget', `f || ' ' || y`)} from ${rows}`,
  );
}

/** The id that {@link fillTenant} gave. @param kind `fund`, `group`, `year` … */
export async function idOf(
  admin: DataSource,
  kind: string,
  number: number | string,
): Promise<string> {
  const [row] = await admin.query<[{ id: string }]>(`select ${uuid(kind, `'${number}'`)} as id`);
  return row.id;
}
