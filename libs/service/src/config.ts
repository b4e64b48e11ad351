import { readFileSync } from 'node:fs';
import { checkContract } from '@quire/contracts/check-contract';
import { fieldsOf } from '@quire/contracts/fields';

export type SettingsClass<T extends object> = (new () => T) & {
  /** Names in the environment; by default `publicUrl` is `QUIRE_PUBLIC_URL`. */
  readonly env?: Readonly<Record<string, string>>;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings from the environment by a contract class, whose initial values are the defaults. Each `X` may instead come from
 * the file that `X_FILE` names. An empty variable is an absent one.
 *
 * @throws SettingsRefused that lists everything that is wrong at once
 */
export function readSettings<T extends object>(
  Settings: SettingsClass<T>,
  env: Environment,
): Readonly<T> {
  const problems: string[] = [];
  const defaults = new Settings() as Record<string, unknown>;
  const given: Record<string, unknown> = {};
  for (const { name } of fieldsOf(Settings)) {
    const variable = variableOf(Settings, name);
    given[name] = readVariable(env, variable, problems) ?? defaults[name];
  }
  const checked = checkContract<T>(Settings, given);
  if ('violations' in checked) {
    for (const { message, parameters } of checked.violations) {
      const variable = variableOf(Settings, parameters[0]?.key ?? '');
      problems.push(`${variable} ${message === 'may not be null' ? 'is not set' : message}`);
    }
  }
  if (problems.length > 0 || 'violations' in checked) throw new SettingsRefused(problems);
  return Object.freeze(checked.value);
}

/** Name in the environment and value of each setting, in the order of the class. */
export function namedSettings<T extends object>(
  Settings: SettingsClass<T>,
  values: Readonly<T>,
): [name: string, value: unknown][] {
  return fieldsOf(Settings).map(({ name }) => [
    variableOf(Settings, name),
    (values as Readonly<Record<string, unknown>>)[name],
  ]);
}

function readVariable(env: Environment, variable: string, problems: string[]): string | undefined {
  const value = env[variable];
  if (value !== undefined && value !== '') return value;
  const path = env[`${variable}_FILE`];
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    problems.push(`${variable}_FILE names ${path}, which cannot be read`);
    return undefined;
  }
}

function variableOf(Settings: SettingsClass<object>, name: string): string {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return Settings.env?.[name] ?? `QUIRE_${snake}`;
}

export class SettingsRefused extends Error {
  override readonly name = 'SettingsRefused';

  constructor(readonly problems: readonly string[]) {
    super(`These settings are wrong:\n  ${problems.join('\n  ')}`);
  }
}
