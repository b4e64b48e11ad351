import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The account a server runs under when we are root; Postgres refuses to be root itself. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

export const OWN_CWD = '/proc/self/cwd';
const OUTPUT_CHARS_MAX = 4_000;

/**
 * Null: the server runs as ourselves. As root it is the owner of the data folder, so that a folder made by an ordinary
 * user stays usable for that user, and `nobody` for a new folder or one of root's.
 */
export async function serverUserOf(dataDir: string): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const folder = await stat(dataDir).catch(() => null);
  return folder && folder.uid !== 0 ? { uid: folder.uid, gid: folder.gid } : nobody();
}

async function nobody(): Promise<ServerUser> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const entry = accounts.split('\n').find((line) => line.startsWith('nobody:'));
  const [, , uid, gid] = entry?.split(':') ?? [];
  // 65534 is what every Linux distribution gives it; macOS has -2, written as such in the file.
  return { uid: Number(uid ?? 65_534) >>> 0, gid: Number(gid ?? 65_534) >>> 0 };
}

/**
 * Makes the parent of a data folder. For a server user the folders on the way that are ours to open, those made here and
 * the parent (the data directory of Quire), become passable, not listable, whatever the umask was when they were made.
 */
export async function openParentFor(user: ServerUser | null, path: string): Promise<void> {
  const parent = dirname(path);
  const madeFrom = (await mkdir(parent, { recursive: true })) ?? parent;
  if (!user) return;
  for (let ours = parent; ours.length >= madeFrom.length; ours = dirname(ours)) {
    await chmod(ours, (await stat(ours)).mode | 0o111);
  }
}

/** An empty folder that `user` owns. */
export async function makeFolderFor(user: ServerUser | null, path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (user) await chown(path, user.uid, user.gid);
}

/** Whether `user` may pass through every folder down to `folder`, by mode and owner; access lists are not looked at. */
export async function canReach(user: ServerUser, folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const needed = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & needed) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** Where a program of the server's user is started, and by which path it finds the folder it works on. */
export interface Way {
  readonly cwd: string;
  readonly path: string;
}

/**
 * Root works in places that `nobody` cannot reach by path: a checkout in root's home or in a `mktemp -d`. Linux lets a
 * process use its working directory all the same: the program is started in the folder, by root, before it becomes
 * `nobody`, and calls the folder /proc/self/cwd. Postgres keeps that as its working directory in every child of it.
 */
export async function wayTo(folder: string, user: ServerUser | null): Promise<Way> {
  if (!user || process.platform !== 'linux' || (await canReach(user, folder)))
    return { cwd: '/', path: folder };
  return { cwd: folder, path: OWN_CWD };
}

/** The code of a system or database error. Not by `instanceof`: under a test runner Error is another class than Node's. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

export interface Outcome {
  readonly ok: boolean;
  /** The end of stdout and stderr together, trimmed. */
  readonly output: string;
}

/** Runs a program to its end as `user`. A program that cannot be started is an outcome like one that fails. */
export async function run(
  program: string,
  args: readonly string[],
  user: ServerUser | null,
  cwd = '/',
): Promise<Outcome> {
  return await new Promise((settle) => {
    let output = '';
    const child = spawn(program, args, {
      ...user,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: serverEnvironment(),
    });
    const keep = (text: Buffer): void => {
      output = (output + text.toString()).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => settle({ ok: false, output: error.message }));
    child.once('close', (code) => settle({ ok: code === 0, output: output.trim() }));
  });
}

/** Messages are read by us (and shown), so they are in English; no PG… or LC_… of the caller changes the server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { LC_ALL: 'C', LC_MESSAGES: 'C', TZ: 'UTC' };
}
