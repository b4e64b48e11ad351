import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { FinanceWorld, type Made } from './finance-world.js';

let database: TestDatabase;
let world: FinanceWorld;
let group: Made;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  group = await world.make('groups', { code: 'g', name: 'g', status: 'Active' });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const conflict = (stored: number, sent: string): string =>
  `Cannot update record ${group.id} because it has been changed (optimistic locking): Stored _version is ${stored}, _version of request is ${sent}`;

describe('a change', () => {
  const BODY = { code: 'g', name: 'g', status: 'Active' };
  const put = (body: object, ifMatch?: string): ReturnType<FinanceWorld['ask']> =>
    world.ask('PUT', `/groups/${group.id}`, {
      body: { ...BODY, ...body },
      ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
    });

  it.each([
    [{ _version: 9 }, '9'],
    [{}, '<NULL>'],
    [{ _version: null }, '<NULL>'],
    [{ _version: -1 }, '<NULL>'],
  ])('must name the stored version, not %j', async (body, sent) => {
    const answer = await put(body);
    expect([answer.status, answer.text]).toEqual([409, conflict(1, sent)]);
  });

  it('may name it in If-Match, but not another one than in the body', async () => {
    const differs = await put({ _version: 1 }, '"2"');
    expect([differs.status, differs.text]).toEqual([400, 'If-Match and _version differ.']);
    const stale = await put({}, '"7"');
    expect([stale.status, stale.text]).toEqual([409, conflict(1, '7')]);
    const good = await put({}, '"1"');
    expect([good.status, good.text]).toEqual([204, '']);
    expect((await world.get('groups', group))._version).toBe(2);
  });

  it('takes what a GET gave, its version as a text too, and raises the version by one', async () => {
    const answer = await put({ ...(await world.get('groups', group)), _version: '2' });
    expect(answer.status).toBe(204);
    expect((await world.get('groups', group))._version).toBe(3);
  });

  it('is of the thing in the path, whatever id the body has', async () => {
    const other = await world.make('groups', { code: 'h', name: 'h', status: 'Active' });
    const answer = await world.ask('PUT', `/groups/${other.id}`, {
      body: { ...other, id: group.id, name: 'other' },
    });
    expect(answer.status).toBe(204);
    expect((await world.get('groups', other))['name']).toBe('other');
  });

  it('is looked up, then held against the version, then against other rows', async () => {
    const other = await world.make('groups', { code: 'i', name: 'i', status: 'Active' });
    const taken = { code: 'g', name: 'i', status: 'Active' };
    const stale = await world.ask('PUT', `/groups/${other.id}`, { body: taken });
    expect(stale.status).toBe(409);
    const held = await world.ask('PUT', `/groups/${other.id}`, { body: { ...taken, _version: 1 } });
    expect([held.status, held.text]).toEqual([400, 'code value already exists in table groups: g']);
  });

  it('removes what it does not name', async () => {
    const one = await world.make('groups', {
      code: 'd',
      name: 'd',
      status: 'Active',
      description: 'about',
      acqUnitIds: [group.id],
    });
    await world.ask('PUT', `/groups/${one.id}`, {
      body: { code: 'd', name: 'd', status: 'Active', _version: 1, description: null },
    });
    const after = await world.get('groups', one);
    expect(Object.keys(after).sort()).toEqual(
      ['_version', 'code', 'id', 'metadata', 'name', 'status'].sort(),
    );
  });
});

describe('a deletion', () => {
  it('needs no version, but holds to that of If-Match', async () => {
    const one = await world.make('groups', { code: 'x', name: 'x', status: 'Active' });
    const remove = (ifMatch: string): ReturnType<FinanceWorld['ask']> =>
      world.ask('DELETE', `/groups/${one.id}`, { headers: { 'if-match': ifMatch } });
    const stale = await remove('"4"');
    expect([stale.status, stale.text]).toEqual([
      409,
      expect.stringContaining('optimistic locking'),
    ]);
    expect((await remove('"1"')).status).toBe(204);
  });
});

describe('changes of one thing at the same time', () => {
  it('are won by exactly one of those that name the same version', async () => {
    const one = await world.make('groups', { code: 'race', name: 'race', status: 'Active' });
    for (let version = 1; version <= 40; version += 1) {
      const answers = await Promise.all(
        ['a', 'b'].map((description) =>
          world.ask('PUT', `/groups/${one.id}`, {
            body: { code: 'race', name: 'race', status: 'Active', _version: version, description },
          }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    }
    expect((await world.get('groups', one))._version).toBe(41);
  });

  it('of a group-fund-fiscal-year too', async () => {
    const { year, fund, group: its } = await world.library('pair');
    const ids = { groupId: its.id, fundId: fund.id, fiscalYearId: year.id };
    const one = await world.make('group-fund-fiscal-years', ids);
    for (let version = 1; version <= 40; version += 1) {
      const answers = await Promise.all(
        [0, 1].map(() =>
          world.ask('PUT', `/group-fund-fiscal-years/${one.id}`, {
            body: { ...ids, _version: version },
          }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    }
  });
});
