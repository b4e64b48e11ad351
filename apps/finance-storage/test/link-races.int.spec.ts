import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { ALWAYS, FinanceWorld, type Answer, type Made, type Method } from './finance-world.js';

/**
 * A thousand changes of budgets and group-fund-fiscal-years, eight at a time, on few funds and years, so that they meet. In
 * whatever order they came: a link is one to the budget of the fund and year, and where there is such a budget and no link, a
 * client has taken it away with the last change of the row.
 */
const CHANGES = 1_000;
const AT_ONCE = 8;
const SEED = 20_261_129;
const GFFY = 'group-fund-fiscal-years';

let database: TestDatabase;
let world: FinanceWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

/** Numbers of 0 to below `limit`, the same ones for the same seed (mulberry32). */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

type Random = ReturnType<typeof randomOf>;

class Clients {
  readonly budgets: string[] = [];
  readonly relations: string[] = [];
  /** `<id> <version>` of rows as a client has left them without budget. */
  readonly cleared = new Set<string>();
  /** By kind of change and status. */
  readonly answers = new Map<string, number>();

  constructor(
    private readonly funds: readonly Made[],
    private readonly years: readonly Made[],
    private readonly groups: readonly Made[],
  ) {}

  async change(random: Random): Promise<void> {
    const budget = this.pick(random, this.budgets);
    const relation = this.pick(random, this.relations);
    switch (random(8)) {
      case 0:
        return this.post(`budgets`, this.budgets, this.budget(random));
      case 1:
        return this.post(GFFY, this.relations, this.relation(random));
      case 2:
      case 3:
        return this.put('budgets', budget, this.budget(random));
      case 4:
        return this.put(GFFY, relation, this.relation(random));
      case 5:
        return this.remove('budgets', this.budgets, budget);
      case 6:
        return this.remove(GFFY, this.relations, relation);
      default:
        return this.clear(relation);
    }
  }

  private pick = (random: Random, ids: readonly string[]): string | undefined =>
    ids.length === 0 ? undefined : ids[random(ids.length)];

  private pair(random: Random): Record<string, unknown> {
    return {
      fundId: this.funds[random(this.funds.length)]?.id,
      fiscalYearId: this.years[random(this.years.length)]?.id,
    };
  }

  private budget = (random: Random): Record<string, unknown> => ({
    name: 'b',
    budgetStatus: 'Active',
    ...this.pair(random),
  });

  private relation(random: Random): Record<string, unknown> {
    const groupId = this.groups[random(this.groups.length)]?.id;
    const budgetId = random(3) === 0 ? this.pick(random, this.budgets) : undefined;
    return { groupId, ...this.pair(random), budgetId };
  }

  private async post(path: string, made: string[], body: object): Promise<void> {
    const answer = await this.ask('POST', `/${path}`, body, [201, 400, 422]);
    if (answer.status === 201) made.push((answer.json as Made).id);
  }

  private async put(
    path: string,
    id: string | undefined,
    change: Record<string, unknown>,
  ): Promise<void> {
    if (id === undefined) return;
    const stored = await this.ask('GET', `/${path}/${id}`, undefined, [200, 404]);
    if (stored.status === 404) return;
    const { _version } = stored.json as Made;
    const body = { ...change, _version };
    const answer = await this.ask('PUT', `/${path}/${id}`, body, [204, 400, 404, 409, 422]);
    if (answer.status === 204 && path === GFFY && change['budgetId'] === undefined)
      this.cleared.add(`${id} ${_version + 1}`);
  }

  /** Of the same group, fund and year, without budget. */
  private async clear(id: string | undefined): Promise<void> {
    if (id === undefined) return;
    const { status, json } = await this.ask('GET', `/${GFFY}/${id}`, undefined, [200, 404]);
    if (status === 200) await this.put(GFFY, id, { ...(json as object), budgetId: undefined });
  }

  private async remove(path: string, made: string[], id: string | undefined): Promise<void> {
    if (id === undefined) return;
    const { status } = await this.ask('DELETE', `/${path}/${id}`, undefined, [204, 404]);
    if (status === 204) made.splice(made.indexOf(id), 1);
  }

  private async ask(
    method: Method,
    target: string,
    body: object | undefined,
    allowed: readonly number[],
  ): Promise<Answer> {
    const answer = await world.ask(method, target, body === undefined ? {} : { body });
    if (!allowed.includes(answer.status))
      throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
    const kind = `${method} ${target.split('/')[1] ?? ''} ${answer.status}`;
    this.answers.set(kind, (this.answers.get(kind) ?? 0) + 1);
    return answer;
  }
}

