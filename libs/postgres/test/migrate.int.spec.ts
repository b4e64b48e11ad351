import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import { protect, systemFunction } from '../src/house-tables.js';
import { openSource, prepareDatabase, PROBE_TENANT, verifySchema } from '../src/migrate.js';
import { withTenant } from '../src/tenant.js';
import { ALMA, passwordOf, shelfSchema, sqlState } from './shelf.js';

const SCHEMA = 'migrate_spec';

let database: TestDatabase;

beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database.close());

async function admin(sql: string): Promise<object[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

const prepare = (url = database.url) =>
  prepareDatabase(url, [shelfSchema(SCHEMA), shelfSchema(`${SCHEMA}_two`)], passwordOf);

async function verify(url = database.url): Promise<void> {
  const source = await openSource(url, SCHEMA, passwordOf, { poolSize: 1 });
  try {
    await verifySchema(source, SCHEMA);
  } finally {
    await source.destroy();
  }
}

describe('preparing a database', () => {
  it('makes what a service needs to run', async () => {
    await prepare();
    await expect(verify()).resolves.toBeUndefined();
    const roles = await admin(
      `select rolname, rolcanlogin, rolsuper or rolbypassrls as above_the_wall
       from pg_roles where rolname like '${SCHEMA}\\_%' and rolname not like '%two%' order by 1`,
    );
    expect(roles).toEqual([
      { rolname: `${SCHEMA}_app`, rolcanlogin: true, above_the_wall: false },
      { rolname: `${SCHEMA}_owner`, rolcanlogin: true, above_the_wall: false },
      { rolname: `${SCHEMA}_sys`, rolcanlogin: false, above_the_wall: false },
    ]);
  });

  it('may be done twice, and keeps what is there', async () => {
    await prepare();
    const source = await openSource(database.url, SCHEMA, passwordOf, { poolSize: 1 });
    await withTenant(source, ALMA, (tx) => tx.execute(`insert into book values ('alma', 1)`));
    await source.destroy();
    await prepare();
    expect(await admin(`select id from ${SCHEMA}.book`)).toEqual([{ id: 1 }]);
    expect(await admin(`select count(*)::int as n from ${SCHEMA}.migration`)).toEqual([{ n: 1 }]);
  });

  it('may be done by two processes at once', async () => {
    await Promise.all([prepare(), prepare(), prepare()]);
    await verify();
    expect(await admin(`select count(*)::int as n from ${SCHEMA}.migration`)).toEqual([{ n: 1 }]);
  });

  it('may be done in several databases of one server at once', async () => {
    await using second = await testDatabase();
    await using third = await testDatabase();
    const urls = [database.url, second.url, third.url];
    await Promise.all(urls.map((url) => prepare(url)));
    for (const url of urls) await verify(url);
  });

  it('gives the roles the passwords that it is told last', async () => {
    await prepare();
    const other = `${SCHEMA}_passwords`;
    const schemas = [shelfSchema(other)];
    await prepareDatabase(database.url, schemas, () => 'first');
    await prepareDatabase(database.url, schemas, () => 'second');
    const open = openSource(database.url, other, () => 'second', { poolSize: 1 });
    await expect(open.then((source) => source.destroy())).resolves.toBeUndefined();
    expect(await sqlState(openSource(database.url, other, () => 'first'))).toBe('28P01');
  });

  it('is refused on a server without TLS by a URL that wants it, and so is every login', async () => {
    await prepare();
    const wary = `${database.url}?sslmode=verify-full`;
    await expect(prepare(wary)).rejects.toThrow(/does not support SSL/);
    await expect(verify(wary)).rejects.toThrow(/does not support SSL/);
  });

  it('undoes a migration that fails half-way', async () => {
    const schemas = [shelfSchema(SCHEMA, 'select 1 / 0')];
    expect(await sqlState(prepareDatabase(database.url, schemas, passwordOf))).toBe('22012');
    expect(await admin(`select tablename from pg_tables where tablename = 'book'`)).toEqual([]);
    await prepare();
    await verify();
  });
});

describe('an opened schema', () => {
  it('finds its own names first and bounds every wait', async () => {
    await prepare();
    const source = await openSource(database.url, SCHEMA, passwordOf, {
      poolSize: 1,
      applicationName: 'spec',
    });
    const setting = async (name: string) => {
      const [row] = await source.query<{ value: string }[]>(
        `select current_setting('${name}') as value`,
      );
      return row?.value;
    };
    expect(await setting('search_path')).toBe(`${SCHEMA},public`);
    expect(await setting('statement_timeout')).toBe('1min');
    expect(await setting('lock_timeout')).toBe('3s');
    expect(await setting('idle_in_transaction_session_timeout')).toBe('30s');
    expect(await setting('application_name')).toBe('spec');
    await source.destroy();
  });
});

describe('verifying a schema', () => {
  beforeEach(() => prepare());

  it.each([
    ['never protected', `create table ${SCHEMA}.open_shelf (tenant_id text)`, 'open_shelf'],
    ['not forced', `alter table ${SCHEMA}.book no force row level security`, 'book'],
    ['disabled', `alter table ${SCHEMA}.outbox disable row level security`, 'outbox'],
  ])('refuses a table whose row-level security is %s', async (_why, sql, table) => {
    await admin(sql);
    await expect(verify()).rejects.toThrow(
      `Row-level security is not forced on ${SCHEMA}.${table}.`,
    );
  });

  it('refuses a relay that sees no rows', async () => {
    await admin(`drop policy sys on ${SCHEMA}.outbox`);
    await expect(verify()).rejects.toThrow(/see no rows/);
  });

  it('leaves no probe behind', async () => {
    await verify();
    expect(await admin(`select * from ${SCHEMA}.outbox`)).toEqual([]);
  });

  describe('of a service that claims', () => {
    const claiming = `${SCHEMA}_claim`;
    const migration = [
      'create table leased (tenant_id text not null, id int not null, primary key (tenant_id, id))',
      ...protect(claiming, 'leased', { sys: true }),
      `create function claim_leased() returns table (id int)
         language sql security definer set search_path = ${claiming}, pg_temp as $$
           update leased set id = id returning id $$`,
      ...systemFunction(claiming, 'claim_leased()'),
    ];

    const verifyClaim = async (): Promise<void> => {
      const source = await openSource(database.url, claiming, passwordOf, { poolSize: 1 });
      try {
        await verifySchema(source, claiming, {
          rows: [`insert into leased values ('${PROBE_TENANT}', 1)`],
          claim: 'select * from claim_leased()',
        });
      } finally {
        await source.destroy();
      }
    };

    beforeEach(() =>
      prepareDatabase(database.url, [shelfSchema(claiming, ...migration)], passwordOf),
    );

    it('passes a claim that sees rows, and leaves none behind', async () => {
      await verifyClaim();
      expect(await admin(`select * from ${claiming}.leased`)).toEqual([]);
    });

    it('refuses a claim that sees no rows', async () => {
      await admin(`drop policy sys on ${claiming}.leased`);
      await expect(verifyClaim()).rejects.toThrow(/see no rows/);
    });
  });
});
