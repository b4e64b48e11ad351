import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskStore } from '@quire/object-store/disk.store';
import type { TenantKey } from '@quire/object-store/tenant-key';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import type { DataSource } from 'typeorm';
import { Stores } from '../src/db/stores.js';
import { Sweeps } from '../src/usecases/sweeps.js';
import { Uploads } from '../src/usecases/uploads.js';
import { ExportWorld, idOf, TENANT, until, USER } from './export-world.js';

/** More than go in one transaction. */
const MANY = 120_000;
const INPUT = '0b5e4f5c-8a53-4f2f-b7d1-9a107d3c9a52';

describe('what nobody refers to any more', () => {
  let database: TestDatabase;
  let folder: string;
  let store: DiskStore;
  let world: ExportWorld;
  const scope = { tenantId: TENANT, actorId: USER };
  const source = (): DataSource => {
    const found = world.isolated.sources.get('data-export');
    if (!found) throw new Error('no source');
    return found;
  };
  const count = async (table: string): Promise<number> => {
    const sql = `select count(*)::int as n from ${table}`;
    const row = await readTenant(source(), scope, (tx) => tx.one<{ n: number }>(sql));
    return row?.n ?? 0;
  };
  const app = () => {
    const service = world.isolated.services.get('data-export');
    if (!service) throw new Error('no service');
    return service.app;
  };

  beforeAll(async () => {
    database = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), 'quire-removals-'));
    store = await DiskStore.open(folder);
    world = await ExportWorld.start(database.url, {}, undefined, { store });
    world.has([idOf(0)]);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
    await rm(folder, { recursive: true });
  });

  it('goes bit by bit when it is more than one statement may take', async () => {
    await withTenant(source(), scope, async (tx) => {
      await tx.execute(
        `insert into export_id (tenant_id, input_id, ordinal, id) select $1, $2, n, gen_random_uuid() from generate_series(1, $3) n`,
        [TENANT, INPUT, MANY],
      );
      await tx.execute(
        `insert into export_line (tenant_id, input_id, line, class, input) select $1, $2, n, 'INVALID', 'x' from generate_series($3 + 1, $3 + 10) n`,
        [TENANT, INPUT, MANY],
      );
    });
    await withTenant(source(), scope, (tx) => app().get(Stores).discarded.discard(tx, INPUT));
    expect(await count('export_id')).toBe(MANY - 50_000);
    app().get(Sweeps).wake();
    await until(async () => (await count('discarded_lines')) === 0);
    expect([await count('export_id'), await count('export_line')]).toEqual([0, 0]);
  });

  it('goes although one object cannot be removed, and that one when it can', async () => {
    const one = await world.exported(idOf(0));
    const other = await world.exported(idOf(0));
    const keys = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of store.list('export', TENANT)) found.push(key.toString());
      return found;
    };
    const stuck = await readTenant(source(), scope, (tx) =>
      tx.one<{ key: string }>('select object_key as key from slice where job_id = $1', [one.id]),
    );
    const remove = store.remove.bind(store);
    store.remove = (key: TenantKey) =>
      key.toString() === stuck?.key ? Promise.reject(new Error('no right')) : remove(key);
    for (const { id } of [one, other]) {
      const answer = await world.ask('DELETE', `/data-export/job-executions/${id}`);
      expect(answer.status).toBe(204);
    }
    await until(async () => (await keys()).length === 1);
    expect(await keys()).toEqual([stuck?.key]);
    const uploads = app().get(Uploads);
    expect(await uploads.removeAbandoned(scope, 0)).toBe(0);
    store.remove = remove;
    expect(await uploads.removeAbandoned(scope, 0)).toBe(1);
    expect(await keys()).toEqual([]);
  });

  it('goes with a job that the release before this one deletes, which leaves its outcomes to the database', async () => {
    const job = await world.exported(`${idOf(0)}\n${idOf(1)}`);
    expect(await count('export_outcome')).toBe(1);
    await withTenant(source(), scope, (tx) =>
      tx.execute('delete from job_execution where id = $1', [job.id]),
    );
    app().get(Sweeps).wake();
    await until(async () => (await count('discarded_lines')) === 0);
    expect(await count('export_outcome')).toBe(0);
  });
});
