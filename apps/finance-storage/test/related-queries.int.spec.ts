import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import type { CqlEntity, CqlJoin } from '@quire/postgres/cql-entity';
import { compileCql } from '@quire/postgres/cql-where';
import type { FoundIds } from '@quire/postgres/cql-related';
import type { TenantRead } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { cqlEntityOf } from '../src/db/entity-queries.js';
import { budget, fund, groupFundFiscalYear, type Entity } from '../src/domain/entities.js';
import { FinanceWorld, TENANT } from './finance-world.js';

/**
 * What is found by looking up related rows first, all, some or none of them, is what the clauses find one by one, put together as
 * sets; and rows joined for the order stand as if the key had been looked up for each.
 */
const SCHEMA = 'finance_storage';

let database: TestDatabase;
let world: FinanceWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  const admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  for (const statement of ROWS) await admin.query(`set search_path = ${SCHEMA}; ${statement}`);
  await admin.destroy();
}, 60_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const id = (kind: string, number: string): string =>
  `overlay(overlay(md5('${kind} ' || (${number})) placing '4' from 13) placing '8' from 17)::uuid`;
const NOW = 'now(), now()';
const STAMPS = 'created_at, updated_at';
const one = (list: readonly string[], n: string): string =>
  `(array[${list.map((text) => (text === 'null' ? text : `'${text}'`)).join(', ')}])[1 + (${n}) % ${list.length}]`;
const NAMES = ['African History', 'Éducation', 'history_of 100%', 'Låw', 'Music', 'history'];

/** Funds without a type, some with one name; years without budgets; relations of all of them, a third without a budget. */
const ROWS: readonly string[] = [
  `insert into fiscal_year (tenant_id, id, code, name, series, period_start, period_end, ${STAMPS})
   select '${TENANT}', ${id('year', 'n')}, 'FY' || 2024 + n, 'Year ' || n, ${one(['null', 'FY'], 'n')},
     make_timestamptz(2024 + n, 1, 1, 0, 0, 0, 'UTC'), make_timestamptz(2024 + n, 12, 31, 23, 59, 59, 'UTC'), ${NOW}
   from generate_series(0, 3) as n`,
  `insert into ledger (tenant_id, id, code, name, fiscal_year_one_id, ledger_status, restrict_encumbrance,
     restrict_expenditures, ${STAMPS})
   select '${TENANT}', ${id('ledger', 'n')}, 'L' || n, 'Ledger ' || n, ${id('year', 'n')}, ${one(['Active', 'Frozen'], 'n')},
     true, n = 1, ${NOW} from generate_series(0, 2) as n`,
  `insert into fund_type (tenant_id, id, name) select '${TENANT}', ${id('type', 'n')}, ${one(['Books', 'Gifts', 'Serials'], 'n')}
   from generate_series(0, 2) as n`,
  `insert into groups (tenant_id, id, code, name, status, description, ${STAMPS})
   select '${TENANT}', ${id('group', 'n')}, 'G' || n, ${one(['History', 'Natural Sciences', 'Maps'], 'n')} || ' ' || n,
     ${one(['Active', 'Frozen'], 'n')}, ${one(['null', 'old'], 'n')}, ${NOW} from generate_series(0, 4) as n`,
  `insert into fund (tenant_id, id, code, name, fund_status, ledger_id, fund_type_id, external_account_no,
     restrict_by_locations, ${STAMPS})
   select '${TENANT}', ${id('fund', 'n')}, 'F' || n, ${one(NAMES, 'n')}, ${one(['Active', 'Inactive', 'Active'], 'n')},
     ${id('ledger', 'n % 3')}, case when n % 4 > 0 then ${id('type', 'n % 2')} end, ${one(['null', '9-F'], 'n')}, false, ${NOW}
   from generate_series(0, 11) as n`,
  `insert into budget (tenant_id, id, name, budget_status, fund_id, fiscal_year_id, allowable_encumbrance, ${STAMPS})
   select '${TENANT}', ${id('budget', `f || ' ' || y`)}, 'F' || f || '-' || y, ${one(['Active', 'Closed', 'Planned'], 'f + y')},
     ${id('fund', 'f')}, ${id('year', 'y')}, case when f % 2 = 0 then f end, ${NOW}
   from generate_series(0, 11) as f, generate_series(0, 2) as y where (f + y) % 3 > 0`,
  `insert into group_fund_fiscal_year (tenant_id, id, group_id, fund_id, fiscal_year_id, budget_id)
   select '${TENANT}', ${id('relation', `g || ' ' || f || ' ' || y`)}, ${id('group', 'g')}, ${id('fund', 'f')}, ${id('year', 'y')},
     (select id from budget where fund_id = ${id('fund', 'f')} and fiscal_year_id = ${id('year', 'y')})
   from generate_series(0, 3) as g, generate_series(0, 10) as f, generate_series(0, 3) as y where (g * 3 + f + y * 5) % 4 < 3`,
];

