import { setImmediate } from 'node:timers/promises';
import { startIsolated } from '@quire/service/isolated';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { sourceRecordStorage } from '../src/service.js';
import { idOf, OTHER_TENANT, TENANT } from './chunk-source.js';
import { bib, instanceId, recordId } from './library.js';
import { ProjectionWorld } from './projection-world.js';
import { RecordWorld, type Answer } from './record-world.js';

/** Source-record-storage, 8.1, and docs/adr/0006-instance-view.md. */
describe('the instance view, following an import', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let following: ProjectionWorld;

  beforeEach(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    following = await ProjectionWorld.open(world, database.url);
  });

  afterEach(async () => {
    await following[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const QUERY = 'query=hrid%3D%3Dq1';
  const idIn = ({ json }: Answer): unknown => json?.ids?.[0]?.id;
  /** Everything that answers from the view; the id of the instance in the answer. */
  const doors: Readonly<Record<string, () => Promise<[Answer, unknown]>>> = {
    'GET /instance-bulk/ids': async () => {
      const answer = await world.get(`/instance-bulk/ids?${QUERY}`);
      return [answer, idIn(answer)];
    },
    'GET /record-bulk/ids': async () => {
      const answer = await world.get(`/record-bulk/ids?${QUERY}`);
      return [answer, idIn(answer)];
    },
    'GET /search/instances/ids': async () => {
      const answer = await world.get(`/search/instances/ids?${QUERY}`);
      return [answer, idIn(answer)];
    },
    'POST /internal/instance-ids': async () => {
      const body = { query: 'hrid==q1', recordType: 'INSTANCE' };
      const answer = await world.ask('POST', '/internal/instance-ids', {
        body,
        issuer: 'data-export',
      });
      return [answer, idIn(answer)];
    },
    'GET /source-storage/instances': async () => {
      const answer = await world.get(`/source-storage/instances?${QUERY}`);
      return [answer, answer.json?.instances?.[0]?.id];
    },
    'GET /source-storage/instances/{id}': async () => {
      const answer = await world.get(`/source-storage/instances/${instanceId(0, 'first')}`);
      return [answer, answer.json?.id];
    },
  };

  it.each(Object.keys(doors))('is current for %s right after the commit', async (door) => {
    await following.import('first', [bib('q1', 'Found at once')]);
    expect(await following.pending()).toBe(1);
    expect(await following.rows()).toEqual([]);
    const [{ status }, id] = await doors[door]!();
    expect([status, id]).toEqual([200, instanceId(0, 'first')]);
    expect(await following.pending()).toBe(0);
  });

  it.each(Object.keys(doors))(
    'answers %s with 503 when it cannot become current in time',
    async (door) => {
      await following.import('first', [bib('q1', 'Found later')]);
      following.limits.waitMs = 100;
      {
        await using locks = new AsyncDisposableStack();
        locks.use(await following.lockPending());
        const [{ status, text, headers }] = await doors[door]!();
        expect([status, text]).toEqual([503, 'Service unavailable, retry in 5 s']);
        expect(headers['retry-after']).toBe('5');
        const holdings = await world.get('/instance-bulk/ids?recordType=HOLDING');
        expect(holdings.status).toBe(200);
      }
      following.limits.waitMs = 20_000;
      const [{ status }, id] = await doors[door]!();
      expect([status, id]).toEqual([200, instanceId(0, 'first')]);
    },
  );

  it('says what is wrong with a query without waiting', async () => {
    await following.import('first', [bib('q1', 'One')]);
    await using locks = new AsyncDisposableStack();
    locks.use(await following.lockPending());
    const { status, text } = await following.ask('titel=x');
    expect(status).toBe(400);
    expect(text).toContain(`unknown index 'titel'`);
  });

  it('is not waited for by queries of another tenant', async () => {
    await following.import('first', [bib('q1', 'One')]);
    await using locks = new AsyncDisposableStack();
    locks.use(await following.lockPending());
    const { status, json } = await world.get(`/instance-bulk/ids?${QUERY}`, {
      tenant: OTHER_TENANT,
    });
    expect([status, json.ids]).toEqual([200, []]);
  });

  it('makes a query wait for nothing that is committed after it began', async () => {
    await following.import('later', [bib('q2', 'Later')]);
    // Until the query has begun.
    await following.make('delete from instance_pending');
    const later = recordId(0, 'later');
    await following.import('first', [bib('q1', 'One')]);
    // Nobody can make the row of the later one as long as its record is held.
    await using locks = new AsyncDisposableStack();
    locks.use(await following.lock('select from record where id = $1 for update', [later]));
    const first = await following.lockPending();
    const asked = following.ask('cql.allRecords=1');
    while (!following.projector.isWaitedFor(TENANT)) await setImmediate();
    await following.make(
      `insert into instance_pending (tenant_id, snapshot_id, new_ids, other_ids, records)
       values ('${TENANT}', '${idOf('later')}', array['${later}']::uuid[], '{}', 1)`,
    );
    await first[Symbol.asyncDispose]();
    const { status, json } = await asked;
    expect([status, json.ids]).toEqual([200, [{ id: instanceId(0, 'first') }]]);
    expect(await following.pending()).toBe(1);
  });

  it('holds back while chunks are worked, and goes on by itself when there are none', async () => {
    await following.import('first', [bib('q1', 'One'), bib('q2', 'Two')]);
    await following.import('second', [bib('q3', 'Three')]);
    expect([await following.pending(), await following.rows()]).toEqual([2, []]);
    await following.goOn();
    await following.nothingPending();
    expect(await following.titles('first')).toEqual(['One', 'Two']);
    expect(await following.titles('second')).toEqual(['Three']);
  });

  it('does not hold back when more records wait than the bound allows', async () => {
    following.limits.backlogRecords = 2;
    await following.import('first', [bib('q1', 'One'), bib('q2', 'Two')]);
    expect(await following.pending()).toBe(1);
    await following.import('second', [bib('q3', 'Three')]);
    await following.nothingPending();
    expect(await following.titles('first')).toEqual(['One', 'Two']);
  });

  it('is gone on with where a transaction was lost in the middle', async () => {
    await following.import('first', [bib('q1', 'One'), bib('q2', 'Two')]);
    await following.make(
      `create function lose() returns trigger language plpgsql as $$
         begin perform pg_terminate_backend(pg_backend_pid()); return old; end $$;
       create trigger lose before delete on instance_pending for each row execute function lose();
       alter function lose() security definer`,
    );
    await expect(following.project()).rejects.toThrow();
    expect([await following.pending(), await following.rows()]).toEqual([1, []]);
    await following.make('drop trigger lose on instance_pending');
    expect(await following.hits('cql.allRecords=1')).toBe(2);
    expect(await following.pending()).toBe(0);
  });

  it('is stopped with chunks left, and goes on at the next start', async () => {
    await following.import('first', [bib('q1', 'One')]);
    await following.projector.beforeApplicationShutdown();
    await following.goOn();
    expect(await following.pending()).toBe(1);
    const answer = await world.get(`/instance-bulk/ids?${QUERY}`);
    expect(answer.status).toBe(503);
    following.projector.onApplicationBootstrap();
    expect(await following.hits('hrid==q1')).toBe(1);
  });

  it('makes each row once when two services follow the same imports', async () => {
    const jobs = Array.from({ length: 12 }, (_, at) => `job ${at}`);
    for (const job of jobs) await following.import(job, [bib(`a ${job}`, 'A'), bib('b', 'B')]);
    await following.make(
      `create table public.made (id uuid);
       create function note() returns trigger language plpgsql security definer set search_path = source_record_storage as $$
         begin insert into public.made values (new.id); return null; end $$;
       create trigger note after insert or update on instance for each row execute function note()`,
    );
    const second = await startIsolated([sourceRecordStorage], { databaseUrl: database.url });
    try {
      // The first one holds back: the second finds what it has not noted itself.
      while ((await following.pending()) === jobs.length);
      await following.goOn();
      await following.nothingPending();
    } finally {
      await second.stop();
    }
    const [{ rows, ids } = { rows: 0, ids: 0 }] = await following.admin.query<
      { rows: number; ids: number }[]
    >('select count(*)::int as rows, count(distinct id)::int as ids from public.made');
    expect([rows, ids]).toEqual([24, 24]);
    expect(await following.rows()).toHaveLength(24);
  });

  it('leaves out a record whose row the database refuses, and not the others', async () => {
    await following.make(`alter table instance add constraint refused check (title <> 'Refused')`);
    await following.import('first', [bib('q1', 'One'), bib('q2', 'Refused'), bib('q3', 'Three')]);
    expect(await following.hits('cql.allRecords=1')).toBe(2);
    expect(await following.titles('first')).toEqual(['One', 'Three']);
  });

  it('notes no chunk that brings nothing for it', async () => {
    await following.import('first', [Buffer.from('no record')]);
    await following.import('second', [bib('q1', 'Without')], {
      options: { assignInstanceIds: false },
    });
    expect(await following.pending()).toBe(0);
  });
});
