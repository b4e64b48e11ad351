import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { keyFilesOf, type KeyFile } from '@quire/auth/keys';
import { newKeyLine } from '@quire/auth/key-files';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import { parseCommandLine, type Environment } from './cli/arguments.js';
import { CommandFailure, EXIT, type ExitCode } from './cli/exit-codes.js';
import { roleFile } from './roles.js';

/*
 * `quire keys <folder>`: every secret that separate processes need, made once. Each service gets a folder of its own with
 * what it may know and nothing else, to be its QUIRE_KEYS_DIR; `migrate` is that of `quire migrate`. What is there stays, so
 * the command may be repeated, and completes a folder that lacks something.
 */
const ROLE_PASSWORD_BYTES = 32;
const MIGRATE = 'migrate';

interface Secret {
  /** In the folders of those who know it. */
  readonly path: string;
  readonly holders: readonly string[];
  readonly make: () => string;
}

export async function makeKeys(
  words: readonly string[],
  environment: Environment,
): Promise<ExitCode> {
  const [given, ...more] = parseCommandLine(words, {}).words;
  const dir = given ?? environment['QUIRE_KEYS_DIR'] ?? '';
  if (dir === '' || more.length > 0)
    throw new CommandFailure(EXIT.usage, 'quire keys wants the folder that it is to fill.');
  let made = 0;
  for (const secret of allSecrets()) made += await complete(resolve(dir), secret);
  process.stdout.write(
    `${made} files made in ${dir}; each service has its folder: ${[...SERVICES, MIGRATE].join(', ')}\n`,
  );
  return EXIT.done;
}

function allSecrets(): readonly Secret[] {
  const files = new Map<string, KeyFile>(
    SERVICES.flatMap(keyFilesOf).map((file) => [file.path, file]),
  );
  const keys = [...files.values()].map(({ path, make }) => ({
    path,
    holders: SERVICES.filter((service) => keyFilesOf(service).some((file) => file.path === path)),
    make: () => newKeyLine(make()),
  }));
  const roles = SERVICES.map((service) => ({
    path: roleFile(appRoleOf(service)),
    holders: [service, MIGRATE],
    make: () => `${randomBytes(ROLE_PASSWORD_BYTES).toString('base64url')}\n`,
  }));
  return [...keys, ...roles];
}

export const appRoleOf = (service: ServiceName): string => `${service.replaceAll('-', '_')}_app`;

/** Number of files written. */
async function complete(dir: string, { path, holders, make }: Secret): Promise<number> {
  const files = holders.map((holder) => join(dir, holder, path));
  const found = await Promise.all(files.map(readIfThere));
  const texts = new Set(found.filter((text) => text !== undefined));
  if (texts.size > 1)
    throw new CommandFailure(
      EXIT.conflict,
      `${files.join(' and ')} must hold the same and do not: copy the right one over the other.`,
    );
  const [text = make()] = texts;
  const missing = files.filter((_, index) => found[index] === undefined);
  for (const file of missing) {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  }
  return missing.length;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
