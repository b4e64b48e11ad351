import { testDatabase } from '@quire/testing/database';
import type { DataSource } from 'typeorm';
import { openSource } from '../src/migrate.js';
import { asSystem, readOnce, readTenant, withTenant, type TenantRead } from '../src/tenant.js';
import { ALMA, BERTA, openShelf, passwordOf, sqlState, type Shelf } from './shelf.js';

const SCHEMA = 'round_trips_spec';
const READ_ONLY = '25006';
const NO_STATEMENT = '26000';
const SETTINGS = `select current_setting('app.tenant', true) as tenant, current_setting('app.actor', true) as actor`;
const TITLES = 'select tenant_id, title from book order by id';

let shelf: Shelf;
/** One connection, so that what is prepared for one transaction is there for the next. */
let source: DataSource;

beforeAll(async () => {
  shelf = await openShelf(await testDatabase(), SCHEMA);
  for (const scope of [ALMA, BERTA])
    await withTenant(shelf.source, scope, (tx) =>
      tx.execute('insert into book (tenant_id, id, title) values ($1, 1, $2)', [
        tx.tenantId,
        `of ${tx.tenantId}`,
      ]),
    );
});
afterAll(() => shelf[Symbol.asyncDispose]());

beforeEach(async () => {
  source = await openSource(shelf.adminUrl, SCHEMA, passwordOf, { poolSize: 1 });
});
afterEach(() => source.destroy());

/** How often the server was asked and has answered while the work ran. */
async function tripsOf(work: () => Promise<unknown>): Promise<number> {
  const runner = source.createQueryRunner();
  const { connection } = (await runner.connect()) as { connection: NodeJS.EventEmitter };
  await runner.release();
  let trips = 0;
  const count = (): void => void (trips += 1);
  connection.on('readyForQuery', count);
  await work();
  connection.off('readyForQuery', count);
  return trips;
}

const statusOf = () =>
  asSystem(shelf.source, (system) =>
    system.call<{ state: string }>(
      `select state from pg_stat_activity where usename = $1 and state like 'idle in%'`,
      [`${SCHEMA}_app`],
    ),
  );

/** A connection prepares statements one by one when it first meets them, and sends them together from then on. */
const TIMES = [['first'], ['second'], ['third']] as const;

describe('a read of one statement', () => {
  const read = () => readOnce(source, ALMA, (tx) => tx.query(TITLES));

  it('takes one round trip once its connection knows the statement', async () => {
    await read();
    expect(await tripsOf(read)).toBe(1);
    const other = () => readOnce(source, BERTA, (tx) => tx.query(TITLES));
    expect(await tripsOf(other)).toBe(1);
  });

  it.each(TIMES)('sees the rows of its tenant, whose the connection was before: %s', async () => {
    expect(await read()).toEqual([{ tenant_id: 'alma', title: 'of alma' }]);
    const others = await readOnce(source, BERTA, (tx) => tx.query(TITLES));
    expect(others).toEqual([{ tenant_id: 'berta', title: 'of berta' }]);
    expect(await read()).toEqual([{ tenant_id: 'alma', title: 'of alma' }]);
  });

  it('knows tenant and actor for its own length, and leaves nothing on the connection', async () => {
    for (const [time] of TIMES) {
      const inside = await readOnce(source, ALMA, (tx) => tx.one(SETTINGS));
      expect([time, inside]).toEqual([time, { tenant: ALMA.tenantId, actor: ALMA.actorId }]);
      const after = await asSystem(source, (system) => system.call(SETTINGS));
      expect([time, after]).toEqual([time, [{ tenant: '', actor: '' }]]);
    }
  });

  it('cannot write', async () => {
    const write = () =>
      readOnce(source, ALMA, (tx) => tx.query(`update book set title = 'x' returning id`));
    await read();
    for (const [time] of TIMES) expect([time, await sqlState(write())]).toEqual([time, READ_ONLY]);
    expect(await read()).toEqual([{ tenant_id: 'alma', title: 'of alma' }]);
  });

  it('gives its connection back without a transaction when the statement fails', async () => {
    const broken = (tx: TenantRead) => tx.query('select 1 / (id - $1) from book', [1]);
    await read();
    for (const [time] of TIMES) {
      const state = await sqlState(readOnce(source, ALMA, broken));
      expect([time, state]).toEqual([time, '22012']);
      expect(await statusOf()).toEqual([]);
      expect(await read()).toHaveLength(1);
    }
    const fine = await readOnce(source, ALMA, (tx) =>
      tx.query('select 1 / (id - $1) as n from book', [0]),
    );
    expect(fine).toEqual([{ n: 1 }]);
  });

  it('has no second statement', async () => {
    const two = readOnce(source, ALMA, async (tx) => {
      await tx.query(TITLES);
      return tx.query(TITLES);
    });
    await expect(two).rejects.toThrow('opened for one statement');
    expect(await read()).toHaveLength(1);
  });
});

describe('the first statement of a transaction', () => {
  const write = () =>
    withTenant(source, ALMA, (tx) => tx.execute(`update book set title = title where id = 1`));

  it('takes one round trip with its begin and its tenant, the commit another', async () => {
    await write();
    expect(await tripsOf(write)).toBe(2);
    const read = () =>
      readTenant(source, ALMA, async (tx) => [await tx.query(TITLES), await tx.query(TITLES)]);
    await read();
    expect(await tripsOf(read)).toBe(3);
  });

  it('is not asked, and nothing else, when the work asks nothing', async () => {
    expect(await tripsOf(() => withTenant(source, ALMA, () => Promise.resolve()))).toBe(0);
  });

  it('says how many rows it changed', async () => {
    for (const [time] of TIMES) expect([time, await write()]).toEqual([time, 1]);
  });

  it('comes before those that are asked for at the same time', async () => {
    for (const [time] of TIMES) {
      const both = await withTenant(source, ALMA, (tx) =>
        Promise.all([tx.query(TITLES), tx.query(TITLES)]),
      );
      expect([time, both.map((rows) => rows.length)]).toEqual([time, [1, 1]]);
    }
  });

  it('does not run when its transaction could not begin', async () => {
    // A table without row-level security: nothing but the transaction keeps the row out.
    const enable = (id: string) =>
      withTenant(source, ALMA, (tx) =>
        tx.query('insert into tenant (tenant_id) values ($1)', [id]),
      );
    await enable('before');
    await asSystem(source, (system) => system.call('deallocate begin_write'));
    expect(await sqlState(enable('after'))).toBe(NO_STATEMENT);
    const rows = await shelf.source.query<object[]>('select tenant_id from tenant');
    expect(rows).toEqual([{ tenant_id: 'before' }]);
  });
});
