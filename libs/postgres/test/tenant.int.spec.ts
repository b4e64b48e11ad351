import { testDatabase } from '@quire/testing/database';
import type { DataSource } from 'typeorm';
import { asSystem, readTenant, streamTenant, TenantTx, withTenant } from '../src/tenant.js';
import { ALMA, BERTA, openShelf, sqlState, type Shelf } from './shelf.js';

const SCHEMA = 'tenant_spec';
const READ_ONLY = '25006';
const NO_PRIVILEGE = '42501';
/** A table without row-level security, for failing a few times from within SQL. */
const TRIES = [
  `create sequence tries`,
  `grant usage on sequence tries to ${SCHEMA}_app`,
  `create function fail_until(enough int, state text) returns void language plpgsql as $$ begin
     if nextval('tries') < enough then raise exception 'not yet' using errcode = state; end if; end $$`,
];

let shelf: Shelf;
let source: DataSource;

beforeAll(async () => {
  shelf = await openShelf(await testDatabase(), SCHEMA, ...TRIES);
  ({ source } = shelf);
});
afterAll(() => shelf[Symbol.asyncDispose]());

function addBooks(tx: TenantTx, from: number, to: number): Promise<number> {
  return tx.execute(
    `insert into book (tenant_id, id, title) select $1, n, 'Book ' || n from generate_series($2::int, $3::int) as n`,
    [tx.tenantId, from, to],
  );
}

const countBooks = (scope = ALMA) =>
  readTenant(source, scope, async (tx) => {
    const row = await tx.one<{ n: number }>('select count(*)::int as n from book');
    return row?.n;
  });

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Connections of the pool that are neither free nor at rest. */
async function inTransaction(): Promise<number> {
  const [row] = await source.query<{ n: number }[]>(
    `select count(*)::int as n from pg_stat_activity
     where datname = current_database() and backend_type = 'client backend' and state <> 'idle'
       and pid <> pg_backend_pid()`,
  );
  return row?.n ?? 0;
}

beforeEach(async () => {
  for (const scope of [ALMA, BERTA])
    await withTenant(source, scope, (tx) => tx.execute('delete from book'));
});

describe('a transaction of a tenant', () => {
  it('is made by withTenant and readTenant only', () => {
    const Tx = TenantTx as unknown as new (...args: unknown[]) => unknown;
    expect(() => new Tx(Symbol('made in tenant.ts'), ALMA, {})).toThrow(/made by withTenant/);
  });

  it('knows tenant and actor for its own length, and leaves nothing on the connection', async () => {
    const settings = `select current_setting('app.tenant', true) as tenant, current_setting('app.actor', true) as actor`;
    const inside = await withTenant(source, ALMA, (tx) => tx.one(settings));
    expect(inside).toEqual({ tenant: ALMA.tenantId, actor: ALMA.actorId });
    const after = await asSystem(source, (system) => system.call(settings));
    expect(after).toEqual([{ tenant: '', actor: '' }]);
  });

  it('takes a tenant as it is, whatever is written in it', async () => {
    const tenantId = `x', true); select set_config('app.tenant', 'alma`;
    const row = await readTenant(source, { ...ALMA, tenantId }, (tx) =>
      tx.one(`select current_tenant() as tenant`),
    );
    expect(row).toEqual({ tenant: tenantId });
  });

  it('commits what its work wrote, and says how many rows a statement changed', async () => {
    expect(await withTenant(source, ALMA, (tx) => addBooks(tx, 1, 3))).toBe(3);
    expect(await countBooks()).toBe(3);
  });

  it('writes nothing when its work throws', async () => {
    const work = withTenant(source, ALMA, async (tx) => {
      await addBooks(tx, 1, 3);
      throw new Error('thought better of it');
    });
    await expect(work).rejects.toThrow('thought better of it');
    expect(await countBooks()).toBe(0);
    expect(await inTransaction()).toBe(0);
  });

  it('does not pass for done when its work hid the error of a statement', async () => {
    const work = withTenant(source, ALMA, async (tx) => {
      await addBooks(tx, 1, 1);
      await addBooks(tx, 1, 1).catch(() => 0);
    });
    await expect(work).rejects.toThrow(/nothing was written/);
    expect(await countBooks()).toBe(0);
  });

  it('goes on after a savepoint whose work failed, without what that wrote', async () => {
    await withTenant(source, ALMA, async (tx) => {
      await addBooks(tx, 1, 1);
      const inner = tx.savepoint(async () => {
        await addBooks(tx, 2, 5);
        await addBooks(tx, 1, 1);
      });
      expect(await sqlState(inner)).toBe('23505');
      await tx.savepoint(() => addBooks(tx, 6, 6));
    });
    expect(await countBooks()).toBe(2);
  });

  it('cannot write when it was opened to read', async () => {
    const write = readTenant(source, ALMA, (tx) =>
      tx.query(`insert into book (tenant_id, id) values ('alma', 1)`),
    );
    expect(await sqlState(write)).toBe(READ_ONLY);
  });

  it('reads one snapshot, whatever is committed meanwhile', async () => {
    await readTenant(source, ALMA, async (tx) => {
      const count = () => tx.one<{ n: number }>('select count(*)::int as n from book');
      expect(await count()).toEqual({ n: 0 });
      await withTenant(source, ALMA, (other) => addBooks(other, 1, 3));
      expect(await count()).toEqual({ n: 0 });
    });
  });
});

