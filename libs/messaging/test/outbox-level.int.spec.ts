import { prepareDatabase } from '@quire/postgres/migrate';
import { testDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import { OutboxLevel, OutboxSettings, type OutboxStand } from '../src/outbox-level.js';
import { slice, Workshop, workshopSchema } from './workshop.js';

const SCHEMA = 'outbox_level_spec';
let database: Awaited<ReturnType<typeof testDatabase>>;
let shop: Workshop;

beforeAll(async () => {
  database = await testDatabase();
  shop = await Workshop.open(database, SCHEMA);
});
afterEach(() => shop.clear());
afterAll(() => shop[Symbol.asyncDispose]());

const level = (settings: Partial<OutboxSettings> = {}, report?: (stand: OutboxStand) => void) =>
  new OutboxLevel(shop.source, Object.assign(new OutboxSettings(), settings), report);
const send = (count: number) =>
  shop.sendSlices(...Array.from({ length: count }, (_, n) => slice(n)));

async function asSuperuser(sql: string, url = database.url): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

describe('the level of an outbox', () => {
  it('is fine when nothing waits, and before the first look', async () => {
    const seen: OutboxStand[] = [];
    const empty = level({ outboxLongRows: 0, outboxRowsMax: 0 }, (stand) => seen.push(stand));
    await empty.check();
    empty.admitJob();
    await empty.look();
    await empty.check();
    empty.admitJob();
    expect(seen).toEqual([{ rows: 0, oldestSeconds: 0 }]);
  });

  it('is degraded by more rows than the bound, of whichever tenants, and well with as many', async () => {
    const bounded = level({ outboxLongRows: 3 });
    await send(3);
    await bounded.look();
    await bounded.check();
    await send(1);
    await bounded.check();
    await bounded.look();
    await expect(bounded.check()).rejects.toThrow(/^4 events wait/);
    bounded.admitJob();
    await shop.clear();
    await bounded.look();
    await bounded.check();
  });

  it('is degraded by one row that is older than the bound', async () => {
    const bounded = level();
    await send(2);
    await bounded.look();
    await bounded.check();
    await asSuperuser(
      `update ${SCHEMA}.outbox set created_at = now() - interval '301 s'
       where seq = (select min(seq) from ${SCHEMA}.outbox)`,
    );
    await bounded.look();
    await expect(bounded.check()).rejects.toThrow(/^2 events wait, the oldest for 3[0-5]\d s\.$/);
    bounded.admitJob();
  });

  it('admits no new job beyond the highest bound, says when to come again, and admits it when events have left', async () => {
    const bounded = level({ outboxRowsMax: 2 });
    await send(2);
    await bounded.look();
    bounded.admitJob();
    await send(1);
    await bounded.look();
    expect(() => bounded.admitJob()).toThrow(
      expect.objectContaining({ kind: 'unavailable', details: { retryAfterSeconds: 30 } }),
    );
    await shop.clear();
    await bounded.look();
    bounded.admitJob();
  });

  it('counts no further than the highest bound', async () => {
    const seen: OutboxStand[] = [];
    await send(50);
    await level({ outboxRowsMax: 9 }, (stand) => seen.push(stand)).look();
    expect(seen.map(({ rows }) => rows)).toEqual([10]);
  });

  it('keeps the last answer while the database gives none', async () => {
    const bounded = level({ outboxRowsMax: 0 });
    await send(1);
    await bounded.look();
    await asSuperuser(`alter function ${SCHEMA}.outbox_stand(int) rename to away`);
    await expect(bounded.look()).rejects.toThrow(/outbox_stand/);
    expect(() => bounded.admitJob()).toThrow(/unavailable/);
    await asSuperuser(`alter function ${SCHEMA}.away(int) rename to outbox_stand`);
  });
});

it('an outbox that was filled by an older version is counted by this one, and keeps its events', async () => {
  const schema = 'older_outbox_spec';
  const older = await testDatabase();
  const whole = workshopSchema(schema);
  const before = whole.migrations.filter(
    (Migration) => !/Measuring/.test(new Migration().name ?? ''),
  );
  expect(before).toHaveLength(whole.migrations.length - 1);
  await prepareDatabase(older.url, [{ ...whole, migrations: before }], (role) => role);
  await asSuperuser(
    `insert into ${schema}.outbox (tenant_id, event_id, topic, key, headers, payload)
     select 'alma', gen_random_uuid(), 'topic', 'key', '{}', n::text from generate_series(1, 7) as n`,
    older.url,
  );
  await using newer = await Workshop.open(older, schema);
  const seen: OutboxStand[] = [];
  await new OutboxLevel(newer.source, new OutboxSettings(), (stand) => seen.push(stand)).look();
  expect(seen).toMatchObject([{ rows: 7 }]);
  expect(await newer.waiting()).toBe(7);
});
