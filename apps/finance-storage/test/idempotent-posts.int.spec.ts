import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Inbox } from '@quire/messaging/inbox';
import { forgetting } from '@quire/service/forgetting';
import { openLog } from '@quire/service/log';
import { Tenants } from '@quire/service/tenants';
import { Client } from 'pg';
import { FinanceWorld, OTHER_TENANT, UNKNOWN_ID, type Answer, type Ask } from './finance-world.js';

/** `Idempotency-Key` (conventions, section 8), which is the same code in every service. */
let database: TestDatabase;
let world: FinanceWorld;
/** Superuser: for what a client cannot bring about. */
let admin: Client;

beforeAll(async () => {
  database = await testDatabase();
  world = await FinanceWorld.start(database.url);
  admin = new Client({ connectionString: database.url });
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await world[Symbol.asyncDispose]();
  await database.close();
});

const groupOf = (name: string) => ({ code: name, name, status: 'Active' });

function post(path: string, key: string, ask: Ask): Promise<Answer> {
  return world.ask('POST', path, { ...ask, headers: { 'idempotency-key': key } });
}

const addGroup = (key: string, name: string, ask: Ask = {}): Promise<Answer> =>
  post('/groups', key, { body: groupOf(name), ...ask });

const replayed = ({ headers }: Answer): unknown => headers['idempotent-replayed'];

async function groupsNamed(name: string, tenant?: string): Promise<number> {
  const query = encodeURIComponent(`name==${name}`);
  const answer = await world.ask('GET', `/groups?query=${query}`, tenant ? { tenant } : {});
  return answer.json.totalRecords as number;
}

describe('a POST with an Idempotency-Key', () => {
  it('is answered like the first time when it is repeated, to the last byte, and makes nothing', async () => {
    const first = await addGroup('k-1', 'first');
    const again = await addGroup('k-1', 'first');
    expect([first.status, replayed(first)]).toEqual([201, undefined]);
    expect([again.status, again.text, replayed(again)]).toEqual([201, first.text, 'true']);
    expect(again.headers['location']).toBe(`/finance-storage/groups/${first.json.id}`);
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
    expect(await groupsNamed('first')).toBe(1);
  });

  it('tells of its effect once', async () => {
    await world.events();
    await addGroup('k-told', 'told');
    await addGroup('k-told', 'told');
    expect((await world.events()).map(({ type }) => type)).toEqual(['GroupCreated']);
  });

  it('is refused when the key came with another body before', async () => {
    await addGroup('k-2', 'second');
    const other = await addGroup('k-2', 'another');
    expect(other.status).toBe(422);
    expect(other.json.errors).toEqual([
      {
        message: 'Idempotency-Key was used with another body',
        type: 'error',
        code: 'idempotency.key.reused',
        parameters: [{ key: 'Idempotency-Key', value: 'k-2' }],
      },
    ]);
    expect(await groupsNamed('another')).toBe(0);
  });

  it('has the key for its own user, tenant and path', async () => {
    await addGroup('k-3', 'third');
    const byOther = await addGroup('k-3', 'third-by-another', { user: randomUUID() });
    const elsewhere = await addGroup('k-3', 'third', { tenant: OTHER_TENANT });
    const onOtherPath = await post('/fund-types', 'k-3', { body: { name: 'third' } });
    expect([byOther, elsewhere, onOtherPath].map((one) => [one.status, replayed(one)])).toEqual([
      [201, undefined],
      [201, undefined],
      [201, undefined],
    ]);
  });

  it('is judged anew after it was refused', async () => {
    const ledger = { code: 'l', name: 'l', ledgerStatus: 'Active' };
    const missing = { ...ledger, fiscalYearOneId: UNKNOWN_ID };
    expect((await post('/ledgers', 'k-4', { body: missing })).status).toBe(400);
    const year = { id: UNKNOWN_ID, code: 'y', name: 'y' };
    await world.make('fiscal-years', {
      ...year,
      periodStart: '2026-01-01',
      periodEnd: '2026-12-31',
    });
    const now = await post('/ledgers', 'k-4', { body: missing });
    expect([now.status, replayed(now)]).toEqual([201, undefined]);
  });

  it('is refused while the first one runs', async () => {
    await admin.query('begin');
    await admin.query('lock table finance_storage.groups in exclusive mode');
    const first = addGroup('k-5', 'fifth');
    try {
      // The first one holds its key once it waits for the table.
      await waitsForLock();
      const second = await addGroup('k-5', 'fifth');
      expect([second.status, second.text]).toEqual([
        409,
        'A request with this Idempotency-Key is still running',
      ]);
    } finally {
      await admin.query('rollback');
    }
    expect((await first).status).toBe(201);
    expect(replayed(await addGroup('k-5', 'fifth'))).toBe('true');
  });

  it('has either its effect and its answer kept, or neither', async () => {
    await admin.query('revoke insert on finance_storage.idempotency from finance_storage_app');
    try {
      expect((await addGroup('k-6', 'sixth')).status).toBe(500);
    } finally {
      await admin.query('grant insert on finance_storage.idempotency to finance_storage_app');
    }
    expect(await groupsNamed('sixth')).toBe(0);
    expect((await addGroup('k-6', 'sixth')).status).toBe(201);
  });

  it('is a new one a day later', async () => {
    const body = { name: 'seventh' };
    const first = await post('/fund-types', 'k-7', { body });
    await admin.query(
      `update finance_storage.idempotency set at = at - interval '24 hours' where key = 'k-7'`,
    );
    await world.ask('DELETE', `/fund-types/${first.json.id}`);
    const later = await post('/fund-types', 'k-7', { body });
    expect([later.status, replayed(later)]).toEqual([201, undefined]);
    expect(replayed(await post('/fund-types', 'k-7', { body }))).toBe('true');
  });

  it.each([
    ['with blanks', 'a b'],
    ['beyond ASCII', 'clé'],
    ['too long', 'k'.repeat(256)],
  ])('is refused with a key %s', async (_, key) => {
    const answer = await addGroup(key, 'never');
    expect([answer.status, answer.text]).toEqual([
      400,
      'Idempotency-Key must be 1 to 255 printable characters without spaces',
    ]);
  });

  it('needs its permission for the repetition too', async () => {
    await addGroup('k-8', 'eighth');
    expect((await addGroup('k-8', 'eighth', { permissions: [] })).status).toBe(403);
  });
});

