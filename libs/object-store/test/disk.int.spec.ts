import { randomBytes, randomUUID } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskStore } from '../src/disk.store.js';
import { TenantKey } from '../src/tenant-key.js';
import { bytesOf, chunks, flowing, keysOf, newKey } from './object-bytes.js';
import { objectStoreContract } from './object-store.contract.js';

const temporary: string[] = [];

async function newRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'quire-objects-'));
  temporary.push(root);
  return root;
}

async function partsIn(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => /\.part[/\\]/.test(name));
}

async function openFilesIn(root: string): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(root));
}

/** A part file such as a killed process leaves, last written to so long ago. */
async function leavePart(root: string, key: TenantKey, ageMs: number, now: Date): Promise<void> {
  const folder = join(root, key.prefix, key.tenantId, '.part');
  await mkdir(folder, { recursive: true });
  const part = join(folder, `${key.uuid}.killed`);
  await writeFile(part, 'half of it');
  const written = new Date(now.getTime() - ageMs);
  await utimes(part, written, written);
}

afterAll(async () => {
  for (const root of temporary) await rm(root, { recursive: true, force: true });
});

objectStoreContract('the disk store', async () => {
  const root = await newRoot();
  return {
    store: await DiskStore.open(root),
    leftovers: () => partsIn(root),
    close: () => rm(root, { recursive: true, force: true }),
  };
});

describe('the disk store', () => {
  it('makes its folder, and finds its objects again after a restart', async () => {
    const root = join(await newRoot(), 'not', 'yet');
    const key = newKey();
    await (await DiskStore.open(root)).put(key, flowing([Buffer.from('kept')]));
    expect((await bytesOf((await DiskStore.open(root)).get(key))).toString()).toBe('kept');
  });

  it('sweeps what dead processes left, by age', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const now = new Date();
    await leavePart(root, newKey(), 59_000, now);
    await leavePart(root, newKey(), 61_000, now);
    const whole = newKey();
    await store.put(whole, flowing([Buffer.from('whole')]));
    expect(await store.sweepTemporary(60_000, now)).toBe(1);
    expect(await partsIn(root)).toHaveLength(1);
    expect(await store.sweepTemporary(0, now)).toBe(1);
    expect(await partsIn(root)).toEqual([]);
    expect(await store.stat(whole)).toBe(5);
  });

  it('never sweeps what this process is writing, whichever of its stores is asked', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const twin = await DiskStore.open(root);
    const key = newKey();
    async function* source(): AsyncGenerator<Buffer> {
      yield randomBytes(100);
      expect(await twin.sweepTemporary(0, new Date(Date.now() + 86_400_000))).toBe(0);
    }
    await store.put(key, source());
    expect(await store.stat(key)).toBe(100);
  });

  it('clears the part files of a dead process with the object of their key', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const key = newKey();
    const other = TenantKey.of(key.prefix, key.tenantId, randomUUID());
    await leavePart(root, key, 0, new Date());
    await leavePart(root, other, 0, new Date());
    expect(await keysOf(store.list(key.prefix, key.tenantId))).toEqual([]);
    await store.remove(key);
    expect(await partsIn(root)).toEqual([
      join(other.prefix, other.tenantId, '.part', `${other.uuid}.killed`),
    ]);
  });

  it('notices that a file has another size than what was written to it', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const key = newKey();
    async function* source(): AsyncGenerator<Buffer> {
      yield randomBytes(100);
      for (const part of await partsIn(root)) await truncate(join(root, part), 5000);
    }
    await expect(store.put(key, source())).rejects.toMatchObject({
      name: 'ObjectStoreUnavailable',
      message: 'Service unavailable, retry in 5 s',
      cause: { message: 'The object store failed to keep 100 bytes, it has 5000.' },
    });
    expect(await store.stat(key)).toBeUndefined();
  });

  it('does not take foreign files for objects', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const key = newKey();
    await store.put(key, flowing([Buffer.from('x')]));
    await writeFile(join(root, key.prefix, key.tenantId, 'notes.txt'), 'x');
    await writeFile(join(root, key.prefix, 'notes.txt'), 'x');
    expect(await keysOf(store.list(key.prefix, key.tenantId))).toEqual([key.toString()]);
    expect(await store.sweepTemporary(0)).toBe(0);
  });

  it('is unavailable, not empty, while its disk is not mounted', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const key = newKey();
    await store.put(key, flowing([Buffer.from('x')]));
    await rename(root, `${root}-unmounted`);
    await mkdir(root);
    const unavailable = { name: 'ObjectStoreUnavailable', kind: 'unavailable' };
    await expect(store.ready()).rejects.toMatchObject(unavailable);
    await expect(store.stat(key)).rejects.toMatchObject(unavailable);
    await expect(store.get(key)).rejects.toMatchObject(unavailable);
    await expect(store.remove(key)).rejects.toMatchObject(unavailable);
    await expect(keysOf(store.list('export', key.tenantId))).rejects.toMatchObject(unavailable);
    await expect(store.put(newKey(), flowing([]))).rejects.toMatchObject(unavailable);
    expect(await readdir(root)).toEqual([]);
    await rm(root, { recursive: true });
    await rename(`${root}-unmounted`, root);
    expect(await store.stat(key)).toBe(1);
  });

  it('says unavailable when the folder cannot be one', async () => {
    const file = join(await newRoot(), 'file');
    await writeFile(file, '');
    await expect(DiskStore.open(file)).rejects.toMatchObject({ name: 'ObjectStoreUnavailable' });
  });

  it('fails a reading whose file has become shorter instead of ending it early', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const key = newKey();
    await store.put(key, chunks(randomBytes(4 * 1024 * 1024), 65_536));
    const object = await store.get(key);
    await truncate(join(root, key.toString()), 1024 * 1024);
    await expect(bytesOf(Promise.resolve(object))).rejects.toMatchObject({
      name: 'ObjectStoreUnavailable',
    });
  });

  it('refuses a key whose text was made to climb', async () => {
    const store = await DiskStore.open(await newRoot());
    const key = newKey();
    const forged = { prefix: key.prefix, uuid: key.uuid, toString: () => `../${key.uuid}` };
    await expect(store.stat(forged as unknown as TenantKey)).rejects.toThrow('leaves the store');
    const hollow = Object.create(Object.getPrototypeOf(key) as object) as TenantKey;
    await expect(store.stat(hollow)).rejects.toThrow(TypeError);
  });

  // Only Linux tells which files are open; elsewhere both lists are empty and this says nothing.
  it('closes its files: of a stream nobody reads, a reader that stops, a refused range, a failed put', async () => {
    const root = await newRoot();
    const store = await DiskStore.open(root);
    const key = newKey();
    await store.put(key, chunks(randomBytes(2 * 1024 * 1024), 65_536));
    const unread = await store.get(key);
    const ended = new Promise((resolve) => unread.once('close', resolve));
    if (process.platform === 'linux') expect(await openFilesIn(root)).toHaveLength(1);
    unread.destroy();
    await ended;
    for await (const chunk of await store.get(key)) if (chunk.length > 0) break;
    await expect(store.get(key, { start: 5, end: 4 })).rejects.toThrow('do not lie inside');
    await expect(store.put(newKey(), flowing([randomBytes(9)], new Error('torn')))).rejects.toThrow(
      'torn',
    );
    expect(await openFilesIn(root)).toEqual([]);
  });
});
