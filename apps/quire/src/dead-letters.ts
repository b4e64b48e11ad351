import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import { runningPostgresUrl } from '@quire/embedded/running';
import type { DeadLetter, DeadLetterBox, HeldLetter } from '@quire/messaging/dead-letter';
import { TableLetters } from '@quire/messaging/table-letters';
import { TopicLetters } from '@quire/messaging/topic-letters';
import { openSource, type PasswordOf } from '@quire/postgres/migrate';
import { systemClock } from '@quire/service/clock';
import { openLog } from '@quire/service/log';
import type { DataSource } from 'typeorm';
import { parseCommandLine, textFlag, type CommandLine, type Environment } from './cli/arguments.js';
import { CommandFailure, EXIT, type ExitCode } from './cli/exit-codes.js';
import { readQuireSettings, type QuireSettings } from './config.js';
import { appPasswords } from './roles.js';

/*
 * `quire dead-letters`: events that were given up, for operators. It speaks to database and broker directly, by the settings
 * of the processes, because the services may be what is broken.
 */
const USAGE = `usage: quire dead-letters list [--json]
       quire dead-letters show --id <id>
       quire dead-letters replay (--id <id> | --all) [--dry-run]
       quire dead-letters discard (--id <id> | --all) --reason <text> [--dry-run]

--service <name> narrows each to what one service gave up.`;

const FLAGS = {
  id: { type: 'string' },
  all: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  reason: { type: 'string' },
  service: { type: 'string' },
} as const;

const ERROR_CHARACTERS = 60;

export async function deadLetters(
  words: readonly string[],
  environment: Environment,
): Promise<ExitCode> {
  const line = parseCommandLine(words, FLAGS);
  const act = actOf(line);
  const settings = readQuireSettings({ ...environment, QUIRE_SERVICES: '' });
  const chosen = chooser(line);
  await using opened = new AsyncDisposableStack();
  let found = 0;
  for (const box of await openBoxes(settings, opened)) {
    await box.visit(async (held) => {
      if (!chosen(held.letter)) return;
      found += 1;
      await act(held);
    });
  }
  const id = textFlag(line.flags, 'id');
  if (found === 0 && id !== undefined)
    throw new CommandFailure(EXIT.notFound, `There is no dead letter ${id}.`);
  if (found === 0 && line.flags['json'] !== true) process.stderr.write('No dead letters.\n');
  return EXIT.done;
}

type Act = (held: HeldLetter) => Promise<void>;

/** @throws CommandFailure for a command line that says nothing, or too much */
function actOf({ words, flags }: CommandLine): Act {
  const [verb, ...more] = words;
  const dryRun = flags['dry-run'] === true;
  const why = textFlag(flags, 'reason')?.trim() ?? '';
  const one = textFlag(flags, 'id') !== undefined;
  const named = one !== (flags['all'] === true);
  const print = flags['json'] === true ? printJson : printLine;
  if (more.length === 0 && verb === 'list') return ({ letter }) => print(letter);
  if (more.length === 0 && verb === 'show' && one) return ({ letter }) => printWhole(letter);
  if (more.length === 0 && verb === 'replay' && named)
    return async (held) => {
      if (!dryRun) await held.replay();
      await print(held.letter);
    };
  if (more.length === 0 && verb === 'discard' && named && why !== '')
    return async (held) => {
      if (!dryRun) await held.discard(why);
      await print(held.letter);
    };
  throw new CommandFailure(EXIT.usage, USAGE);
}

function chooser({ flags }: CommandLine): (letter: DeadLetter) => boolean {
  const id = textFlag(flags, 'id');
  const service = textFlag(flags, 'service');
  if (service !== undefined && !SERVICES.some((one) => one === service))
    throw new CommandFailure(EXIT.usage, `--service is one of ${SERVICES.join(', ')}.`);
  return (letter) =>
    (id === undefined || letter.id === id) && (service === undefined || letter.service === service);
}

async function openBoxes(
  settings: QuireSettings,
  opened: AsyncDisposableStack,
): Promise<DeadLetterBox[]> {
  const sources = await openTables(settings, opened);
  const tables = [...sources].map(([service, source]) => new TableLetters(service, source));
  if (!settings.kafka) return tables;
  const parts = {
    clock: systemClock,
    log: openLog(),
    sourceOf: (service: string) => sources.get(service as ServiceName),
  };
  return [...tables, opened.use(new TopicLetters(settings.kafka, parts))];
}

async function openTables(
  settings: QuireSettings,
  opened: AsyncDisposableStack,
): Promise<Map<ServiceName, DataSource>> {
  const url =
    settings.databaseUrl ?? (await runningPostgresUrl(join(settings.dataDir, 'postgres')));
  if (url === undefined)
    throw new CommandFailure(
      EXIT.unreachable,
      'No database: start Quire here with npm start, or set DATABASE_URL.',
    );
  const passwordOf = await passwords({ ...settings, databaseUrl: url });
  const sources = new Map<ServiceName, DataSource>();
  for (const name of SERVICES) {
    // By its name, as everywhere: to load the services themselves would take longer than the rest.
    const schema = name.replaceAll('-', '_');
    const options = { poolSize: 2, applicationName: 'quire-dead-letters' };
    const source = await openSource(url, schema, passwordOf, options);
    opened.defer(() => source.destroy());
    sources.set(name, source);
  }
  return sources;
}

/** Those of the embedded mode follow from one secret; separate processes have a file for each role. */
async function passwords(settings: QuireSettings): Promise<PasswordOf> {
  try {
    return derivedPasswords(await readFile(join(settings.keysDir, 'database'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return appPasswords(settings);
  }
}

function derivedPasswords(secret: string): PasswordOf {
  return (role) => createHmac('sha256', secret.trim()).update(role).digest('hex');
}

function printLine(letter: DeadLetter): Promise<void> {
  const { id, at, service, type, tenantId, reason, attempts, error } = letter;
  const first = error.split('\n', 1)[0] ?? '';
  const short =
    first.length > ERROR_CHARACTERS ? `${first.slice(0, ERROR_CHARACTERS - 1)}…` : first;
  const columns = [at.slice(0, 19), id, service, type, tenantId, reason, `${attempts}×`, short];
  process.stdout.write(`${columns.map((column) => column || '-').join('  ')}\n`);
  return Promise.resolve();
}

/** One a line. */
function printJson(letter: DeadLetter): Promise<void> {
  process.stdout.write(`${JSON.stringify(letter)}\n`);
  return Promise.resolve();
}

function printWhole(letter: DeadLetter): Promise<void> {
  process.stdout.write(`${JSON.stringify(letter, null, 2)}\n`);
  return Promise.resolve();
}
