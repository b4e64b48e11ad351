import { resolve } from 'node:path';
import { readInstance } from '../instance.js';
import { parseCommandLine, type Environment } from './arguments.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/** `quire status`: is there an embedded instance on this data directory, and is it ready? */
export async function showStatus(
  words: readonly string[],
  environment: Environment,
): Promise<ExitCode> {
  const { flags } = parseCommandLine(words, {});
  const dataDir = resolve(environment['QUIRE_DATA_DIR'] ?? '.quire');
  const instance = await readInstance(dataDir);
  const ready = instance !== undefined && (await isReady(instance.url));
  if (flags['json'] === true)
    process.stdout.write(
      `${JSON.stringify({ running: instance !== undefined, ready, ...instance })}\n`,
    );
  else if (!instance)
    process.stdout.write(`No Quire runs on ${dataDir}. Start one with: npm start\n`);
  else
    process.stdout.write(
      `Quire runs at ${instance.url} (process ${instance.pid}) and is ${ready ? '' : 'not '}ready.\n`,
    );
  return instance ? EXIT.done : EXIT.unreachable;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}
