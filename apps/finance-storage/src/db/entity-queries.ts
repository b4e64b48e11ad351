import type { Field } from '@quire/contracts/fields';
import type { CqlEntity, CqlField, CqlJoin, CqlWordIndex } from '@quire/postgres/cql-entity';
import type { Listing } from '@quire/postgres/pages';
import {
  budget,
  columnOf,
  fiscalYear,
  fund,
  fundType,
  group,
  groupFundFiscalYear,
  ledger,
  storedFields,
  type Entity,
} from '../domain/entities.js';
import { selected } from './entity-columns.js';

/**
 * What CQL may ask of each entity (finance-storage, section 4): every stored property, and those of related entities behind
 * a prefix. Aliases are the names of the tables.
 */
const SCHEMA = 'finance_storage';
/** Counts up to this are exact (conventions, 14.2). */
const EXACT_UP_TO = 20_000;

/** Kept by triggers (migration 0003). */
const TOTAL = `select coalesce(sum(n), 0)::int as n from ${groupFundFiscalYear.table}_count where tenant_id = $1`;

/** Columns with a head, which their index has (migrations 0002, 0003). */
const HEADS: ReadonlySet<string> = new Set(['code', 'name', 'series', 'externalAccountNo']);

/** Tables whose names have an index of words: the others are small. */
const WORDS: ReadonlySet<string> = new Set([fund.table, budget.table]);

/** Of a name beyond 100,000 characters the vector knows as much as the rule. */
const wordsOf = (table: string): CqlWordIndex => ({
  vector: `${table}.name_words`,
  lookup: { key: `${table}.id`, call: `${SCHEMA}.${table}_of_name` },
  exact: true,
});

function fieldOf(table: string, field: Field): readonly (readonly [string, CqlField])[] {
  const { name, type } = field;
  const column = `${table}.${columnOf(name)}`;
  switch (type.kind) {
    case 'text':
      if (type.lower) return [[name, { type: 'uuid', sql: column }]];
      return [
        [
          name,
          {
            type: 'text',
            sql: column,
            ...(HEADS.has(name) ? { head: `${column}_head` } : {}),
            ...(name === 'name' && WORDS.has(table) ? { words: wordsOf(table) } : {}),
          },
        ],
      ];
    case 'enum':
      return [[name, { type: 'enum', sql: column, values: type.values }]];
    case 'decimal':
      return [[name, { type: 'number', sql: column }]];
    case 'boolean':
    case 'date':
      return [[name, { type: type.kind, sql: column }]];
    case 'list':
      return listOf(table, name, column, type);
    // `tags` has its own entry; the others no entity has.
    case 'nested':
    case 'integer':
    case 'day':
    case 'map':
    case 'document':
    case 'anything':
      return [];
  }
}

function listOf(
  table: string,
  name: string,
  column: string,
  type: Field['type'] & { kind: 'list' },
): readonly (readonly [string, CqlField])[] {
  if (type.of.kind === 'nested') {
    const subfields = ['locationId', 'tenantId'];
    return [[name, { type: 'objects', sql: column, subfields, defaults: ['locationId'] }]];
  }
  const key = `${table}.id`;
  const lookup = { key, call: `${SCHEMA}.${table}_of_${columnOf(name)}` };
  // UUIDs are kept in lower case, so that they are folded already.
  const found = name === 'acqUnitIds' ? { folded: column, lookup } : {};
  return [[name, { type: 'list', sql: column, ...found }]];
}

function fieldsOf(entity: Entity): Readonly<Record<string, CqlField>> {
  const { table, stamped } = entity;
  return {
    id: { type: 'uuid', sql: `${table}.id` },
    _version: { type: 'number', sql: `${table}.version`, integer: true },
    ...Object.fromEntries(storedFields(entity).flatMap((field) => fieldOf(table, field))),
    ...(storedFields(entity).some(({ name }) => name === 'tags') ? tagsOf(table) : {}),
    ...(entity === fund ? LOCATIONS : {}),
    ...(stamped ? metadataOf(table) : {}),
  };
}

/** Paths through the list: some location of the fund has it. */
const locationField = (name: string, sql: string, type: 'uuid' | 'text'): CqlField => ({
  type,
  sql: sql.replace('?', `location.item ->> '${name}'`),
  sortable: false,
  within: { from: `jsonb_array_elements(${fund.table}.locations) as location(item)` },
});
const LOCATIONS: Readonly<Record<string, CqlField>> = {
  'locations.locationId': locationField('locationId', '(?)::uuid', 'uuid'),
  'locations.tenantId': locationField('tenantId', '(?)', 'text'),
};

const tagsOf = (table: string): Readonly<Record<string, CqlField>> => ({
  'tags.tagList': {
    type: 'list',
    sql: `${table}.tag_list`,
    ...(table === 'fund'
      ? {
          heads: true,
          lookup: { key: `${table}.id`, call: `${SCHEMA}.fund_of_tag_list` },
        }
      : {}),
  },
});

