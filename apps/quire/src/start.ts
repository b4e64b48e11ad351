import { relative } from 'node:path';
import { parseCommandLine, type Environment } from './cli/arguments.js';
import { EXIT, type ExitCode } from './cli/exit-codes.js';
import { startProcess } from './apart.js';
import { describeSettings, isEmbedded, readQuireSettings, type QuireSettings } from './config.js';
import { startQuire, type RunningQuire } from './embedded.js';
import { announceInstance, withdrawInstance } from './instance.js';

/** After this long a stop that hangs is cut (reliability, section 15). */
const WATCHDOG_MS = 28_000;

/** `quire start`: runs until Ctrl-C or SIGTERM, then stops in order and exits with 0. */
export async function start(words: readonly string[], environment: Environment): Promise<ExitCode> {
  const { flags } = parseCommandLine(words, { 'print-config': { type: 'boolean' } });
  const settings = readQuireSettings(environment);
  if (flags['print-config'] === true) {
    process.stdout.write(describeSettings(settings));
    return EXIT.done;
  }
  return isEmbedded(settings) ? startAll(settings) : startSome(settings);
}

async function startAll(settings: QuireSettings): Promise<ExitCode> {
  const stopped = signalled();
  const quire = await startQuire(settings, (line) => process.stdout.write(`${line}\n`));
  try {
    const { tenant, adminUsername: username, dataDir } = settings;
    await announceInstance(dataDir, { pid: process.pid, url: quire.url, tenant, username });
    process.stdout.write(readyLines(quire, settings));
    await stopped;
    watch();
  } finally {
    await withdrawInstance(settings.dataDir);
    await quire.stop();
  }
  return EXIT.done;
}

/** Some of the services, in a process of many. A start that still waits ends at a signal like a stop. */
async function startSome(settings: QuireSettings): Promise<ExitCode> {
  const stopping = new AbortController();
  const stopped = signalled().then(() => stopping.abort());
  try {
    const running = await startProcess(settings, stopping.signal);
    process.stdout.write(
      [
        `Quire is ready at ${running.url}`,
        `  services    ${settings.runs.join(', ')}`,
        `  operations  ${running.operationsUrl}`,
        '',
      ].join('\n'),
    );
    await stopped;
    watch();
    await running.stop();
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  return EXIT.done;
}

function watch(): void {
  setTimeout(cut, WATCHDOG_MS).unref();
  process.stdout.write('Stopping …\n');
}

/** The only exit of the house: a stop that hangs must not keep the machine from going down. It says what it waited for. */
function cut(): void {
  const open = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) open.set(kind, (open.get(kind) ?? 0) + 1);
  const list = [...open].map(([kind, count]) => `${count} ${kind}`).join(', ');
  process.stderr.write(
    `The stop took more than ${WATCHDOG_MS / 1000} s and is cut; still open: ${list}.\n`,
  );
  // eslint-disable-next-line no-restricted-properties -- the watchdog
  process.exit(EXIT.unexpected);
}

/** Resolves at the first Ctrl-C or SIGTERM; a second one changes nothing, the stop is under way. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}

function readyLines(quire: RunningQuire, settings: QuireSettings): string {
  const file = relative(process.cwd(), quire.passwordFile) || quire.passwordFile;
  const shown = quire.firstStart ? `  ${quire.password}` : '';
  const password =
    settings.adminPassword !== undefined ? 'as set in QUIRE_ADMIN_PASSWORD' : `in ${file}${shown}`;
  return [
    `Quire is ready at ${quire.url}`,
    `  tenant    ${settings.tenant}`,
    `  user      ${settings.adminUsername}`,
    `  password  ${password}`,
    '  try       npm run quire -- import my.mrc',
    '            npm run quire -- export --all -o all.mrc',
    `            ${quire.url}/docs   the API, to read and to try`,
    '',
  ].join('\n');
}
