import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Connection } from './client.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { readInstance } from '../instance.js';

/** Flags that every command of the API takes. A password is never one: arguments show in process lists. */
const COMMON = {
  url: { type: 'string' },
  tenant: { type: 'string' },
  username: { type: 'string' },
  json: { type: 'boolean' },
  timeout: { type: 'string' },
} as const;

type Options = NonNullable<ParseArgsConfig['options']>;
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

export interface CommandLine {
  readonly flags: Flags;
  readonly words: readonly string[];
}

export function parseCommandLine(words: readonly string[], own: Options): CommandLine {
  try {
    const parsed = parseArgs({
      args: [...words],
      options: { ...COMMON, ...own },
      allowPositionals: true,
    });
    return { flags: parsed.values, words: parsed.positionals };
  } catch (error) {
    throw new CommandFailure(EXIT.usage, error instanceof Error ? error.message : String(error));
  }
}

export function textFlag(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** `--timeout` in seconds; absent: wait for ever. */
export function timeoutMs(flags: Flags): number {
  const text = textFlag(flags, 'timeout');
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(text))
    throw new CommandFailure(EXIT.usage, `--timeout wants whole seconds, not "${text}".`);
  return Number(text) * 1000;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Flags, then the environment (Quire's names, then FOLIO's), then the instance that runs in the current directory. */
export async function connectionOf(flags: Flags, environment: Environment): Promise<Connection> {
  const dataDir = resolve(environment['QUIRE_DATA_DIR'] ?? '.quire');
  const instance = await readInstance(dataDir);
  const value = (flag: string, ...names: string[]): string | undefined =>
    textFlag(flags, flag) ??
    names.map((name) => environment[name]).find((one) => one !== undefined && one !== '');
  const url = value('url', 'QUIRE_URL', 'FOLIO_GATEWAY_URL') ?? instance?.url;
  if (url === undefined) {
    throw new CommandFailure(
      EXIT.unreachable,
      'No server: start one here with npm start, or name one with --url or QUIRE_URL.',
    );
  }
  const password =
    value('', 'QUIRE_PASSWORD', 'FOLIO_PASSWORD') ?? (await passwordOf(dataDir, environment));
  if (password === undefined) {
    throw new CommandFailure(
      EXIT.notAllowed,
      'No password: set QUIRE_PASSWORD (it is never an argument).',
    );
  }
  return {
    url: url.replace(/\/+$/, ''),
    tenant: value('tenant', 'QUIRE_TENANT', 'FOLIO_TENANT_ID') ?? instance?.tenant ?? 'library',
    username:
      value('username', 'QUIRE_USERNAME', 'FOLIO_USERNAME') ?? instance?.username ?? 'admin',
    password,
  };
}

async function passwordOf(dataDir: string, environment: Environment): Promise<string | undefined> {
  const file = environment['QUIRE_PASSWORD_FILE'] ?? join(dataDir, 'admin-password');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
