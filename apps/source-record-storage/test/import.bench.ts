/**
 * How fast chunks become records, where the time goes, and how fast an export reads them back, beside a plain read of
 * the same bytes in the same minute. On a server with the settings of the embedded mode:
 *
 *   tsc -b apps/source-record-storage
 *   QUIRE_TEST_DATABASE_URL=postgres://… node apps/source-record-storage/dist/test/import.bench.js [records]
 */
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import { TenantKey } from '@quire/object-store/tenant-key';
/* eslint-disable @nx/enforce-module-boundaries -- a benchmark makes its database and its records as specs do */
import { generateMarc } from '@quire/testing/marc';
import { testDatabase } from '@quire/testing/database';
/* eslint-enable @nx/enforce-module-boundaries */
import { readTenant } from '@quire/postgres/tenant';
import { randomIds, systemClock } from '@quire/service/clock';
import { startIsolated } from '@quire/service/isolated';
import { ServiceClient } from '@quire/service/service-client';
import { readChunk } from '../src/pipeline/read-chunk.js';
import { sourceRecordStorage } from '../src/service.js';
import { Chunks } from '../src/usecases/chunks.js';
import { InstanceProjector } from '../src/usecases/instance-projector.js';
import { idOf, storeFile, TENANT, USER_ID } from './chunk-source.js';

const count = Number(process.argv[2] ?? 20_000);
const IN_FLIGHT = 4;
const scope = { tenantId: TENANT, actorId: USER_ID };

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rssMib = process.memoryUsage.rss() / 1024 / 1024;
  console.log(
    `${what}: ${seconds.toFixed(2)} s, ${(count / seconds).toFixed()} records/s, ` +
      `${((user + system) / 1e6).toFixed(2)} s of this process, resident ${rssMib.toFixed()} MiB`,
  );
  return result;
}

const database = await testDatabase();
const world = await startIsolated([sourceRecordStorage], { databaseUrl: database.url });
const exporterKeys = world.keys.of('data-export').pairs;
const exporter = new ServiceClient('data-export', world.urls, exporterKeys, systemClock, randomIds);
try {
  await world.enable(TENANT);
  const service = world.services.get('source-record-storage');
  const source = world.sources.get('source-record-storage');
  if (!service || !source) throw new Error('not started');
  const chunks = await storeFile(world.store, generateMarc(1, count));
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  console.log(`${count} records, ${(bytes / 1e6).toFixed()} MB, ${chunks.length} chunks`);

  await timed('read and make rows only', async () => {
    const first = chunks[0]!;
    const file = await world.store.get(TenantKey.parse(first.objectKey), {
      start: first.offset,
      end: first.offset + first.length,
    });
    const parts: Buffer[] = [];
    for await (const part of file) parts.push(part);
    const whole = Buffer.concat(parts);
    for (let round = 0; round < chunks.length; round += 1) readChunk(whole, first);
  });
  await timed('import', () =>
    inFlight(chunks, (chunk) => service.app.get(Chunks).save(scope, chunk)),
  );
  await timed('instance view', () => service.app.get(InstanceProjector).current(scope));
  await timed('events', () => world.settled());
  // One after the other, as chunks of a profile that matches are worked.
  await timed('the same again, which changes nothing', async () => {
    for (const chunk of chunks) await service.app.get(Chunks).save(scope, again(chunk));
  });
  await timed('the same again as new generations', async () => {
    for (const chunk of chunks)
      await service.app.get(Chunks).save(scope, again(chunk, { skipUnchanged: false }));
  });
  const ids = await timed('ids', async () => {
    const answer = await world.client.json<{ ids: { id: string }[] }>({
      to: 'source-record-storage',
      method: 'GET',
      target: '/instance-bulk/ids?query=cql.allRecords%3D1&limit=2147483647',
      scope,
      claims: { permissions: ['inventory-storage.record-bulk.ids.get'] },
    });
    return answer.ids.map((one) => one.id);
  });
  for (let round = 0; round < 2; round += 1) {
    await timed('plain rows', async () => {
      for (let at = 0; at < ids.length; at += 1000)
        await readTenant(source, scope, (tx) =>
          tx.query(
            `select c.content from record r join record_content c on (c.tenant_id, c.record_id) = (r.tenant_id, r.id)
             where r.tenant_id = $1 and r.record_type = 'MARC_BIB' and r.state in ('ACTUAL', 'DELETED') and r.external_id = any ($2)`,
            [TENANT, ids.slice(at, at + 1000)],
          ),
        );
    });
    await timed('export frames', () => readFrames(ids));
  }
  await timed('stream of JSON', async () => {
    const answer = await world.client.call({
      to: 'source-record-storage',
      method: 'GET',
      target: '/source-storage/stream/source-records?limit=2147483647',
      scope,
      claims: { permissions: ['source-storage.stream.source-records.collection.get'] },
    });
    let length = 0;
    for await (const part of answer.body) length += (part as Buffer).length;
    console.log(`${(length / 1e6).toFixed()} MB of JSON`);
  });
} finally {
  exporter.close();
  await world.stop();
  await database.close();
}

/** The chunk in another job, whose profile creates or updates. */
function again(
  chunk: ChunkReadyPayload,
  options: Partial<ChunkReadyPayload['options']> = {},
): ChunkReadyPayload {
  const jobExecutionId = idOf(JSON.stringify(options));
  return {
    ...chunk,
    jobExecutionId,
    chunkId: uuidV5(jobExecutionId, chunk.chunkId),
    profile: { ...chunk.profile, match: 'create-or-update' },
    options: { ...chunk.options, on999ff: 'accept', ...options },
  };
}

async function readFrames(ids: readonly string[]): Promise<void> {
  const batch = 10_000;
  for (let at = 0; at < ids.length; at += batch) {
    const answer = await exporter.call({
      to: 'source-record-storage',
      method: 'POST',
      target: '/source-storage/stream/source-records?idType=INSTANCE',
      scope,
      body: ids.slice(at, at + batch),
      headers: { accept: 'application/octet-stream' },
      claims: { permissions: ['source-storage.stream.source-records.collection.get'] },
    });
    for await (const part of answer.body) void part;
  }
}

async function inFlight(
  chunks: readonly ChunkReadyPayload[],
  work: (chunk: ChunkReadyPayload) => Promise<void>,
): Promise<void> {
  const waiting = [...chunks];
  const lane = async (): Promise<void> => {
    for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) await work(chunk);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}
