import type { ServiceName } from '@quire/contracts/scope';
import type { KafkaSettings } from '@quire/messaging/kafka-settings';
import type { QuireSettings } from './config.js';
import type { SettingsReader } from './settings-reader.js';

/**
 * What single settings cannot show: whether they go together. In process nobody else hears of an event, and a folder is
 * nobody else's disk, so both are for the process that runs everything.
 */
export function checkTogether(
  settings: QuireSettings,
  embedded: boolean,
  read: SettingsReader,
): void {
  checkPassword(settings, embedded, read);
  const { kafka } = settings;
  if (kafka) checkLogin(kafka, read);
  if (settings.databaseUrl !== undefined) checkDatabaseUrl(settings, embedded, read);
  if (embedded) return;
  checkApart(settings, read);
  checkSecrets(settings, read);
}

/** Passwords that people know: of the manuals of what Quire stands on, of FOLIO's deployments, and of everybody. */
const KNOWN_SECRETS = new Set([
  'admin',
  'administrator',
  'adminadmin',
  'changeme',
  'change-me',
  'changeit',
  'diku_admin',
  'folio',
  'folio_admin',
  'kafka',
  'library',
  'minio',
  'minio123',
  'minioadmin',
  'password',
  'password1',
  'password123',
  'postgres',
  'postgresql',
  'quire',
  'quirequire',
  'secret',
  'superadmin',
  'supersecret',
  'test',
  'testtest',
  '12345678',
  '123456789',
  '1234567890',
]);
const SECRET_CHARACTERS_MIN = 8;

function checkPassword(settings: QuireSettings, embedded: boolean, read: SettingsReader): void {
  const { adminPassword } = settings;
  if (adminPassword === undefined) return;
  if (adminPassword.length < SECRET_CHARACTERS_MIN)
    read.wrong('QUIRE_ADMIN_PASSWORD', `must have at least ${SECRET_CHARACTERS_MIN} characters`);
  else if (!embedded) checkSecret(read, 'QUIRE_ADMIN_PASSWORD', adminPassword);
}

/** Those below whose prefix objects lie (`libs/object-store/src/tenant-key.ts`); the others need no store. */
const KEEP_OBJECTS: readonly ServiceName[] = [
  'data-export',
  'data-import',
  'source-record-storage',
];

export function keepsObjects(service: ServiceName): boolean {
  return KEEP_OBJECTS.includes(service);
}

function checkApart(
  { runs, kafka, s3, databaseUrl, keysDir }: QuireSettings,
  read: SettingsReader,
): void {
  const because = `because QUIRE_SERVICES names only ${runs.join(', ')}`;
  if (!kafka)
    read.wrong('EVENT_BUS', `must be kafka ${because}: events in process reach no other process`);
  if (!s3 && runs.some(keepsObjects))
    read.wrong('OBJECT_STORE', `must be s3 ${because}: objects on disk reach no other process`);
  if (databaseUrl === undefined) read.wrong('DATABASE_URL', `is not set, and is needed ${because}`);
  if (keysDir === '') read.wrong('QUIRE_KEYS_DIR', `is not set, and is needed ${because}`);
}

function checkLogin(
  { brokers, saslMechanism, saslUsername, saslPassword }: KafkaSettings,
  read: SettingsReader,
): void {
  if (brokers === undefined && read.text('KAFKA_HOST', '') === '')
    read.wrong('KAFKA_BROKERS', 'is not set, nor is KAFKA_HOST');
  if (saslMechanism === 'none') return;
  if (saslUsername === undefined)
    read.wrong('KAFKA_SASL_USERNAME', `is not set, for the login by ${saslMechanism}`);
  if (saslPassword === undefined)
    read.wrong('KAFKA_SASL_PASSWORD', `is not set, for the login by ${saslMechanism}`);
}

/** For the processes of an installation that others reach. */
export function checkSecrets(settings: QuireSettings, read: SettingsReader): void {
  const { databasePassword, databaseUrl, kafka, s3 } = settings;
  checkSecret(read, 'QUIRE_DATABASE_PASSWORD', databasePassword);
  checkSecret(read, 'KAFKA_SASL_PASSWORD', kafka?.saslPassword);
  checkSecret(read, 'S3_SECRET_ACCESS_KEY', s3?.secretAccessKey);
  const password = databaseUrl !== undefined && URL.parse(databaseUrl)?.password;
  if (password) checkSecret(read, 'DATABASE_URL', decodeURIComponent(password));
}

/** Never says the secret itself. */
function checkSecret(read: SettingsReader, name: string, secret: string | undefined): void {
  if (secret === undefined) return;
  if (secret.length < SECRET_CHARACTERS_MIN)
    read.wrong(name, `holds a secret of less than ${SECRET_CHARACTERS_MIN} characters`);
  else if (KNOWN_SECRETS.has(secret.toLowerCase()))
    read.wrong(name, 'holds a secret that everybody knows');
}

function checkDatabaseUrl(settings: QuireSettings, embedded: boolean, read: SettingsReader): void {
  const { runs, databaseUrl = '' } = settings;
  const url = URL.parse(databaseUrl);
  if (
    !url ||
    !/^postgres(ql)?:$/.test(url.protocol) ||
    url.hostname === '' ||
    url.pathname.length < 2
  ) {
    read.wrong('DATABASE_URL', 'must be like postgres://host:5432/database');
    return;
  }
  if (embedded || url.username === '') return;
  const [only, ...others] = runs.map(appRoleOf);
  if (others.length > 0 || url.username !== only)
    read.wrong(
      'DATABASE_URL',
      `must not log in as ${url.username}: a service has its own role (${runs.map(appRoleOf).join(', ')}); leave user and password out`,
    );
}

const appRoleOf = (service: string): string => `${service.replaceAll('-', '_')}_app`;
