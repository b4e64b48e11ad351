/**
 * How fast the disk store is, beside what the disk itself can do in the same minute:
 *
 *   tsc -b libs/object-store && node libs/object-store/dist/test/disk.bench.js [folder] [MiB]
 *
 * A put is hashed and synced; the raw figure is blocks of 1 MiB written to one file and synced, without a hash.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskStore } from '../src/disk.store.js';
import { newKey } from './object-bytes.js';

const MIB = 1024 * 1024;
const [, , parent = tmpdir(), size = '512'] = process.argv;
const mebibytes = Number(size);

async function report(what: string, work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const rssMib = process.memoryUsage.rss() / MIB;
  console.log(
    `${what}: ${(mebibytes / seconds).toFixed()} MiB/s, resident ${rssMib.toFixed()} MiB`,
  );
}

/** The same block over and over, so that the source costs nothing. */
async function* source(chunkBytes: number): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(chunkBytes, 'quire');
  for (let sent = 0; sent < mebibytes * MIB; sent += chunkBytes) yield await Promise.resolve(chunk);
}

const folder = await mkdtemp(join(parent, 'quire-bench-'));
try {
  const store = await DiskStore.open(join(folder, 'store'));
  const keys = { large: newKey(), small: newKey() };
  for (let round = 1; round <= 3; round++) {
    await report('raw write and sync  ', async () => {
      const handle = await open(join(folder, 'raw'), 'w');
      const block = Buffer.alloc(MIB, 'quire');
      for (let i = 0; i < mebibytes; i++) await handle.write(block);
      await handle.sync();
      await handle.close();
    });
    await rm(join(folder, 'raw'));
    await report('put, 64 KiB chunks  ', async () => {
      await store.put(keys.large, source(64 * 1024));
    });
    await report('put, 2 KiB chunks   ', async () => {
      await store.put(keys.small, source(2 * 1024));
    });
    await report('get                 ', async () => {
      for await (const chunk of await store.get(keys.large)) if (chunk.length === 0) return;
    });
    for (const key of Object.values(keys)) await store.remove(key);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
