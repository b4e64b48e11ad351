import { relative } from 'node:path';
import { parseCommandLine, type Environment } from './cli/arguments.js';
import { EXIT, type ExitCode } from './cli/exit-codes.js';
import { describeSettings, readQuireSettings, type QuireSettings } from './config.js';
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
  const stopped = signalled();
  const quire = await startQuire(settings, (line) => process.stdout.write(`${line}\n`));
  try {
    const { tenant, adminUsername: username, dataDir } = settings;
    await announceInstance(dataDir, { pid: process.pid, url: quire.url, tenant, username });
    process.stdout.write(readyLines(quire, settings));
    await stopped;
    // The only exit of the house: a stop that hangs must not keep the machine from going down.
    // eslint-disable-next-line no-restricted-properties -- the watchdog
    setTimeout(() => process.exit(EXIT.unexpected), WATCHDOG_MS).unref();
    process.stdout.write('Stopping …\n');
  } finally {
    await withdrawInstance(settings.dataDir);
    await quire.stop();
  }
  return EXIT.done;
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
