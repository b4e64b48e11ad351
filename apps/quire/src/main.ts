import { connectionOf, parseCommandLine, type CommandLine } from './cli/arguments.js';
import { QuireClient } from './cli/client.js';
import { CommandFailure, EXIT, type ExitCode } from './cli/exit-codes.js';
import { EXPORT_FLAGS, exportRecords } from './cli/export.js';
import { IMPORT_FLAGS, importFiles } from './cli/import.js';
import { JOBS_FLAGS, listJobs, showJob } from './cli/jobs.js';
import { applyRetention, RETENTION_FLAGS } from './cli/retention.js';
import { showStatus } from './cli/status.js';
import { UNDO_FLAGS, undoImport } from './cli/undo.js';
import { environment } from './config.js';

/*
 * One program: the command line, and `start`, which runs all five services. The services are loaded only for the commands
 * that need them, so that a client command is up in a tenth of a second.
 */
const USAGE = `usage: quire <command>

  quire import <file…> [--profile <name or id>] [--no-wait] [--failed-to <file>] [--timeout <s>]
               [--dry-run] [--strict] [--on-999ff reject|accept|strip] [--update-unchanged] [--allow-duplicate]
  quire export (--ids <file> | --query <cql> | --all) [-o <file>] [--profile <name or id>] [--format mrc|xml|jsonl] [--timeout <s>]
  quire jobs [--kind import|export] [--watch] [--limit <n>]
  quire job <id or hrId>
  quire undo <id or hrId> [--dry-run] [--no-wait] [--timeout <s>]
  quire retention [--dry-run]
  quire start [--print-config]        all services, or those of QUIRE_SERVICES
  quire keys <folder>                 the secrets of separate processes
  quire migrate                       database, topics and bucket of separate processes
  quire dead-letters list | show | replay | discard   events that were given up; for operators
  quire status
  quire demo

Every command of the API takes --url, --tenant, --username and --json, or the settings QUIRE_URL, QUIRE_TENANT,
QUIRE_USERNAME and QUIRE_PASSWORD, or finds the instance that runs in this directory.
Exit codes: 0 done, 1 unexpected, 2 usage, 3 not allowed, 4 not found, 5 some records failed, 6 job failed,
7 time-out, 8 conflict, 9 not reachable, 130 interrupted.
`;

type ApiCommand = (client: QuireClient, line: CommandLine) => Promise<ExitCode>;
type ApiFlags = Parameters<typeof parseCommandLine>[1];

const API_COMMANDS: Readonly<Record<string, readonly [ApiCommand, ApiFlags]>> = {
  import: [importFiles, IMPORT_FLAGS],
  export: [exportRecords, EXPORT_FLAGS],
  jobs: [listJobs, JOBS_FLAGS],
  job: [showJob, {}],
  undo: [undoImport, UNDO_FLAGS],
  retention: [applyRetention, RETENTION_FLAGS],
};

async function run(words: readonly string[]): Promise<ExitCode> {
  const [command = 'help', ...rest] = words;
  const api = API_COMMANDS[command];
  if (api) return callApi(api, rest);
  switch (command) {
    case 'start': {
      const { start } = await import('./start.js');
      return start(rest, environment);
    }
    case 'keys': {
      const { makeKeys } = await import('./keys.js');
      return makeKeys(rest, environment);
    }
    case 'migrate': {
      const { migrate } = await import('./migrate.js');
      return migrate(rest, environment);
    }
    case 'dead-letters': {
      const { deadLetters } = await import('./dead-letters.js');
      return deadLetters(rest, environment);
    }
    case 'demo': {
      const { demo } = await import('./demo.js');
      return demo(environment);
    }
    case 'status':
      return showStatus(rest, environment);
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(USAGE);
      return EXIT.done;
    default:
      throw new CommandFailure(EXIT.usage, `There is no command "${command}".\n\n${USAGE}`);
  }
}

async function callApi(
  [command, flags]: readonly [ApiCommand, ApiFlags],
  words: readonly string[],
): Promise<ExitCode> {
  const line = parseCommandLine(words, flags);
  const client = new QuireClient(await connectionOf(line.flags, environment));
  const interrupted = (): never => {
    process.stderr.write('\nInterrupted. What was started on the server goes on.\n');
    // eslint-disable-next-line no-restricted-properties -- a client has nothing to close, and the user wants it gone now
    process.exit(EXIT.interrupted);
  };
  process.once('SIGINT', interrupted);
  try {
    return await command(client, line);
  } finally {
    process.off('SIGINT', interrupted);
    client.close();
  }
}

/** The Kafka client sets a timer in the past whenever it connects, which Node tells once: nothing that anybody can act on. */
function overlookNegativeTimeouts(): void {
  const told = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', (warning) => {
    if (warning.name !== 'TimeoutNegativeWarning') for (const tell of told) tell(warning);
  });
}

overlookNegativeTimeouts();
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.exitCode = error instanceof CommandFailure ? error.exitCode : EXIT.unexpected;
  process.stderr.write(`quire: ${error instanceof Error ? error.message : String(error)}\n`);
}
