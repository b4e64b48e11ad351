import { randomBytes } from 'node:crypto';
import { chown, open, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Binaries } from './binaries.js';
import { codeOf, makeFolderFor, OWN_CWD, run, wayTo, type ServerUser } from './server-user.js';

/*
 * A data folder `x` has company: `x.password` (the superuser's, 0600), `x.lock`, and for root sometimes `x.native`
 * (a copy of the programs). They are beside it because Postgres wants the folder for itself.
 */

/** Major version of the packaged server; a folder of another one needs pg_upgrade, which is not in the package. */
const MAJOR = '18';
const STOP_SECONDS_MAX = 60;

/**
 * The superuser's password of the database in `dataDir`, which is made when it is missing.
 *
 * Made under another name and renamed when whole, with its password written before: a start that is killed in the
 * middle leaves nothing that a next one would take for a database.
 *
 * @throws when the folder is of another major version, or its password is gone.
 */
export async function openDataFolder(
  dataDir: string,
  programs: Binaries,
  user: ServerUser | null,
  options: { readonly sync: boolean },
): Promise<string> {
  const version = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(unlessMissing);
  if (version === null) return await makeDataFolder(dataDir, programs, user, options);
  if (version.trim() !== MAJOR) {
    throw new Error(
      `${dataDir} was written by PostgreSQL ${version.trim()}, this is PostgreSQL ${MAJOR}. ` +
        'Dump it with the old version and restore it into a new data directory.',
    );
  }
  const password = await readFile(`${dataDir}.password`, 'utf8').catch(unlessMissing);
  if (password === null)
    throw new Error(
      `The password of the database in ${dataDir} is gone: ${dataDir}.password is missing.`,
    );
  return password.trim();
}

async function makeDataFolder(
  dataDir: string,
  programs: Binaries,
  user: ServerUser | null,
  options: { readonly sync: boolean },
): Promise<string> {
  const unfinished = `${dataDir}.new`;
  const passwordForInitdb = `${dataDir}.initdb-password`;
  const password = randomBytes(24).toString('base64url');
  await rm(unfinished, { recursive: true, force: true });
  await makeFolderFor(user, unfinished);
  const way = await wayTo(unfinished, user);
  const args = [
    ...['-D', way.path, '-U', 'postgres', '--auth=scram-sha-256'],
    `--pwfile=${way.path}/../${basename(passwordForInitdb)}`,
    // With locale C, lower('ЖУРНАЛ') changes nothing and the text search sees no words in Cyrillic or CJK.
    ...['--encoding=UTF8', '--locale-provider=builtin', '--locale=C.UTF-8'],
    ...(options.sync ? [] : ['--no-sync']),
  ];
  try {
    await writeDurably(`${dataDir}.password`, password);
    await writeFile(passwordForInitdb, password, { mode: 0o600 });
    if (user) await chown(passwordForInitdb, user.uid, user.gid);
    const initdb = await run(programs.initdb, args, user, way.cwd);
    if (!initdb.ok) throw new Error(`No database could be made in ${dataDir}: ${initdb.output}`);
  } finally {
    await rm(passwordForInitdb, { force: true });
  }
  await rename(unfinished, dataDir);
  return password;
}

/**
 * Ends the server that a killed process of ours left running on `dataDir`. We hold the lock of the folder, so nobody uses it.
 *
 * The pid file of a living server is never deleted: a second server on the same files destroys them. That of a dead one
 * is: Postgres refuses to start while any process has the id in it, and in a restarted container one often has.
 */
export async function endLeftoverServer(
  dataDir: string,
  programs: Binaries,
  user: ServerUser | null,
): Promise<boolean> {
  const pidFile = join(dataDir, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8').catch(unlessMissing))?.split('\n');
  const pid = Number(lines?.[0]);
  if (!lines || !(pid > 0)) return false;
  if (!(await isServerOf(pid, dataDir))) {
    await rm(pidFile, { force: true });
    return false;
  }
  const way = await wayTo(dataDir, user);
  const stop = await run(
    programs.pg_ctl,
    ['stop', '-D', way.path, '-m', 'fast', '-w', '-t', String(STOP_SECONDS_MAX)],
    user,
    way.cwd,
  );
  if (!stop.ok)
    throw new Error(
      `A PostgreSQL left behind by a killed process (${pid}) does not stop: ${stop.output}`,
    );
  return true;
}

/** Whether process `pid` is a server on this folder, and not another process that got the same id. */
async function isServerOf(pid: number, dataDir: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  // Windows tells nothing: there a living process is taken for ours.
  if (process.platform === 'win32') return true;
  // A server works in its folder. Root without the right to trace (a container) may not see that of another user.
  const worksIn = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  if (worksIn !== null) return worksIn === dataDir;
  // A dead process that nobody waited for has its id still, but no command line.
  const command =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      : (await run('/bin/ps', ['-o', 'args=', '-p', String(pid)], null)).output;
  return command.includes('postgres') && [dataDir, OWN_CWD].some((path) => command.includes(path));
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
}

function unlessMissing(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}
