import { writeFileSync } from 'node:fs';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import { ExportSettings } from '@quire/data-export/config';
import { ImportSettings } from '@quire/data-import/config';
import { GatewaySettings } from '@quire/gateway/config';
import { S3Settings } from '@quire/object-store/config';
import { keepsObjects } from '@quire/quire/combinations';
import { KafkaSettings } from '@quire/messaging/kafka-settings';
import { OutboxSettings } from '@quire/messaging/outbox-level';
import { namedSettings, type SettingsClass } from '@quire/service/config';
import { StorageSettings } from '@quire/source-record-storage/config';

/*
 * `k8s/base/settings/*.env`: for each service a file of its settings with their defaults, out of which kustomize makes its
 * ConfigMap. From the settings classes, so a setting that is added, renamed or dropped changes these files, and a test says
 * so. Run as a program it writes them. Secrets are not among them: they are files of the service's Secret.
 */
const CLASSES: Readonly<Partial<Record<ServiceName, SettingsClass<object>>>> = {
  gateway: GatewaySettings,
  'data-export': ExportSettings,
  'data-import': ImportSettings,
  'source-record-storage': StorageSettings,
};

/** Where the Secret of a container is mounted. */
const SECRETS = '/run/secrets/quire';
/** Of a file in the Secret; and FOLIO's names for what KAFKA_BROKERS says. */
const LEFT_OUT = /PASSWORD|SECRET|ACCESS_KEY|^KAFKA_(HOST|PORT)$/;
/** What a container of a cluster is told beyond the defaults of its class. */
const GATEWAY = {
  QUIRE_PORT: 8080,
  /** As a process that runs apart has it; the class speaks of the embedded mode. */
  QUIRE_RATE_LIMIT: 100,
  QUIRE_TENANT: 'library',
  QUIRE_ADMIN_USERNAME: 'admin',
  QUIRE_ADMIN_PASSWORD_FILE: `${SECRETS}/admin-password`,
};
const OBJECTS = {
  OBJECT_STORE: 's3',
  S3_ACCESS_KEY_ID_FILE: `${SECRETS}/s3-access-key-id`,
  S3_SECRET_ACCESS_KEY_FILE: `${SECRETS}/s3-secret-access-key`,
};

/** Content by file name. */
export function settingsFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...SERVICES.map((service): [string, string] => [`${service}.env`, fileOf(ofService(service))]),
    ['migrate.env', fileOf(ofMigration())],
    ['installation.env', fileOf(ofInstallation())],
  ]);
}

type Settings = Readonly<Record<string, unknown>>;

function ofService(service: ServiceName): Settings {
  const Class = CLASSES[service];
  return {
    QUIRE_SERVICES: service,
    QUIRE_SERVICE_PORT: 8081,
    QUIRE_OPERATIONS_PORT: 9090,
    QUIRE_KEYS_DIR: SECRETS,
    ...(Class ? defaultsOf(Class) : {}),
    ...(service === 'gateway' ? GATEWAY : {}),
    ...(keepsObjects(service) ? OBJECTS : {}),
  };
}

function ofMigration(): Settings {
  return { QUIRE_KEYS_DIR: SECRETS, DATABASE_URL_FILE: `${SECRETS}/database-url` };
}

/** Where the services and the stores are: the overlays fill in what is empty here. */
function ofInstallation(): Settings {
  const urls = SERVICES.map((service) => [
    `${service.replaceAll('-', '_').toUpperCase()}_URL`,
    `http://${service}:8081`,
  ]);
  return {
    ...(Object.fromEntries(urls) as Settings),
    DATABASE_URL: '',
    EVENT_BUS: 'kafka',
    ...defaultsOf(KafkaSettings),
    ...defaultsOf(OutboxSettings),
    ...defaultsOf(S3Settings),
  };
}

function defaultsOf<T extends object>(Class: SettingsClass<T>): Settings {
  const named = namedSettings(Class, new Class()).filter(([name]) => !LEFT_OUT.test(name));
  return Object.fromEntries(named);
}

/** An empty setting is one that is not set: it stands here so that one sees it can be. */
function fileOf(settings: Settings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${textOf(value)}`);
  return `${lines.join('\n')}\n`;
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, text] of settingsFiles()) writeFileSync(`k8s/base/settings/${name}`, text);
}
