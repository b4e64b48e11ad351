import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main, pinnedNode, root, run, tool } from './process.mjs';

/*
 * From a fresh clone to something that runs: `npm ci` when the installed packages are not those of the lock file, and
 * `tsc -b` when a source is newer than the last build. With nothing to do it takes some 20 ms and prints nothing.
 * All of its output goes to stderr: the stdout of `npm run quire` is data.
 */

const OLDEST_NODE_MAJOR = 20;
const lockFile = join(root, 'package-lock.json');
const installStamp = join(root, 'node_modules', '.quire-installed');
const buildStamp = join(root, 'node_modules', '.quire-built');

/** Returns the exit code of the first step that failed, 0 when everything is there. */
export async function prepare({ build = true } = {}) {
  return (await install()) || (build ? await compile() : 0);
}

export async function install() {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE_MAJOR) {
    throw new Error(
      `Quire needs Node ${OLDEST_NODE_MAJOR} or newer to set itself up; this is ${process.version}.`,
    );
  }
  const wanted = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  if (isInstalled(wanted)) return 0;
  // Whatever the user's npm is set to leave out: the compiler, the pinned Node and the database are needed.
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const npm = process.env.npm_execpath;
  const code = await step('Installing packages', () =>
    npm?.endsWith('.js')
      ? run(process.execPath, [npm, ...args], { stdio: ['ignore', 2, 2] })
      : run('npm', args, { stdio: ['ignore', 2, 2] }),
  );
  if (code === 0) writeFileSync(installStamp, wanted);
  return code;
}

/** By what the lock file says, or by time where somebody ran npm by hand. */
function isInstalled(wanted) {
  const byNpm = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(byNpm)) return false;
  if (existsSync(installStamp) && readFileSync(installStamp, 'utf8') === wanted) return true;
  return statSync(byNpm).mtimeMs >= statSync(lockFile).mtimeMs;
}

export async function compile() {
  const startedAt = new Date();
  if (isBuilt()) return 0;
  const code = await step('Building', () =>
    run(pinnedNode(), [tool('tsc'), '-b'], { stdio: ['ignore', 2, 2] }),
  );
  // Dated from before the compiler read its files: what was saved while it ran is built the next time.
  if (code === 0) writeFileSync(buildStamp, startedAt.toISOString());
  return code;
}

/** tsc knows better what is to be built, but takes seconds to find out that nothing is. */
function isBuilt() {
  if (!existsSync(buildStamp)) return false;
  const builtAt = Date.parse(readFileSync(buildStamp, 'utf8'));
  if (statSync(join(root, 'tsconfig.base.json')).mtimeMs > builtAt) return false;
  const projects = [...foldersOf('apps'), ...foldersOf('libs'), join(root, 'tools')];
  return projects.every((project) => {
    if (!existsSync(join(project, 'tsconfig.json'))) return true;
    if (!existsSync(join(project, 'dist', 'tsconfig.tsbuildinfo'))) return false;
    return ['package.json', 'tsconfig.json', 'src', 'test'].every((name) =>
      isOlder(join(project, name), builtAt),
    );
  });
}

function foldersOf(name) {
  return readdirSync(join(root, name)).map((entry) => join(root, name, entry));
}

/** Folders count too: theirs is the only time that changes when a file is removed. */
function isOlder(path, time) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return true;
  if (found.mtimeMs > time) return false;
  return (
    !found.isDirectory() || readdirSync(path).every((entry) => isOlder(join(path, entry), time))
  );
}

async function step(title, work) {
  const startedAt = performance.now();
  console.error(`${title} …`);
  const code = await work();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(
    code === 0 ? `${title}: done in ${seconds} s` : `${title}: failed (exit code ${code})`,
  );
  return code;
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main(() => prepare());