describe('a conflict between transactions', () => {
  const restart = () => asSystem(source, (system) => system.call(`select nextval('tries')`));

  it.each(['40001', '40P01'])('%s runs the whole work again', async (state) => {
    const [row] = (await restart()) as { nextval: string }[];
    let runs = 0;
    await withTenant(source, ALMA, async (tx) => {
      runs += 1;
      await addBooks(tx, 1, 1);
      await tx.query('select fail_until($1, $2)', [Number(row?.nextval) + 3, state]);
    });
    expect(runs).toBe(3);
    expect(await countBooks()).toBe(1);
  });

  it('is the answer when it stands at the fifth attempt', async () => {
    let runs = 0;
    const work = withTenant(source, ALMA, (tx) => {
      runs += 1;
      return tx.query('select fail_until(2147483647, $1)', ['40001']);
    });
    expect(await sqlState(work)).toBe('40001');
    expect(runs).toBe(5);
  });

  it('is not seen in other errors', async () => {
    let runs = 0;
    const work = withTenant(source, ALMA, (tx) => {
      runs += 1;
      return tx.query('select 1 / 0');
    });
    expect(await sqlState(work)).toBe('22012');
    expect(runs).toBe(1);
  });
});

describe('a cursor', () => {
  beforeEach(() => withTenant(source, ALMA, (tx) => addBooks(tx, 1, 10)));

  const batches = (batchRows: number, where = 'true') =>
    readTenant(source, ALMA, async (tx) => {
      const sizes: number[] = [];
      const sql = `select id from book where tenant_id = $1 and ${where} order by id`;
      for await (const rows of tx.cursor(sql, [tx.tenantId], batchRows)) sizes.push(rows.length);
      return sizes;
    });

  it.each([
    [3, [3, 3, 3, 1]],
    [5, [5, 5]],
    [10, [10]],
    [11, [10]],
  ])('hands out batches of %i rows and a rest', async (batchRows, sizes) => {
    expect(await batches(batchRows)).toEqual(sizes);
  });

  it('has no batch when there are no rows', async () => {
    expect(await batches(3, 'false')).toEqual([]);
  });

  it('lets other statements and cursors of its transaction run between batches', async () => {
    const seen = await readTenant(source, ALMA, async (tx) => {
      const titles: string[] = [];
      const sql = 'select id, title from book order by id';
      for await (const [outer] of tx.cursor<{ id: number }>(sql, [], 1)) {
        for await (const [inner] of tx.cursor<{ title: string }>(
          'select title from book where id = $1',
          [outer?.id],
          1,
        ))
          titles.push(inner?.title ?? '');
      }
      return titles;
    });
    expect(seen).toHaveLength(10);
    expect(seen.at(-1)).toBe('Book 10');
  });

  it('gives each batch the time limit of a statement, not all of them together', async () => {
    const rows = await readTenant(source, ALMA, async (tx) => {
      await tx.query(`set local statement_timeout = 1000`);
      let count = 0;
      for await (const batch of tx.cursor('select id from book', [], 1)) {
        count += batch.length;
        // Time on the clock of the database passes while the cursor is open.
        if (count <= 3) await source.query('select pg_sleep(0.4)');
      }
      return count;
    });
    expect(rows).toBe(10);
  });

  it('ends with the error of the database', async () => {
    const read = batches(2, '1 / (id - 5) is not null');
    expect(await sqlState(read)).toBe('22012');
    const bad = readTenant(source, ALMA, async (tx) => {
      for await (const rows of tx.cursor('select nothing from nowhere', [], 2))
        expect(rows).toBe(0);
    });
    expect(await sqlState(bad)).toBe('42P01');
    expect(await inTransaction()).toBe(0);
  });
});

describe('a stream of a tenant', () => {
  beforeEach(() => withTenant(source, ALMA, (tx) => addBooks(tx, 1, 10)));

  const stream = () =>
    streamTenant(source, ALMA, async function* (tx) {
      for await (const rows of tx.cursor<{ id: number }>('select id from book order by id', [], 2))
        for (const row of rows) yield row.id;
    });

  it('yields what its work yields, and closes its transaction', async () => {
    expect(await collected(stream())).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await inTransaction()).toBe(0);
  });

  it('closes its transaction when it is given up', async () => {
    for await (const id of stream()) {
      expect(await inTransaction()).toBe(1);
      if (id === 3) break;
    }
    expect(await inTransaction()).toBe(0);
  });

  it('closes its transaction when its reader throws', async () => {
    const read = async () => {
      for await (const id of stream()) if (id === 3) throw new Error('full');
    };
    await expect(read()).rejects.toThrow('full');
    expect(await inTransaction()).toBe(0);
  });

  it('opens nothing before it is read', async () => {
    const unread = stream();
    expect(await inTransaction()).toBe(0);
    await unread.return(undefined);
    expect(await inTransaction()).toBe(0);
  });

  it('cannot write', async () => {
    const write = streamTenant(source, ALMA, async function* (tx) {
      yield await tx.query(`delete from book`);
    });
    expect(await sqlState(collected(write))).toBe(READ_ONLY);
  });
});

describe('a call of the system', () => {
  it('reaches no table of a tenant', async () => {
    const read = asSystem(source, (system) => system.call('select * from book'));
    expect(await sqlState(read)).toBe(NO_PRIVILEGE);
  });

  it('gives its connection back when it fails', async () => {
    for (let times = 0; times < 10; times += 1)
      expect(await sqlState(asSystem(source, (system) => system.call('select 1 / 0')))).toBe(
        '22012',
      );
    expect(await asSystem(source, (system) => system.call('select 1 as one'))).toEqual([
      { one: 1 },
    ]);
  });
});
