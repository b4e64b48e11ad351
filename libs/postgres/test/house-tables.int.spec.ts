import { Client } from 'pg';
import { testDatabase } from '@quire/testing/database';
import type { DataSource } from 'typeorm';
import { asSystem, readTenant, withTenant } from '../src/tenant.js';
import { openSource, prepareDatabase } from '../src/migrate.js';
import { ALMA, BERTA, openShelf, passwordOf, shelfSchema, sqlState, type Shelf } from './shelf.js';

const SCHEMA = 'house_spec';
const NEIGHBOUR = 'house_spec_neighbour';
const NO_PRIVILEGE = '42501';

let shelf: Shelf;
let source: DataSource;

beforeAll(async () => {
  shelf = await openShelf(await testDatabase(), SCHEMA);
  ({ source } = shelf);
  await prepareDatabase(shelf.adminUrl, [shelfSchema(NEIGHBOUR)], passwordOf);
  for (const scope of [ALMA, BERTA])
    await withTenant(source, scope, (tx) =>
      tx.execute(`insert into book (tenant_id, id, title) values ($1, 1, 'Of ' || $1)`, [
        tx.tenantId,
      ]),
    );
});
afterAll(() => shelf[Symbol.asyncDispose]());

const addEvent = (scope = ALMA, payload = '{}') =>
  withTenant(source, scope, (tx) =>
    tx.execute(
      `insert into outbox (tenant_id, event_id, topic, key, headers, payload)
       values ($1, gen_random_uuid(), 'topic', $1, '{}', $2)`,
      [tx.tenantId, payload],
    ),
  );

describe('the wall between tenants', () => {
  it('makes asking without a tenant an error, not an empty answer', async () => {
    expect(await sqlState(source.query('select * from book'))).toBe(NO_PRIVILEGE);
    expect(await sqlState(source.query(`insert into book values ('alma', 9)`))).toBe(NO_PRIVILEGE);
    const nobody = readTenant(source, { ...ALMA, tenantId: '' }, (tx) => tx.query('table book'));
    expect(await sqlState(nobody)).toBe(NO_PRIVILEGE);
  });

  it('shows a tenant its own rows only, also when the SQL forgets to name it', async () => {
    const rows = await readTenant(source, ALMA, (tx) => tx.query('select title from book'));
    expect(rows).toEqual([{ title: 'Of alma' }]);
    const others = await readTenant(source, ALMA, (tx) =>
      tx.query(`select title from book where tenant_id = 'berta'`),
    );
    expect(others).toEqual([]);
  });

  it('lets nobody write into, change or delete the rows of another tenant', async () => {
    const write = (sql: string) => withTenant(source, ALMA, (tx) => tx.execute(sql));
    expect(await sqlState(write(`insert into book values ('berta', 2)`))).toBe(NO_PRIVILEGE);
    expect(await sqlState(write(`update book set tenant_id = 'berta', id = 3`))).toBe(NO_PRIVILEGE);
    expect(await write(`update book set title = 'mine' where tenant_id = 'berta'`)).toBe(0);
    expect(await write(`delete from book where tenant_id = 'berta'`)).toBe(0);
    const rows = await readTenant(source, BERTA, (tx) => tx.query('select id, title from book'));
    expect(rows).toEqual([{ id: 1, title: 'Of berta' }]);
  });

  it('is no matter of the role: the app may become neither owner nor system', async () => {
    for (const kind of ['owner', 'sys'])
      expect(await sqlState(source.query(`set role ${SCHEMA}_${kind}`))).toBe(NO_PRIVILEGE);
  });

  it('binds the owner of the tables too', async () => {
    const url = new URL(shelf.adminUrl);
    url.username = `${SCHEMA}_owner`;
    url.password = encodeURIComponent(passwordOf(`${SCHEMA}_owner`));
    const owner = new Client({ connectionString: url.href });
    await owner.connect();
    try {
      const { rows } = await owner.query(`select * from ${SCHEMA}.book`);
      expect(rows).toEqual([]);
    } finally {
      await owner.end();
    }
  });
});

