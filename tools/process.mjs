import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Starting programs from the scripts of package.json. No dependencies, and nothing newer than Node 20: these files run
 * before anything is installed.
 *
 * npm starts a script through a shell, and a signal to npm may end only that shell: hence the `exec` in package.json.
 * Ctrl-C reaches every process of the terminal at once, and npm passes it on once more. So each child is put into a
 * process group of its own and gets a signal once, from us; and when our parent dies without a word, the child gets the
 * SIGTERM that the parent should have passed on.
 */

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const onWindows = process.platform === 'win32';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_POLL_MS = 500;
const SAME_SIGNAL_MS = 1_000;
const KILL_AFTER_MS = 30_000; // Quire stops within 28 s, by its own watchdog
const OLDEST_NODE = [24, 11];

/** The Node that package.json pins, by its path: a shell, and this process, still have the system's one. */
export function pinnedNode() {
  const pinned = join(
    root,
    'node_modules',
    ...(onWindows ? ['node', 'bin', 'node.exe'] : ['.bin', 'node']),
  );
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]))
    return process.execPath;
  throw new Error(
    `The pinned Node is missing (${pinned}), and this one, ${process.version}, is older than ${OLDEST_NODE.join('.')}. ` +
      'Its install script may have been skipped: run npm rebuild node, or use a newer Node.',
  );
}

/** The script behind a command of an installed package, by its path: what .bin has differs between systems. */
export function tool(command) {
  const packageOf = { tsc: 'typescript' };
  const folder = join(root, 'node_modules', packageOf[command] ?? command);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

/**
 * Runs a program to its end and returns its exit code (128 + number when a signal ended it, 124 when time was up).
 * Signals to us go to it.
 */
export async function run(program, args, { stdio = 'inherit', timeoutMs, env } = {}) {
  const child = spawn(program, args, {
    cwd: root,
    stdio,
    detached: !onWindows,
    env: {
      ...process.env,
      ...env,
      PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH,
    },
  });
  let timedOut = false;
  const timers = [];
  const send = (signal) => {
    try {
      if (onWindows) child.kill(signal);
      else process.kill(-child.pid, signal);
    } catch {
      // It has just ended.
    }
  };
  const end = (signal) => {
    send(signal);
    timers.push(setTimeout(() => send('SIGKILL'), KILL_AFTER_MS));
  };
  let last = { signal: '', at: 0 };
  const passOn = (signal) => {
    if (signal === last.signal && performance.now() - last.at < SAME_SIGNAL_MS) return;
    last = { signal, at: performance.now() };
    send(signal);
  };
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end('SIGTERM');
  }, PARENT_POLL_MS);
  if (timeoutMs !== undefined) {
    timers.push(
      setTimeout(() => {
        timedOut = true;
        end('SIGTERM');
      }, timeoutMs),
    );
  }
  for (const signal of SIGNALS) process.on(signal, passOn);
  try {
    return await new Promise((settle, fail) => {
      child.once('error', fail);
      child.once('exit', (code, signal) =>
        settle(timedOut ? 124 : (code ?? 128 + constants.signals[signal])),
      );
    });
  } finally {
    clearInterval(watch);
    for (const timer of timers) clearTimeout(timer);
    for (const signal of SIGNALS) process.off(signal, passOn);
  }
}

/** Ends the process with one sentence instead of a stack: what goes wrong here is for the person at the terminal. */
export async function main(work) {
  try {
    process.exitCode = await work(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