interface LinkedRow {
  readonly id: string;
  readonly version: number;
  readonly budget_id: string | null;
  /** The budget of the fund and year. */
  readonly due: string | null;
}

it('changes at the same time leave every link as the document says, and none fails', async () => {
  const funds: Made[] = [];
  const groups: Made[] = [];
  for (const name of ['a', 'b', 'c']) {
    const { fund, group } = await world.library(name);
    funds.push(fund);
    groups.push(group);
  }
  const years: Made[] = [];
  for (const code of ['y1', 'y2', 'y3'])
    years.push(await world.make('fiscal-years', { code, name: code, ...ALWAYS }));
  const clients = new Clients(funds, years, groups);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < CHANGES) {
      next += 1;
      await clients.change(randomOf(SEED + next));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));

  const rows = await world.rows<LinkedRow>(
    `select g.id, g.version, g.budget_id, b.id as due from group_fund_fiscal_year as g
     left join budget as b on b.tenant_id = $1 and b.fund_id = g.fund_id and b.fiscal_year_id = g.fiscal_year_id
     where g.tenant_id = $1`,
  );
  const wrong = rows.filter(({ id, version, budget_id, due }) =>
    budget_id === null
      ? due !== null && !clients.cleared.has(`${id} ${version}`)
      : budget_id !== due,
  );
  expect(wrong).toEqual([]);
  // It was not for nothing: every kind of change has succeeded, and some have met.
  for (const kind of [
    'POST budgets 201',
    'PUT budgets 204',
    'DELETE budgets 204',
    `POST ${GFFY} 201`,
    `PUT ${GFFY} 204`,
    `DELETE ${GFFY} 204`,
  ])
    expect([kind, (clients.answers.get(kind) ?? 0) > 20]).toEqual([kind, true]);
  expect(clients.answers.get(`PUT ${GFFY} 409`) ?? 0).toBeGreaterThan(0);
}, 120_000);

describe('a budget and group-fund-fiscal-years of one pair', () => {
  const ROUNDS = 40;
  const groups: string[] = [];
  let fundId: string;
  const years: string[] = [];

  beforeAll(async () => {
    const { fund, year, group } = await world.library('pairs');
    fundId = fund.id;
    const named = (name: string): object => ({ code: name, name });
    const other = await world.make('fiscal-years', { ...named('pairs 2'), ...ALWAYS });
    years.push(year.id, other.id);
    groups.push(group.id);
    for (const name of ['p1', 'p2', 'p3'])
      groups.push((await world.make('groups', { ...named(name), status: 'Active' })).id);
  });

  const pairOf = (year: number): { fundId: string; fiscalYearId: string | undefined } => ({
    fundId,
    fiscalYearId: years[year],
  });
  const relationsIn = (year: number): Promise<Made>[] =>
    groups.map((groupId) => world.make(GFFY, { groupId, ...pairOf(year) }));
  const linksOf = async (made: readonly Made[]): Promise<unknown[]> =>
    Promise.all(made.map(async (one) => (await world.get(GFFY, one))['budgetId']));
  const removeAll = (path: string, made: readonly Made[]): Promise<unknown> =>
    Promise.all(made.map(({ id }) => world.ask('DELETE', `/${path}/${id}`)));

  it('find each other, made or moved at the same time', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [budget, ...relations] = await Promise.all([
        world.make('budgets', { name: 'b', budgetStatus: 'Active', ...pairOf(0) }),
        ...relationsIn(0),
      ]);
      const links = await linksOf(relations);
      expect([round, ...links]).toEqual([round, ...relations.map(() => budget.id)]);
      const [put, ...others] = await Promise.all([
        world.ask('PUT', `/budgets/${budget.id}`, {
          body: { name: 'b', budgetStatus: 'Active', ...pairOf(1), _version: 1 },
        }),
        ...relationsIn(1),
      ]);
      expect(put.status).toBe(204);
      expect([round, ...(await linksOf(others))]).toEqual([round, ...others.map(() => budget.id)]);
      expect(await linksOf(relations)).toEqual(relations.map(() => undefined));
      // A budget that goes takes its links along, also of what is made meanwhile.
      await removeAll(GFFY, others);
      const [gone, ...last] = await Promise.all([
        world.ask('DELETE', `/budgets/${budget.id}`),
        ...relationsIn(1),
      ]);
      expect(gone.status).toBe(204);
      expect(await linksOf(last)).toEqual(last.map(() => undefined));
      await removeAll(GFFY, [...relations, ...last]);
    }
  }, 120_000);
});