describe('the wall between services', () => {
  it('keeps the app role out of another schema', async () => {
    expect(await sqlState(source.query(`select * from ${NEIGHBOUR}.tenant`))).toBe(NO_PRIVILEGE);
    expect(await sqlState(source.query(`select ${NEIGHBOUR}.current_tenant()`))).toBe(NO_PRIVILEGE);
    const relay = source.query(`select * from ${NEIGHBOUR}.relay_read(1, '{}')`);
    expect(await sqlState(relay)).toBe(NO_PRIVILEGE);
  });

  it('stands in both directions, and each service has its own rows', async () => {
    const neighbour = await openSource(shelf.adminUrl, NEIGHBOUR, passwordOf, { poolSize: 1 });
    try {
      expect(await readTenant(neighbour, ALMA, (tx) => tx.query('table book'))).toEqual([]);
      expect(await sqlState(neighbour.query(`table ${SCHEMA}.tenant`))).toBe(NO_PRIVILEGE);
    } finally {
      await neighbour.destroy();
    }
  });

  it('keeps the app role from making tables and functions', async () => {
    expect(await sqlState(source.query('create table mine (n int)'))).toBe(NO_PRIVILEGE);
    expect(await sqlState(source.query('create table public.mine (n int)'))).toBe(NO_PRIVILEGE);
  });
});

describe('the outbox', () => {
  it('takes rows from the app and shows it none', async () => {
    expect(await addEvent()).toBe(1);
    for (const sql of ['select * from outbox', 'delete from outbox', 'update outbox set key = key'])
      expect(await sqlState(withTenant(source, ALMA, (tx) => tx.query(sql)))).toBe(NO_PRIVILEGE);
  });

  it('is read and emptied by the functions of the relay, over all tenants and without the keys they skip', async () => {
    const read = (skipped: readonly string[]) =>
      asSystem(source, (system) =>
        system.call<{ seq: string; tenant_id: string }>('select * from relay_read(10, $1)', [
          skipped,
        ]),
      );
    const done = (rows: readonly { seq: string }[]) =>
      asSystem(source, (system) =>
        system.call('select relay_done($1)', [rows.map((row) => row.seq)]),
      );
    await done(await read([]));
    await addEvent(ALMA);
    await addEvent(BERTA);
    expect((await read([])).map((row) => row.tenant_id)).toEqual(['alma', 'berta']);
    const bertas = await read(['alma']);
    expect(bertas.map((row) => row.tenant_id)).toEqual(['berta']);
    await done(bertas);
    expect((await read([])).map((row) => row.tenant_id)).toEqual(['alma']);
  });

  it('takes 65,536 bytes of payload and not one more', async () => {
    expect(await addEvent(ALMA, 'ä'.repeat(32_768))).toBe(1);
    expect(await sqlState(addEvent(ALMA, 'ä'.repeat(32_768) + '.'))).toBe('23514');
  });
});

describe('the other tables of the house', () => {
  const run = (sql: string) => withTenant(source, ALMA, (tx) => tx.query(sql));

  it('keep the audit append-only, with the actor of the transaction', async () => {
    const rows = await run(
      `insert into audit (tenant_id, action, subject) values ('alma', 'looked', 'book 1') returning actor`,
    );
    expect(rows).toEqual([{ actor: ALMA.actorId }]);
    for (const sql of [`update audit set action = 'x'`, 'delete from audit', 'truncate audit'])
      expect(await sqlState(run(sql))).toBe(NO_PRIVILEGE);
  });

  it('keep dead letters behind functions', async () => {
    expect(await sqlState(run('select * from dead_letter'))).toBe(NO_PRIVILEGE);
    await asSystem(source, (system) =>
      system.call(
        `select dead_letter_add('nobody', gen_random_uuid(), 'topic', 'key', '{}', 'no JSON', 'not JSON', $1, 1)`,
        ['x'.repeat(2000)],
      ),
    );
    const letters = await asSystem(source, (system) =>
      system.call(`select tenant_id, reason, length(error) as length from dead_letter_list()`),
    );
    expect(letters).toEqual([{ tenant_id: 'nobody', reason: 'not JSON', length: 1024 }]);
  });

  it.each(['inbox', 'idempotency', 'setting', 'object_intent', 'audit'])(
    'wall %s in like any other',
    async (table) => {
      expect(await sqlState(source.query(`select * from ${table}`))).toBe(NO_PRIVILEGE);
      expect(await run(`select * from ${table} where tenant_id <> 'alma'`)).toEqual([]);
    },
  );
});
