/**
 * How fast the stores are, beside what the disk itself can do in the same minute, and how much memory they take:
 *
 *   tsc -b libs/object-store && node --expose-gc libs/object-store/dist/test/store.bench.js [MiB] [folder]
 *   npm run lab -- node --expose-gc libs/object-store/dist/test/store.bench.js [MiB] [folder]      with S3, too
 *
 * A put is hashed and, on disk, synced; the raw figure is blocks of 1 MiB written to one file and synced, without a hash.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskStore } from '../src/disk.store.js';
import type { ObjectStore } from '../src/object-store.js';
import { openS3Store } from '../src/s3.store.js';
import { newKey } from './object-bytes.js';

const MIB = 1024 * 1024;
const ROUNDS = 3;
const [, , size = '512', parent = tmpdir()] = process.argv;
const mebibytes = Number(size);

/** Prints the speed, and by how much the resident memory was above where it began, at its highest. */
async function report(what: string, work: () => Promise<void>): Promise<void> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let highest = before;
  const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 5);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  clearInterval(watch);
  console.log(
    `${what.padEnd(28)} ${(mebibytes / seconds).toFixed().padStart(5)} MiB/s   ` +
      `memory +${((highest - before) / MIB).toFixed()} MiB, ${(highest / MIB).toFixed()} in all`,
  );
}

/** The same block over and over, so that the source costs nothing. */
async function* source(chunkBytes: number): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(chunkBytes, 'quire');
  for (let sent = 0; sent < mebibytes * MIB; sent += chunkBytes) yield await Promise.resolve(chunk);
}

async function reportStore(name: string, store: ObjectStore): Promise<void> {
  const keys = { large: newKey(), small: newKey() };
  await report(`${name}: put, 64 KiB chunks`, async () => {
    await store.put(keys.large, source(64 * 1024));
  });
  await report(`${name}: put, 2 KiB chunks`, async () => {
    await store.put(keys.small, source(2 * 1024));
  });
  await report(`${name}: get`, async () => {
    for await (const chunk of await store.get(keys.large)) if (chunk.length === 0) return;
  });
  for (const key of Object.values(keys)) await store.remove(key);
}

async function openS3(): Promise<ObjectStore | undefined> {
  const { S3_URL: url, S3_BUCKET, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = process.env;
  if (url === undefined) return undefined;
  return await openS3Store({
    url,
    bucket: S3_BUCKET ?? '',
    region: S3_REGION ?? '',
    accessKeyId: S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: S3_SECRET_ACCESS_KEY ?? '',
  });
}

const folder = await mkdtemp(join(parent, 'quire-bench-'));
try {
  const disk = await DiskStore.open(join(folder, 'store'));
  const s3 = await openS3();
  console.log(process.env.QUIRE_LAB ?? 'no lab: the disk alone');
  for (let round = 1; round <= ROUNDS; round++) {
    await report('raw write and sync', async () => {
      const handle = await open(join(folder, 'raw'), 'w');
      const block = Buffer.alloc(MIB, 'quire');
      for (let i = 0; i < mebibytes; i++) await handle.write(block);
      await handle.sync();
      await handle.close();
    });
    await rm(join(folder, 'raw'));
    await reportStore('disk', disk);
    if (s3) await reportStore('S3', s3);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