const FUND_CLAUSES = [
  'fund.code==F3',
  'fund.name=="*history*"',
  'fund.name=history',
  'fund.name==hist*',
  'fund.name=="?åw"',
  'fund.name<>music',
  'fund.fundStatus==Inactive',
  'fund.externalAccountNo==9-F',
  'fund.externalAccountNo<>zzz',
  'fund.description==x',
  'fund.id=*',
];
const YEAR_CLAUSES = [
  'fiscalYear.code==FY2025',
  'fiscalYear.periodEnd<2026',
  'fiscalYear.series=""',
];
const LEDGER_CLAUSES = ['ledger.ledgerStatus==Frozen', 'ledger.name=="Ledger 2"', 'ledger.name=*'];
const TYPE_CLAUSES = ['fundType.name==Books', 'fundType.name=*', 'fundType.name<>Books'];
const BUDGET_CLAUSES = [
  'budget.budgetStatus==Closed',
  'budget.budgetStatus<>Closed',
  'budget.name==F1*',
  'budget.allowableEncumbrance>4',
  'budget.id=*',
  'budget.name==none',
];

/** Clauses of each entity whose queries look up related rows. */
const SUBJECTS: readonly (readonly [name: string, Entity, readonly string[]])[] = [
  [
    groupFundFiscalYear.name,
    groupFundFiscalYear,
    [
      'cql.allRecords=1',
      'budgetId=""',
      'fundId=a*',
      'group.name==History*',
      'group.code==G1',
      'group.description==old',
      'group.description=""',
      'group.status==Frozen',
      ...FUND_CLAUSES,
      ...YEAR_CLAUSES,
      ...LEDGER_CLAUSES,
      ...TYPE_CLAUSES,
      ...BUDGET_CLAUSES,
    ],
  ],
  [
    budget.name,
    budget,
    [
      'budgetStatus==Closed',
      'groupFundFY.id=*',
      'groupFundFY.groupId<>8*',
      ...FUND_CLAUSES,
      ...YEAR_CLAUSES,
      ...LEDGER_CLAUSES,
    ],
  ],
  [
    fund.name,
    fund,
    [
      'code==F1*',
      'groupFundFY.fiscalYearId=8*',
      'groupFundFY.groupId<>8*',
      'budget.budgetStatus==Closed',
      'budget.budgetStatus==Planned',
      ...LEDGER_CLAUSES,
      ...TYPE_CLAUSES,
    ],
  ],
];

type Query =
  | { readonly clause: string }
  | { readonly operator: string; readonly left: Query; readonly right: Query };

const { query: queryOf } = fc.letrec<{ query: Query; pair: Query; place: Query }>((tie) => ({
  place: fc.nat().map((place) => ({ clause: String(place) })),
  pair: fc.record({
    operator: fc.constantFrom('and', 'or', 'not'),
    left: tie('query'),
    right: tie('query'),
  }),
  query: fc.oneof({ maxDepth: 4 }, tie('place'), tie('pair'), tie('pair'), tie('pair')),
}));

const written = (query: Query, clauses: readonly string[]): string =>
  'clause' in query
    ? clauseOf(query.clause, clauses)
    : `(${written(query.left, clauses)}) ${query.operator} (${written(query.right, clauses)})`;
const clauseOf = (place: string, clauses: readonly string[]): string =>
  clauses[Number(place) % clauses.length] ?? '';

/** Joins that say nothing but what they join. */
const plain = ({ fields, joins = {} }: CqlEntity): CqlEntity => ({
  fields,
  joins: Object.fromEntries(
    Object.entries(joins).map(([prefix, join]) => [prefix, plainJoin(join)]),
  ),
});
const plainJoin = ({ from, on, entity, over, toOne = false }: CqlJoin): CqlJoin => ({
  ...(over ? { from: `${from} join ${over.from} on ${on}`, on: over.on } : { from, on }),
  entity,
  toOne,
});

type Ids = ReadonlySet<string>;

/** What queries find in the table of an entity. */
class Finder {
  private readonly clauses = new Map<string, Ids>();

  constructor(
    private readonly tx: TenantRead,
    private readonly entity: Entity,
    private readonly names: readonly string[],
  ) {}

  async ids(where: string, params: readonly unknown[]): Promise<Ids> {
    const { table } = this.entity;
    const sql = `select ${table}.id from ${table} where ${table}.tenant_id = $1 and ${where}`;
    return new Set((await this.tx.query<{ id: string }>(sql, params)).map((row) => row.id));
  }