describe('the header Idempotency-Key', () => {
  it('means nothing on a PUT, nor on a POST that streams its answer', async () => {
    const headers = { 'idempotency-key': 'k-9' };
    const one = await world.make('groups', groupOf('ninth'));
    const put = { body: { ...groupOf('ninth'), _version: 1 }, headers };
    expect((await world.ask('PUT', `/groups/${one.id}`, put)).status).toBe(204);
    expect((await world.ask('PUT', `/groups/${one.id}`, put)).status).toBe(409);
    for (const ids of [[], [UNKNOWN_ID]]) {
      const answer = await world.ask('POST', '/funds/batch', { body: { ids }, headers });
      expect([answer.status, replayed(answer)]).toEqual([200, undefined]);
    }
  });
});

describe('what a service remembers', () => {
  const forget = async (): Promise<void> => {
    const log = openLog({ level: 'silent' });
    const tenants = new Tenants(world.source, undefined as never);
    const service = 'finance-storage';
    const memories = forgetting({
      service,
      source: world.source,
      tenants,
      inbox: new Inbox(),
      log,
    });
    memories.start();
    await memories.stop();
    await tenants.onApplicationShutdown();
  };

  it('are answers, for a day', async () => {
    await addGroup('k-old', 'old');
    await addGroup('k-new', 'new');
    await admin.query(
      `update finance_storage.idempotency set at = at - interval '24 hours' where key = 'k-old'`,
    );
    await forget();
    const { rows } = await admin.query(
      `select key from finance_storage.idempotency where key in ('k-old', 'k-new')`,
    );
    expect(rows).toEqual([{ key: 'k-new' }]);
  });

  it('are events, for two weeks, and no answer that somebody else keeps', async () => {
    await admin.query(
      `insert into finance_storage.inbox (tenant_id, consumer, event_id, outcome, at) values
         ('library', 'c', 'old', null, now() - interval '15 days'), ('library', 'c', 'new', null, now() - interval '13 days'),
         ('library', 'c', 'answered', '{}', now() - interval '15 days')`,
    );
    await forget();
    const { rows } = await admin.query(
      `select event_id from finance_storage.inbox where consumer = 'c' order by event_id`,
    );
    expect(rows).toEqual([{ event_id: 'answered' }, { event_id: 'new' }]);
  });
});

async function waitsForLock(): Promise<void> {
  for (;;) {
    const { rowCount } = await admin.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rowCount) return;
  }
}
