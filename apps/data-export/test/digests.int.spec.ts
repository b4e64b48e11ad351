import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DiskStore } from '@quire/object-store/disk.store';
import type { ObjectBytes } from '@quire/object-store/object-store';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import { ExportFiles } from '../src/files/export-files.js';
import { ExportWorld, idsOf, until } from './export-world.js';

/** Two slices: of one the digest is known. */
const IDS = idsOf(10_001);

describe('files that are read for their digests', () => {
  let database: TestDatabase;
  let admin: Client;
  let folder: string;
  let store: DiskStore;
  let world: ExportWorld;
  const digest = async (): Promise<object | undefined> => {
    const sql = `select file_sha256 is not null as known, digest_until is not null as claimed from data_export.job_execution`;
    return (await admin.query<{ known: boolean; claimed: boolean }>(sql)).rows[0];
  };
  const open = async (): Promise<void> => {
    world = await ExportWorld.start(database.url, {}, undefined, { store });
    world.has([IDS[0] ?? '', IDS.at(-1) ?? '']);
  };

  beforeAll(async () => {
    database = await testDatabase();
    admin = new Client({ connectionString: database.url });
    await admin.connect();
    folder = await mkdtemp(join(tmpdir(), 'quire-digests-'));
    store = await DiskStore.open(folder);
    await open();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await admin.end();
    await database.close();
    await rm(folder, { recursive: true });
  });

  it('hold up no stop, and are read by the next process at once', async () => {
    const get = store.get.bind(store);
    const silent = new Readable({ read: () => undefined });
    store.get = () => Promise.resolve(silent);
    await world.exported(IDS.join('\n'));
    const claimed = { known: false, claimed: true };
    await until(async () => JSON.stringify(await digest()) === JSON.stringify(claimed));
    await world[Symbol.asyncDispose]();
    expect(await digest()).toEqual({ known: false, claimed: false });
    store.get = get;
    await open();
    const known = { known: true, claimed: false };
    await until(async () => JSON.stringify(await digest()) === JSON.stringify(known));
  });

  it('are closed when their reader goes away before the first byte', async () => {
    const files = world.isolated.services.get('data-export')?.app.get(ExportFiles);
    const { rows } = await admin.query<{ objectKey: string; bytes: number }>(
      `select object_key as "objectKey", bytes::int from data_export.slice where bytes > 0 order by slice_no`,
    );
    const opened: ObjectBytes[] = [];
    const get = store.get.bind(store);
    store.get = async (key, range) => {
      const bytes = await get(key, range);
      opened.push(bytes);
      return bytes;
    };
    const output = await files?.open(rows, 0, rows[0]?.bytes ?? 0);
    if (!output) throw new Error('no service');
    output.destroy();
    await once(output, 'close');
    expect(opened.map((bytes) => bytes.destroyed)).toEqual([true]);
    store.get = get;
  });
});
