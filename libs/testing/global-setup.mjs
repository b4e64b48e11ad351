import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromSource } from '../embedded/from-source.mjs';

/*
 * Jest's global set-up: one real PostgreSQL for the whole run, unless QUIRE_TEST_DATABASE_URL names one.
 * It takes 0.6 s. It runs in Jest's own process, outside its transforms, and perhaps before anything was built,
 * so it reads libs/embedded from its sources.
 */

const PREFIX = 'quire-test-';
const ABANDONED_AFTER_MS = 60_000;
/** A test database is thrown away: it need not survive a power cut. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
};

export default async function startTestDatabase() {
  if (process.env.QUIRE_TEST_DATABASE_URL) return;
  const { startPostgres } = await fromSource('postgres');
  const { FolderLock } = await fromSource('folder-lock');
  await removeAbandoned(startPostgres, FolderLock);

  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  const postgres = await startPostgres({
    dataDir: join(folder, 'postgres'),
    settings: SETTINGS,
  }).catch(async (error) => {
    await removeFolder();
    throw error;
  });
  process.env.QUIRE_TEST_DATABASE_URL = postgres.url; // workers inherit it

  const stop = async () => {
    await postgres.stop();
    await removeFolder();
  };
  let interruption;
  const interrupted = (signal) => {
    interruption ??= stop().finally(() => {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, interrupted);
  globalThis.stopTestDatabase = async () => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted);
    delete process.env.QUIRE_TEST_DATABASE_URL;
    await stop();
  };
}

/** Runs that were killed leave a server and a folder behind. Whose lock is free has no owner any more. */
async function removeAbandoned(startPostgres, FolderLock) {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(tmpdir(), name);
    try {
      if (Date.now() - (await stat(folder)).mtimeMs < ABANDONED_AFTER_MS) continue;
      const lock = await FolderLock.take(join(folder, 'postgres.lock'));
      if (!lock) continue;
      lock[Symbol.dispose]();
      // Starting is what ends a server that was left behind.
      if (await isThere(join(folder, 'postgres', 'postmaster.pid'))) {
        await (await startPostgres({ dataDir: join(folder, 'postgres') })).stop();
      }
      await rm(folder, { recursive: true, force: true });
    } catch (error) {
      console.warn(`An abandoned test database stays in ${folder}: ${error.message}`);
    }
  }
}

async function isThere(path) {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