const metadataOf = (table: string): Readonly<Record<string, CqlField>> => ({
  'metadata.createdDate': { type: 'date', sql: `${table}.created_at` },
  'metadata.createdByUserId': { type: 'uuid', sql: `${table}.created_by` },
  'metadata.createdByUsername': { type: 'text', sql: `${table}.created_by_name` },
  'metadata.updatedDate': { type: 'date', sql: `${table}.updated_at` },
  'metadata.updatedByUserId': { type: 'uuid', sql: `${table}.updated_by` },
  'metadata.updatedByUsername': { type: 'text', sql: `${table}.updated_by_name` },
});

/** `a.b_id` points at `target`; the tenant is part of every key. */
const tie = (left: string, right: string): string => {
  const table = (side: string): string => side.split('.')[0] ?? '';
  return `${table(left)}.tenant_id = ${table(right)}.tenant_id and ${left} = ${right}`;
};

interface JoinPath {
  readonly entity: Entity;
  /** Tables from the related row towards the row of the query, with how each is tied to the one before. */
  readonly via?: readonly (readonly [table: string, on: string])[];
  readonly on: string;
}

function joinOf({ entity, via = [], on }: JoinPath): CqlJoin {
  const from = [entity.table, ...via.map(([table, tied]) => `join ${table} on ${tied}`)].join(' ');
  return { from, on, entity: () => ({ fields: fieldsOf(entity) }) };
}

const GFFY = groupFundFiscalYear.table;
/** @param always every row names one */
const toOne = (entity: Entity, column: string, always = true): CqlJoin => ({
  ...joinOf({ entity, on: tie(`${entity.table}.id`, column) }),
  toOne: true,
  always,
  key: { column, table: entity.table },
});
/** What the fund of the row names. */
const overFund = (over: CqlJoin, ofFund: CqlJoin): CqlJoin => ({ ...ofFund, over });
const toMany = (entity: Entity, column: string, id: string): CqlJoin =>
  joinOf({ entity, on: tie(`${entity.table}.${column}`, id) });
/** Rows that name a fund of the row. */
const overFunds = (entity: Entity, column: string, id: string): CqlJoin =>
  joinOf({
    entity,
    via: [['fund', tie(`${entity.table}.fund_id`, 'fund.id')]],
    on: tie(`fund.${column}`, id),
  });

const LEDGER_OF_FUND = toOne(ledger, 'fund.ledger_id');
const FUND_TYPE_OF_FUND = toOne(fundType, 'fund.fund_type_id', false);
const FUND_OF_GFFY = toOne(fund, `${GFFY}.fund_id`);
const FUND_OF_BUDGET = toOne(fund, 'budget.fund_id');

const JOINS: Readonly<Record<string, Readonly<Record<string, CqlJoin>>>> = {
  [groupFundFiscalYear.name]: {
    group: toOne(group, `${GFFY}.group_id`),
    fund: FUND_OF_GFFY,
    fiscalYear: toOne(fiscalYear, `${GFFY}.fiscal_year_id`),
    budget: toOne(budget, `${GFFY}.budget_id`, false),
    ledger: overFund(FUND_OF_GFFY, LEDGER_OF_FUND),
    fundType: overFund(FUND_OF_GFFY, FUND_TYPE_OF_FUND),
  },
  [budget.name]: {
    fund: FUND_OF_BUDGET,
    fiscalYear: toOne(fiscalYear, 'budget.fiscal_year_id'),
    ledger: overFund(FUND_OF_BUDGET, LEDGER_OF_FUND),
    groupFundFY: toMany(groupFundFiscalYear, 'budget_id', 'budget.id'),
  },
  [fund.name]: {
    ledger: LEDGER_OF_FUND,
    fundType: FUND_TYPE_OF_FUND,
    groupFundFY: toMany(groupFundFiscalYear, 'fund_id', 'fund.id'),
    budget: toMany(budget, 'fund_id', 'fund.id'),
  },
  [ledger.name]: {
    fiscalYearOne: toOne(fiscalYear, 'ledger.fiscal_year_one_id'),
    groupFundFY: overFunds(groupFundFiscalYear, 'ledger_id', 'ledger.id'),
    budget: overFunds(budget, 'ledger_id', 'ledger.id'),
    fund: toMany(fund, 'ledger_id', 'ledger.id'),
  },
  [fundType.name]: {
    groupFundFY: overFunds(groupFundFiscalYear, 'fund_type_id', 'fund_type.id'),
    fund: toMany(fund, 'fund_type_id', 'fund_type.id'),
  },
  [group.name]: { groupFundFY: toMany(groupFundFiscalYear, 'group_id', 'groups.id') },
  [fiscalYear.name]: {
    groupFundFY: toMany(groupFundFiscalYear, 'fiscal_year_id', 'fiscal_year.id'),
    budget: toMany(budget, 'fiscal_year_id', 'fiscal_year.id'),
  },
};

export function cqlEntityOf(entity: Entity): CqlEntity {
  return { fields: fieldsOf(entity), joins: JOINS[entity.name] ?? {} };
}

export function listingOf(entity: Entity): Listing {
  const { path, table } = entity;
  return {
    collection: path,
    table,
    alias: table,
    columns: selected(entity),
    entity: cqlEntityOf(entity),
    defaultOrder: `${table}.id`,
    schema: SCHEMA,
    exactUpTo: EXACT_UP_TO,
    ...(entity === groupFundFiscalYear ? { total: TOTAL } : {}),
  };
}
