import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'finance_storage';
const TABLE = 'group_fund_fiscal_year';
const COUNT = `${TABLE}_count`;

/**
 * How many group-fund-fiscal-years a tenant has, which is what a list of all of them says first: to count a million took 129 ms.
 * And the account numbers of funds get an index.
 *
 * The number is the sum of a few rows. Each statement that adds or removes group-fund-fiscal-years adds one, in its
 * transaction, so that a snapshot which has the one has the other. It takes the place of those before it that nobody else is
 * replacing: writers never wait for one another, and what one of them loses by a rollback is there as it was.
 */
export class Counts1764000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const statements = [
      `alter table fund add external_account_no_head text generated always as (cql_head(external_account_no)) stored`,
      `create index fund_external_account_no_head on fund (tenant_id, external_account_no_head collate "C")`,
      `create table ${COUNT} (tenant_id text collate "C" not null, n bigint not null)`,
      `create index ${COUNT}_tenant on ${COUNT} (tenant_id)`,
      ADD_UP,
      ...['insert', 'delete'].flatMap(countsAfter),
      // Nobody writes any more. The owner is bound by forced row-level security, and has no policy.
      `alter table ${TABLE} no force row level security`,
      `insert into ${COUNT} select tenant_id, count(*) from ${TABLE} group by tenant_id`,
      `alter table ${TABLE} force row level security`,
      ...protect(SCHEMA, COUNT),
    ];
    for (const statement of statements) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations only go forward.'));
  }
}

/** So many rows are replaced by one: more than there are unless writers have been open for long. */
const REPLACED_MAX = 100;

const ADD_UP = `create function add_up_${TABLE}() returns trigger language plpgsql as $$
  begin
    with replaced as (
      delete from ${SCHEMA}.${COUNT} where ctid = any (array(
        select ctid from ${SCHEMA}.${COUNT} where tenant_id in (select tenant_id from changed)
        limit ${REPLACED_MAX} for update skip locked))
      returning tenant_id, n)
    insert into ${SCHEMA}.${COUNT} (tenant_id, n)
    select tenant_id, sum(n) from (
      select tenant_id, n from replaced
      union all
      select tenant_id, case when tg_op = 'INSERT' then 1 else -1 end from changed) as parts
    group by tenant_id;
    return null;
  end $$`;

/** Always: also for whoever writes without the checks of foreign keys. */
const countsAfter = (change: string): string[] => [
  `create trigger ${COUNT}_${change} after ${change} on ${TABLE}
     referencing ${change === 'insert' ? 'new' : 'old'} table as changed
     for each statement execute function add_up_${TABLE}()`,
  `alter table ${TABLE} enable always trigger ${COUNT}_${change}`,
];
