import { CQL_FUNCTIONS_SQL } from '@quire/postgres/cql-functions';
import { protect, systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'finance_storage';

/**
 * Groups, fiscal years, ledgers, fund types, funds, budgets, and which fund is in which group in which year
 * (finance-storage, sections 1, 2 and 9).
 *
 * Names and codes are unique without case and accents. A value may be longer than a b-tree takes, so what is unique is the
 * hash of the folded value, and what queries find is its head. PostgreSQL names the first constraint that fails: the key,
 * unique indexes in the order they were made, then foreign keys. That is the order of section 3.
 */
export class Entities1764000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const statements = [
      CQL_FUNCTIONS_SQL,
      TAG_LIST,
      TAG_HEADS,
      ...groups(),
      ...fiscalYears(),
      ...ledgers(),
      ...fundTypes(),
      ...funds(),
      ...budgets(),
      ...groupFundFiscalYears(),
      ...foreignKeys(),
    ];
    for (const statement of statements) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations only go forward.'));
  }
}

/** A generated column takes no subquery; a function may have one. */
const TAG_LIST = `create function tag_list(tags jsonb) returns text[]
  language plpgsql immutable strict parallel safe as $$
  begin
    if jsonb_typeof(tags -> 'tagList') <> 'array' then return null; end if;
    return array(select jsonb_array_elements_text(tags -> 'tagList'));
  end $$`;
/** Folded, for the index, which takes no long ones: their heads, like `cql_head`. */
const TAG_HEADS = `create function tag_heads(tags jsonb) returns text[]
  language plpgsql immutable strict parallel safe as $$
  begin
    if jsonb_typeof(tags -> 'tagList') <> 'array' then return null; end if;
    return array(select left(lower(public.unaccent('public.unaccent'::regdictionary, tag)), 400)
                 from jsonb_array_elements_text(tags -> 'tagList') as tag);
  end $$`;
const TAGS = `tags jsonb, tag_list text[] generated always as (tag_list(tags)) stored`;

const HEAD =
  'tenant_id text collate "C" not null, id uuid not null, version int not null default 1';
const STAMPS = `created_at timestamptz not null, created_by uuid, created_by_name text, updated_at timestamptz not null,
  updated_by uuid, updated_by_name text`;
const KEY = 'primary key (tenant_id, id)';

/** A column with what makes it found by words, in order and by its beginning. */
const named = (column: string): string =>
  `${column} text not null, ${column}_head text generated always as (cql_head(${column})) stored`;
const headIndex = (table: string, column: string): string =>
  `create index ${table}_${column}_head on ${table} (tenant_id, ${column}_head collate "C")`;
const unique = (table: string, column: string): string =>
  `create unique index ${table}_${column} on ${table} (tenant_id, md5(fold(${column})))`;
/**
 * Row-level security keeps conditions on lists from their index: a function of the service reaches it (cql-entity.ts). Its
 * tenant is in a form that tempts the planner to none of the indexes that begin with the tenant.
 */
const listIndex = (table: string, column: string, list = column): string[] => [
  `create index ${table}_${list} on ${table} using gin (${list})`,
  `create function ${table}_of_${column}(wanted text) returns setof uuid
     language sql stable security definer rows 20 set search_path = ${SCHEMA}, pg_temp
       set enable_seqscan = off as $$
       select id from ${table} where (tenant_id = current_tenant()) is true and ${list} @> array[left(wanted, 400)] $$`,
  ...systemFunction(SCHEMA, `${table}_of_${column}(text)`),
];
/** Words of names in tables that may be large. */
const WORDS = 'name_words tsvector generated always as (cql_words(name)) stored';
const wordIndex = (table: string): string[] => [
  `create index ${table}_name_words on ${table} using gin (name_words)`,
  `create function ${table}_of_name(wanted tsquery) returns setof uuid
     language sql stable security definer rows 20 set search_path = ${SCHEMA}, pg_temp
       set enable_seqscan = off as $$
       select id from ${table} where (tenant_id = current_tenant()) is true and name_words @@ wanted $$`,
  ...systemFunction(SCHEMA, `${table}_of_name(tsquery)`),
];
const references = (table: string, column: string, target: string): string =>
  `alter table ${table} add constraint ${table}_${column} foreign key (tenant_id, ${column}) references ${target} (tenant_id, id)`;
const columnIndex = (table: string, column: string): string =>
  `create index ${table}_by_${column} on ${table} (tenant_id, ${column})`;

function groups(): string[] {
  return [
    `create table groups (${HEAD}, ${named('code')}, ${named('name')}, status text not null, description text,
       acq_unit_ids text[], ${STAMPS}, ${KEY})`,
    unique('groups', 'code'),
    unique('groups', 'name'),
    headIndex('groups', 'code'),
    headIndex('groups', 'name'),
    columnIndex('groups', 'status'),
    ...protect(SCHEMA, 'groups', { sys: true }),
    ...listIndex('groups', 'acq_unit_ids'),
  ];
}

