import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ExportSettings } from '@quire/data-export/config';
import { ImportSettings } from '@quire/data-import/config';
import {
  namedSettings,
  readSettings,
  SettingsRefused,
  type SettingsClass,
} from '@quire/service/config';

/**
 * Settings of the embedded mode (`running.md`, section 2). This file is the only one of the launcher that reads the
 * environment. What is wrong is reported all at once.
 */
export const environment: Readonly<Record<string, string | undefined>> = process.env;

export interface QuireSettings {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly operationsHost: string;
  readonly operationsPort: number;
  readonly publicUrl?: string;
  readonly pathPrefix: string;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly cookieSameSite: 'Lax' | 'Strict' | 'None';
  readonly okapiStrict: boolean;
  readonly keysDir: string;
  readonly rateLimit: number;
  readonly dataDir: string;
  readonly tenant: string;
  readonly adminUsername: string;
  readonly adminPassword?: string;
  readonly sample: boolean;
  readonly databaseUrl?: string;
  /** Settings of services that have their own. */
  readonly services: ServiceSettings;
}

export interface ServiceSettings {
  readonly 'data-import': Readonly<ImportSettings>;
  readonly 'data-export': Readonly<ExportSettings>;
}

export class SettingsWrong extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`These settings are wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'SettingsWrong';
  }
}

const SAME_SITE = ['Lax', 'Strict', 'None'] as const;
/** Settings whose value is never printed. */
const SECRETS = /PASSWORD|SECRET|DATABASE_URL/;

/** @throws SettingsWrong that names every wrong setting. */
export function readQuireSettings(
  env: Readonly<Record<string, string | undefined>>,
): QuireSettings {
  const read = new Reader(env);
  const dataDir = resolve(read.text('QUIRE_DATA_DIR', './.quire'));
  const adminPassword = read.secret('QUIRE_ADMIN_PASSWORD');
  const publicUrl = read.optional(
    'QUIRE_PUBLIC_URL',
    /^https?:\/\/\S+$/,
    'an http or https address',
  );
  const databaseUrl = read.secret('DATABASE_URL');
  const settings: QuireSettings = {
    host: read.text('QUIRE_HOST', '127.0.0.1'),
    port: read.integer('QUIRE_PORT', 8080, 65_535),
    operationsHost: read.text('QUIRE_OPERATIONS_HOST', '127.0.0.1'),
    operationsPort: read.integer('QUIRE_OPERATIONS_PORT', 9090, 65_535),
    ...(publicUrl === undefined ? {} : { publicUrl: publicUrl.replace(/\/+$/, '') }),
    pathPrefix: read.text('QUIRE_PATH_PREFIX', '').replace(/\/+$/, ''),
    trustedProxies: read.list('QUIRE_TRUSTED_PROXIES'),
    corsOrigins: read.list('QUIRE_CORS_ORIGINS'),
    cookieSameSite: read.oneOf('QUIRE_COOKIE_SAMESITE', SAME_SITE, 'Lax'),
    okapiStrict: read.flag('OKAPI_STRICT', false),
    keysDir: resolve(read.text('QUIRE_KEYS_DIR', `${dataDir}/keys`)),
    rateLimit: read.integer('QUIRE_RATE_LIMIT', 0, 1_000_000),
    dataDir,
    tenant: read.matching(
      'QUIRE_TENANT',
      'library',
      /^[a-z][a-z0-9]{0,30}$/,
      'a letter and up to 30 letters or digits, lower case',
    ),
    adminUsername: read.text('QUIRE_ADMIN_USERNAME', 'admin'),
    ...(adminPassword === undefined ? {} : { adminPassword }),
    sample: read.flag('QUIRE_SAMPLE', false),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    services: {
      'data-import': read.service(ImportSettings),
      'data-export': read.service(ExportSettings),
    },
  };
  if (adminPassword !== undefined && adminPassword.length < 8)
    read.wrong('QUIRE_ADMIN_PASSWORD', 'must have at least 8 characters');
  read.oneOf('EVENT_BUS', ['in-process'] as const, 'in-process');
  read.oneOf('OBJECT_STORE', ['disk'] as const, 'disk');
  read.done();
  return settings;
}

class Reader {
  private readonly problems: string[] = [];

  constructor(private readonly env: Readonly<Record<string, string | undefined>>) {}

  wrong(name: string, reason: string): void {
    this.problems.push(`${name} ${reason}`);
  }

  done(): void {
    if (this.problems.length > 0) throw new SettingsWrong(this.problems);
  }

  text(name: string, fallback: string): string {
    const value = this.env[name];
    return value === undefined || value === '' ? fallback : value;
  }

  matching(name: string, fallback: string, pattern: RegExp, form: string): string {
    const value = this.text(name, fallback);
    if (!pattern.test(value)) this.wrong(name, `must be ${form}, not "${value}"`);
    return value;
  }

  optional(name: string, pattern: RegExp, form: string): string | undefined {
    const value = this.text(name, '');
    return value === '' ? undefined : this.matching(name, '', pattern, form);
  }

  integer(name: string, fallback: number, max: number): number {
    const value = this.text(name, String(fallback));
    if (/^\d+$/.test(value) && Number(value) <= max) return Number(value);
    this.wrong(name, `must be a whole number from 0 to ${max}, not "${value}"`);
    return fallback;
  }

  flag(name: string, fallback: boolean): boolean {
    return this.oneOf(name, ['true', 'false'] as const, fallback ? 'true' : 'false') === 'true';
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const value = this.text(name, fallback);
    const found = values.find((one) => one === value);
    if (found === undefined) this.wrong(name, `must be ${values.join(' or ')}, not "${value}"`);
    return found ?? fallback;
  }

  list(name: string): readonly string[] {
    return this.text(name, '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  }

  service<T extends object>(Settings: SettingsClass<T>): Readonly<T> {
    try {
      return readSettings(Settings, this.env);
    } catch (error) {
      if (!(error instanceof SettingsRefused)) throw error;
      this.problems.push(...error.problems);
      return new Settings();
    }
  }

  /** The value, or the content of the file that `<name>_FILE` names. */
  secret(name: string): string | undefined {
    const file = this.text(`${name}_FILE`, '');
    if (file === '') return this.text(name, '') || undefined;
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      this.wrong(`${name}_FILE`, `names a file that cannot be read: "${file}"`);
      return undefined;
    }
  }
}

/** Settings whose name does not follow from ours by the one rule. */
const NAMES: Readonly<Record<string, string>> = {
  okapiStrict: 'OKAPI_STRICT',
  databaseUrl: 'DATABASE_URL',
  cookieSameSite: 'QUIRE_COOKIE_SAMESITE',
};

function nameOf(setting: string): string {
  const words = setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return NAMES[setting] ?? `QUIRE_${words}`;
}

/** For `--print-config`: the effective ones by the names of the environment, one a line, secrets hidden. */
export function describeSettings({ services, ...own }: QuireSettings): string {
  const named = new Map([
    ...Object.entries(own).map(([setting, value]): [string, unknown] => [nameOf(setting), value]),
    ...namedSettings(ImportSettings, services['data-import']),
    ...namedSettings(ExportSettings, services['data-export']),
  ]);
  const lines = [...named].map(
    ([name, value]) => `${name}=${SECRETS.test(name) ? '(hidden)' : String(value)}`,
  );
  return `${lines.sort().join('\n')}\n`;
}
