import { resolve } from 'node:path';
import { calledBy } from '@quire/auth/keys';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import { ExportSettings } from '@quire/data-export/config';
import { ImportSettings } from '@quire/data-import/config';
import { KafkaSettings } from '@quire/messaging/kafka-settings';
import { OutboxSettings } from '@quire/messaging/outbox-level';
import { S3Settings } from '@quire/object-store/config';
import { namedSettings, type Environment } from '@quire/service/config';
import type { ServiceUrls } from '@quire/service/service-client';
import { StorageSettings } from '@quire/source-record-storage/config';
import { checkSecrets, checkTogether } from './combinations.js';
import { withFolioNames } from './folio-names.js';
import { SettingsReader } from './settings-reader.js';

/**
 * Settings of a process (`running.md`, section 2). This file is the only one of the launcher that reads the environment.
 * What is wrong is reported all at once.
 *
 * A process with all services is the embedded mode: it makes what is missing, from the database to the keys. One with some
 * of them is part of a bigger whole, which others have prepared.
 */
export const environment: Environment = process.env;

export interface QuireSettings {
  /** Services that this process runs; never empty. */
  readonly runs: readonly ServiceName[];
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Of the first service; each further one has the next. 0: free ones. */
  readonly servicePort: number;
  readonly operationsHost: string;
  readonly operationsPort: number;
  /** Of services in other processes. */
  readonly serviceUrls: ServiceUrls;
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
  /** Of the app role of this process's services; absent: from the files of the keys folder. */
  readonly databasePassword?: string;
  /** How long work waits for a connection to the database before it is told to come later. */
  readonly databaseWaitMs: number;
  /** Absent: events are handed over in process. */
  readonly kafka?: Readonly<KafkaSettings>;
  /** Absent: objects lie on disk. */
  readonly s3?: Readonly<S3Settings>;
  /** Bounds of the outbox of each service. */
  readonly outbox: Readonly<OutboxSettings>;
  /** Settings of services that have their own. */
  readonly services: ServiceSettings;
}

export interface ServiceSettings {
  readonly 'data-import': Readonly<ImportSettings>;
  readonly 'data-export': Readonly<ExportSettings>;
  readonly 'source-record-storage': Readonly<StorageSettings>;
}