function fiscalYears(): string[] {
  return [
    `create table fiscal_year (${HEAD}, ${named('code')}, ${named('name')}, period_start timestamptz not null,
       period_end timestamptz not null, series text,
       series_head text generated always as (cql_head(series)) stored, currency text, description text,
       acq_unit_ids text[], ${STAMPS}, ${KEY})`,
    unique('fiscal_year', 'code'),
    headIndex('fiscal_year', 'code'),
    headIndex('fiscal_year', 'name'),
    headIndex('fiscal_year', 'series'),
    columnIndex('fiscal_year', 'period_end'),
    ...protect(SCHEMA, 'fiscal_year', { sys: true }),
    ...listIndex('fiscal_year', 'acq_unit_ids'),
  ];
}

function ledgers(): string[] {
  return [
    `create table ledger (${HEAD}, ${named('name')}, ${named('code')}, fiscal_year_one_id uuid not null,
       ledger_status text not null, restrict_encumbrance boolean not null, restrict_expenditures boolean not null,
       description text, currency text, acq_unit_ids text[], ${STAMPS}, ${KEY})`,
    unique('ledger', 'name'),
    unique('ledger', 'code'),
    headIndex('ledger', 'code'),
    headIndex('ledger', 'name'),
    columnIndex('ledger', 'ledger_status'),
    columnIndex('ledger', 'fiscal_year_one_id'),
    ...protect(SCHEMA, 'ledger', { sys: true }),
    ...listIndex('ledger', 'acq_unit_ids'),
  ];
}

function fundTypes(): string[] {
  return [
    `create table fund_type (${HEAD}, ${named('name')}, ${KEY})`,
    unique('fund_type', 'name'),
    headIndex('fund_type', 'name'),
    ...protect(SCHEMA, 'fund_type', { sys: true }),
  ];
}

function funds(): string[] {
  return [
    `create table fund (${HEAD}, ${named('code')}, ${named('name')}, ${WORDS}, fund_status text not null, ledger_id uuid not null,
       fund_type_id uuid, description text, external_account_no text, allocated_from_ids text[], allocated_to_ids text[],
       acq_unit_ids text[], donor_organization_ids text[], restrict_by_locations boolean not null, locations jsonb,
       ${TAGS}, tag_list_heads text[] generated always as (tag_heads(tags)) stored, ${STAMPS}, ${KEY})`,
    unique('fund', 'code'),
    headIndex('fund', 'code'),
    headIndex('fund', 'name'),
    columnIndex('fund', 'fund_status'),
    columnIndex('fund', 'ledger_id'),
    columnIndex('fund', 'fund_type_id'),
    ...protect(SCHEMA, 'fund', { sys: true }),
    ...listIndex('fund', 'acq_unit_ids'),
    ...listIndex('fund', 'tag_list', 'tag_list_heads'),
    ...wordIndex('fund'),
  ];
}

const AMOUNTS = [
  'initial_allocation',
  'allocation_to',
  'allocation_from',
  'net_transfers',
  'encumbered',
  'awaiting_payment',
  'expenditures',
  'credits',
];

function budgets(): string[] {
  const amounts = AMOUNTS.map((column) => `${column} numeric(19,4) not null default 0`).join(', ');
  return [
    `create table budget (${HEAD}, ${named('name')}, ${WORDS}, budget_status text not null, fund_id uuid not null,
       fiscal_year_id uuid not null, allowable_encumbrance numeric(19,4), allowable_expenditure numeric(19,4),
       acq_unit_ids text[], ${TAGS}, ${amounts}, ${STAMPS}, ${KEY})`,
    `create unique index budget_fund_year on budget (tenant_id, fund_id, fiscal_year_id)`,
    headIndex('budget', 'name'),
    columnIndex('budget', 'budget_status'),
    columnIndex('budget', 'fiscal_year_id'),
    ...protect(SCHEMA, 'budget', { sys: true }),
    ...wordIndex('budget'),
  ];
}

function groupFundFiscalYears(): string[] {
  const table = 'group_fund_fiscal_year';
  return [
    `create table ${table} (${HEAD}, budget_id uuid, group_id uuid not null, fiscal_year_id uuid not null,
       fund_id uuid not null, ${KEY})`,
    `create unique index ${table}_triple on ${table} (tenant_id, group_id, fund_id, fiscal_year_id)`,
    columnIndex(table, 'budget_id'),
    `create index ${table}_by_fund_id on ${table} (tenant_id, fund_id, fiscal_year_id)`,
    columnIndex(table, 'fiscal_year_id'),
    ...protect(SCHEMA, table),
  ];
}

/** Of several tables that still refer to a row, a deletion names the first in this order (section 3). */
function foreignKeys(): string[] {
  return [
    references('budget', 'fund_id', 'fund'),
    references('budget', 'fiscal_year_id', 'fiscal_year'),
    references('group_fund_fiscal_year', 'budget_id', 'budget'),
    references('group_fund_fiscal_year', 'group_id', 'groups'),
    references('group_fund_fiscal_year', 'fiscal_year_id', 'fiscal_year'),
    references('group_fund_fiscal_year', 'fund_id', 'fund'),
    references('fund', 'ledger_id', 'ledger'),
    references('fund', 'fund_type_id', 'fund_type'),
    references('ledger', 'fiscal_year_one_id', 'fiscal_year'),
  ];
}
