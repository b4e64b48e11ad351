import { Client } from 'pg';

/**
 * A large library on top of the sample data: 20,000 funds in 100 ledgers, their budgets of all years, 200 groups, and a million
 * relations between them. Straight into the tables, without the checks of foreign keys: what is generated refers to what is
 * there.
 */
export const FUNDS = 20_000;
export const GROUPS = 200;
export const RELATIONS = 1_000_000;

/** @returns ids of relations, to read one by one */
export async function fillFinance(databaseUrl: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set search_path = finance_storage, public');
    await client.query('set session_replication_role = replica');
    for (const statement of STATEMENTS) await client.query(statement);
    await client.query(RELATE);
    await client.query(SHORTEN, [RELATIONS]);
    // As autovacuum would have done by the time that a library is so large.
    for (const table of TABLES) await client.query(`vacuum (analyze) ${table}`);
    const { rows } = await client.query<{ id: string }>(
      `select id from group_fund_fiscal_year order by md5(id::text) limit 20000`,
    );
    return rows.map(({ id }) => id);
  } finally {
    await client.end();
  }
}

const TABLES = ['ledger', 'fund', 'budget', 'groups', 'group_fund_fiscal_year'];
const STAMPS = 'created_at, updated_at';
const NOW = 'now(), now()';
const WORDS = `(array['History','Law','Music','Maps','Chemistry','Physics','Serials','Exchanges','Theology','Botany'])`;

/** The sample data have 5 ledgers, 20 funds and 2 groups already. */
const STATEMENTS = [
  `insert into ledger (tenant_id, id, name, code, fiscal_year_one_id, ledger_status, restrict_encumbrance,
     restrict_expenditures, currency, ${STAMPS})
   select 'library', gen_random_uuid(), 'Ledger ' || n, 'L' || n, y.id,
     (array['Active','Active','Active','Frozen'])[1 + n % 4], true, true, 'EUR', ${NOW}
   from generate_series(1, 95) as n, fiscal_year as y where y.code = 'FY2026'`,
  `insert into groups (tenant_id, id, code, name, status, ${STAMPS})
   select 'library', gen_random_uuid(), 'G' || n, ${WORDS}[1 + n % 10] || ' group ' || n, 'Active', ${NOW}
   from generate_series(3, ${GROUPS}) as n`,
  `create temporary table ledgers as select id, row_number() over (order by code) - 1 as n from ledger`,
  `create temporary table types as select id, row_number() over (order by name) - 1 as n from fund_type`,
  `insert into fund (tenant_id, id, code, name, fund_status, ledger_id, fund_type_id, external_account_no,
     restrict_by_locations, ${STAMPS})
   select 'library', gen_random_uuid(), 'F' || i, ${WORDS}[1 + i % 10] || ' fund ' || i,
     case when i % 20 = 0 then 'Inactive' when i % 20 = 1 then 'Frozen' else 'Active' end,
     l.id, t.id, '9-F' || i, false, ${NOW}
   from generate_series(21, ${FUNDS}) as i join ledgers as l on l.n = i % 100 left join types as t on t.n = i % 16`,
  `insert into budget (tenant_id, id, name, budget_status, fund_id, fiscal_year_id, initial_allocation, ${STAMPS})
   select 'library', gen_random_uuid(), f.code || '-' || y.code,
     case when y.code < 'FY2025' then 'Closed' when y.code = 'FY2027' then 'Planned' else 'Active' end,
     f.id, y.id, 10000, ${NOW}
   from fund as f cross join fiscal_year as y on conflict do nothing`,
  `create temporary table numbered_groups as select id, row_number() over (order by code) - 1 as n from groups`,
  `create temporary table numbered_budgets as
     select id, fund_id, fiscal_year_id, row_number() over (order by fund_id, fiscal_year_id) - 1 as n from budget`,
];

/** Each budget in six or seven groups, spread over all of them. */
const RELATE = `
  insert into group_fund_fiscal_year (tenant_id, id, budget_id, group_id, fiscal_year_id, fund_id)
  select 'library', gen_random_uuid(), b.id, g.id, b.fiscal_year_id, b.fund_id
  from generate_series(0, 6) as k cross join numbered_budgets as b
    join numbered_groups as g on g.n = (b.n * 7 + k * 29) % ${GROUPS}
  on conflict do nothing`;

/** As many as the goal names. */
const SHORTEN = `delete from group_fund_fiscal_year where id in (
  select g.id from group_fund_fiscal_year as g join groups on groups.id = g.group_id
  where groups.code not in ('HIST', 'SCI')
  limit greatest(0, (select count(*) from group_fund_fiscal_year) - $1::bigint))`;