  /** Each clause on its own. */
  async asSets(query: Query): Promise<Ids> {
    if ('clause' in query) return this.byClause(clauseOf(query.clause, this.names));
    const [left, right] = [await this.asSets(query.left), await this.asSets(query.right)];
    if (query.operator === 'or') return new Set([...left, ...right]);
    return new Set([...left].filter((one) => right.has(one) === (query.operator === 'and')));
  }

  /** With lookups of at most as many ids. */
  async lookingUp(query: Query, idsMax: number): Promise<Ids> {
    const parsed = parseCql(written(query, this.names), URL_LIMITS);
    const sql = compileCql(parsed, cqlEntityOf(this.entity), { params: [TENANT], schema: SCHEMA });
    if (!sql.related || idsMax === 0) return this.ids(sql.where, sql.params);
    const lookup = sql.related.lookup(TENANT, idsMax);
    const row = await this.tx.one<Record<string, FoundIds>>(lookup.sql, lookup.params);
    const params: unknown[] = [TENANT];
    const where = sql.related.where(params, Object.values(row ?? {}));
    return this.ids(where, params);
  }

  private async byClause(text: string): Promise<Ids> {
    const known = this.clauses.get(text);
    if (known) return known;
    const entity = plain(cqlEntityOf(this.entity));
    const sql = compileCql(parseCql(text, URL_LIMITS), entity, {
      params: [TENANT],
      schema: SCHEMA,
    });
    const ids = await this.ids(sql.where, sql.params);
    this.clauses.set(text, ids);
    return ids;
  }
}

it.each(SUBJECTS)(
  'a query of %s finds what its clauses find',
  async (_name, entity, clauses) => {
    await world.read(async (tx) => {
      const finder = new Finder(tx, entity, clauses);
      const counts = new Set<number>();
      await fc.assert(
        fc.asyncProperty(queryOf, async (query) => {
          const wanted = [...(await finder.asSets(query))].sort();
          counts.add(wanted.length);
          for (const idsMax of [0, 2, 1000])
            expect([...(await finder.lookingUp(query, idsMax))].sort()).toEqual(wanted);
        }),
        { numRuns: 400, seed: 20_261_129 },
      );
      expect(counts.size).toBeGreaterThan(8);
    });
  },
  60_000,
);

const SORT_KEYS: Readonly<Record<string, readonly string[]>> = {
  [groupFundFiscalYear.name]: [
    ...['id', 'budgetId', 'group.name', 'group.description', 'fund.name', 'fund.externalAccountNo'],
    ...['fund.fundStatus', 'fiscalYear.periodStart', 'fiscalYear.series', 'budget.budgetStatus'],
    ...['budget.allowableEncumbrance', 'ledger.name', 'fundType.name', 'fundType.id', 'nothing'],
  ],
  [budget.name]: ['name', 'fund.name', 'fund.code', 'fiscalYear.code', 'ledger.ledgerStatus'],
  [fund.name]: ['name', 'externalAccountNo', 'ledger.name', 'fundType.name', 'budget.name'],
};
const MODIFIERS = [
  '',
  '/sort.descending',
  '/sort.missingLow',
  '/number',
  '/sort.descending/number',
];

it.each(SUBJECTS)(
  'a query of %s has the order of its keys',
  async (name, entity) => {
    const keys = SORT_KEYS[name] ?? [];
    const sortOf = fc
      .array(fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...MODIFIERS)), {
        minLength: 1,
        maxLength: 4,
      })
      .map((chosen) => chosen.map((key) => key.join('')).join(' '));
    await world.read(async (tx) => {
      const idsBy = async (of: CqlEntity, sort: string): Promise<string[]> => {
        const parsed = parseCql(`cql.allRecords=1 sortBy ${sort}`, URL_LIMITS);
        const { orderBy, orderJoins } = compileCql(parsed, of, { schema: SCHEMA });
        const { table } = entity;
        const rows = await tx.query<{ id: string }>(
          `select ${table}.id from ${table}${orderJoins} where ${table}.tenant_id = $1 order by ${orderBy}`,
          [TENANT],
        );
        return rows.map((row) => row.id);
      };
      await fc.assert(
        fc.asyncProperty(sortOf, async (sort) => {
          const wanted = await idsBy(plain(cqlEntityOf(entity)), sort);
          expect(wanted.length).toBeGreaterThan(10);
          expect(await idsBy(cqlEntityOf(entity), sort)).toEqual(wanted);
        }),
        { numRuns: 100, seed: 20_261_129 },
      );
    });
  },
  60_000,
);