const SAME_SITE = ['Lax', 'Strict', 'None'] as const;
/** Settings whose value is never printed. */
const SECRETS = /PASSWORD|SECRET|DATABASE_URL/;
const ADDRESS = /^http:\/\/[^\s/,?#@]+\/?(,\s*http:\/\/[^\s/,?#@]+\/?)*$/;
const SERVICE_PORT = 8081;
const RATE_LIMIT = 100;

export function isEmbedded({ runs }: Pick<QuireSettings, 'runs'>): boolean {
  return runs.length === SERVICES.length;
}

/** @throws SettingsWrong that names every wrong setting. */
export function readQuireSettings(env: Environment): QuireSettings {
  const read = new SettingsReader(withFolioNames(env));
  const runs = servicesOf(read);
  const embedded = isEmbedded({ runs });
  const host = embedded ? '127.0.0.1' : '0.0.0.0';
  const dataDir = resolve(read.text('QUIRE_DATA_DIR', './.quire'));
  const keysDir = read.text('QUIRE_KEYS_DIR', embedded ? `${dataDir}/keys` : '');
  const publicUrl = read.optional(
    'QUIRE_PUBLIC_URL',
    /^https?:\/\/\S+$/,
    'an http or https address',
  );
  const settings: QuireSettings = {
    runs,
    host: read.text('QUIRE_HOST', host),
    port: read.integer('QUIRE_PORT', 8080, 65_535),
    servicePort: read.integer('QUIRE_SERVICE_PORT', embedded ? 0 : SERVICE_PORT, 65_535),
    operationsHost: read.text('QUIRE_OPERATIONS_HOST', host),
    operationsPort: read.integer('QUIRE_OPERATIONS_PORT', 9090, 65_535),
    serviceUrls: urlsOf(read, runs),
    ...present({ publicUrl: publicUrl?.replace(/\/+$/, '') }),
    pathPrefix: read.text('QUIRE_PATH_PREFIX', '').replace(/\/+$/, ''),
    trustedProxies: read.list('QUIRE_TRUSTED_PROXIES'),
    corsOrigins: read.list('QUIRE_CORS_ORIGINS'),
    cookieSameSite: read.oneOf('QUIRE_COOKIE_SAMESITE', SAME_SITE, 'Lax'),
    okapiStrict: read.flag('OKAPI_STRICT', false),
    keysDir: keysDir === '' ? '' : resolve(keysDir),
    rateLimit: read.integer('QUIRE_RATE_LIMIT', embedded ? 0 : RATE_LIMIT, 1_000_000),
    dataDir,
    tenant: read.matching(
      'QUIRE_TENANT',
      'library',
      /^[a-z][a-z0-9]{0,30}$/,
      'a letter and up to 30 letters or digits, lower case',
    ),
    adminUsername: read.text('QUIRE_ADMIN_USERNAME', 'admin'),
    ...present({ adminPassword: read.secret('QUIRE_ADMIN_PASSWORD') }),
    sample: read.flag('QUIRE_SAMPLE', false),
    ...present({ databaseUrl: read.secret('DATABASE_URL') }),
    ...present({ databasePassword: read.secret('QUIRE_DATABASE_PASSWORD') }),
    databaseWaitMs: read.integer('QUIRE_DATABASE_WAIT_MS', 2000, 600_000),
    ...backendsOf(read),
    outbox: read.service(OutboxSettings),
    services: {
      'data-import': read.service(ImportSettings),
      'data-export': read.service(ExportSettings),
      'source-record-storage': read.service(StorageSettings),
    },
  };
  checkTogether(settings, embedded, read);
  read.done();
  return settings;
}

/**
 * Of `quire migrate`, which serves separate processes and runs no service: all schemas, whatever `QUIRE_SERVICES` says, and no
 * addresses.
 *
 * @throws SettingsWrong that names every wrong setting
 */
export function readMigrationSettings(env: Environment): QuireSettings {
  const settings = readQuireSettings({ ...env, QUIRE_SERVICES: '' });
  const read = new SettingsReader(env);
  if (settings.databaseUrl === undefined) read.wrong('DATABASE_URL', 'is not set');
  if (read.text('QUIRE_KEYS_DIR', '') === '' && settings.databasePassword === undefined)
    read.wrong('QUIRE_KEYS_DIR', 'is not set, nor is QUIRE_DATABASE_PASSWORD');
  checkSecrets(settings, read);
  read.done();
  return settings;
}

function servicesOf(read: SettingsReader): readonly ServiceName[] {
  const named = read.list('QUIRE_SERVICES');
  if (named.length === 0 || (named.length === 1 && named[0] === 'all')) return SERVICES;
  const unknown = named.filter((name) => !SERVICES.some((service) => service === name));
  if (unknown.length > 0)
    read.wrong('QUIRE_SERVICES', `names ${unknown.join(', ')}; there are ${SERVICES.join(', ')}`);
  return SERVICES.filter((service) => named.includes(service));
}

/** Addresses of the services that those of this process call; of the others too, where they are given. */
function urlsOf(read: SettingsReader, runs: readonly ServiceName[]): ServiceUrls {
  const urls: ServiceUrls = {};
  const needed = new Set(runs.flatMap((service) => calledBy(service)));
  for (const service of SERVICES) {
    if (runs.includes(service)) continue;
    const name = urlName(service);
    const url = read.optional(name, ADDRESS, 'an address like http://host:8081');
    if (url !== undefined) urls[service] = url.replace(/\s/g, '');
    else if (needed.has(service)) read.wrong(name, `is not set: ${runs.join(', ')} calls it`);
  }
  return urls;
}

const urlName = (service: ServiceName): string =>
  `${service.replaceAll('-', '_').toUpperCase()}_URL`;

function backendsOf(read: SettingsReader): Pick<QuireSettings, 'kafka' | 's3'> {
  const bus = read.oneOf('EVENT_BUS', ['in-process', 'kafka'] as const, 'in-process');
  const store = read.oneOf('OBJECT_STORE', ['disk', 's3'] as const, 'disk');
  return {
    ...(bus === 'kafka' ? { kafka: read.service(KafkaSettings) } : {}),
    ...(store === 's3' ? { s3: read.service(S3Settings) } : {}),
  };
}

function present<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** Settings whose name does not follow from ours by the one rule. */
const NAMES: Readonly<Record<string, string>> = {
  runs: 'QUIRE_SERVICES',
  okapiStrict: 'OKAPI_STRICT',
  databaseUrl: 'DATABASE_URL',
  cookieSameSite: 'QUIRE_COOKIE_SAMESITE',
};

function nameOf(setting: string): string {
  const words = setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return NAMES[setting] ?? `QUIRE_${words}`;
}

/** For `--print-config`: the effective ones by the names of the environment, one a line, secrets hidden. */
export function describeSettings(settings: QuireSettings): string {
  const { services, serviceUrls, kafka, s3, outbox, ...own } = settings;
  const named = new Map<string, unknown>([
    ...Object.entries(own).map(([setting, value]): [string, unknown] => [nameOf(setting), value]),
    ...SERVICES.map((service): [string, unknown] => [urlName(service), serviceUrls[service]]),
    ['EVENT_BUS', kafka ? 'kafka' : 'in-process'],
    ...(kafka ? namedSettings(KafkaSettings, kafka) : []),
    ['OBJECT_STORE', s3 ? 's3' : 'disk'],
    ...(s3 ? namedSettings(S3Settings, s3) : []),
    ...namedSettings(OutboxSettings, outbox),
    ...namedSettings(ImportSettings, services['data-import']),
    ...namedSettings(ExportSettings, services['data-export']),
    ...namedSettings(StorageSettings, services['source-record-storage']),
  ]);
  const lines = [...named]
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${SECRETS.test(name) ? '(hidden)' : String(value)}`);
  return `${lines.sort().join('\n')}\n`;
}
