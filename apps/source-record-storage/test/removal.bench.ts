/**
 * What hiding the records of deleted snapshots costs everybody else, measured with and without the policy in turns, and how
 * long DELETE and the removal behind it take. On a server with the settings of the embedded mode:
 *
 *   tsc -b apps/source-record-storage
 *   QUIRE_TEST_DATABASE_URL=postgres://… node apps/source-record-storage/dist/test/removal.bench.js [records]
 */
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import { readTenant } from '@quire/postgres/tenant';
/* eslint-disable @nx/enforce-module-boundaries -- a benchmark makes its database and its records as specs do */
import { testDatabase } from '@quire/testing/database';
import { generateMarc } from '@quire/testing/marc';
/* eslint-enable @nx/enforce-module-boundaries */
import { startIsolated } from '@quire/service/isolated';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { hideRemoved } from '../src/db/snapshot-removal-policy.js';
import { sourceRecordStorage } from '../src/service.js';
import { Chunks } from '../src/usecases/chunks.js';
import { SnapshotDeletion } from '../src/usecases/snapshot-deletion.js';
import { SnapshotRemovalWorker } from '../src/usecases/snapshot-removal-worker.js';
import { idOf, storeFile, TENANT, USER_ID } from './chunk-source.js';

const count = Number(process.argv[2] ?? 100_000);
const ROUNDS = 5;
const SCHEMA = 'source_record_storage';
const scope = { tenantId: TENANT, actorId: USER_ID };

const database = await testDatabase();
const world = await startIsolated([sourceRecordStorage], { databaseUrl: database.url });
const admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
try {
  await world.enable(TENANT);
  const { app } = world.services.get('source-record-storage')!;
  const source = world.sources.get('source-record-storage')!;
  await app.get(SnapshotRemovalWorker).beforeApplicationShutdown();
  const save = (chunk: ChunkReadyPayload): Promise<void> => app.get(Chunks).save(scope, chunk);
  const chunks = await storeFile(world.store, generateMarc(1, count));
  const seconds = await timed(async () => {
    for (const chunk of chunks) await save(chunk);
  });
  console.log(`${count} records imported, ${(count / seconds).toFixed()} records/s`);
  await admin.query(`vacuum analyze ${SCHEMA}.record`);

  const ask = (sql: string, params: unknown[] = []): Promise<object[]> =>
    readTenant(source, scope, (tx) => tx.query(sql, [TENANT, ...params]));
  const some = (await ask('select id from record where tenant_id = $1 limit 500')) as {
    id: string;
  }[];
  let job = 0;
  await compare({
    '500 records, one at a time': async () => {
      await readTenant(source, scope, async (tx) => {
        for (const { id } of some)
          await tx.query('select * from record where tenant_id = $1 and id = $2', [TENANT, id]);
      });
    },
    'count of current records': () =>
      ask(
        `select count(*) from record where tenant_id = $1 and record_type = 'MARC_BIB' and state in ('ACTUAL', 'DELETED')`,
      ),
    'external ids': () =>
      ask(
        `select external_id from record where tenant_id = $1 and record_type = 'MARC_BIB' and external_id is not null
           and state in ('ACTUAL', 'DELETED') order by external_id`,
      ),
    'import of a chunk': () => save(again(chunks[0]!, `round ${(job += 1)}`)),
  });
  await removeAll(
    new SnapshotRemovalWorker(app.get(Tenants), app.get(SnapshotDeletion), app.get(LOG)),
  );
} finally {
  await admin.destroy();
  await world.stop();
  await database.close();
}

async function removeAll(worker: SnapshotRemovalWorker): Promise<void> {
  await admin.query(`update ${SCHEMA}.snapshot set job_status = 'COMMITTED'`);
  const ms = await timed(async () => {
    const { status } = await world.client.call({
      to: 'source-record-storage',
      method: 'DELETE',
      target: `/source-storage/snapshots/${idOf('job')}`,
      scope,
      claims: { permissions: ['source-storage.snapshots.delete'] },
    });
    if (status !== 204) throw new Error(`DELETE answers ${status}`);
  });
  console.log(`DELETE: ${(ms * 1000).toFixed()} ms`);
  const rest = await timed(() => worker.turn());
  console.log(`the rest: ${rest.toFixed(1)} s, ${(count / rest).toFixed()} records/s`);
  const [left] = await admin.query<{ n: number }[]>(
    `select count(*)::int as n from ${SCHEMA}.record where snapshot_id = $1`,
    [idOf('job')],
  );
  console.log(`left: ${left?.n}`);
}

async function compare(works: Readonly<Record<string, () => Promise<unknown>>>): Promise<void> {
  for (const [name, work] of Object.entries(works)) {
    const best = { with: Infinity, without: Infinity };
    await work();
    for (let round = 0; round < ROUNDS; round += 1) {
      best.with = Math.min(best.with, await timed(work));
      await admin.query(`drop policy removed on ${SCHEMA}.record`);
      best.without = Math.min(best.without, await timed(work));
      await admin.query(`set search_path = ${SCHEMA}; ${hideRemoved('record')}`);
    }
    const [hidden, plain] = [best.with * 1000, best.without * 1000];
    console.log(`${name}: ${hidden.toFixed(1)} ms, without the policy ${plain.toFixed(1)} ms`);
  }
}

function again(chunk: ChunkReadyPayload, job: string): ChunkReadyPayload {
  const jobExecutionId = idOf(job);
  return { ...chunk, jobExecutionId, chunkId: uuidV5(jobExecutionId, chunk.chunkId) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
