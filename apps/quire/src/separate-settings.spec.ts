import {
  describeSettings,
  isEmbedded,
  readMigrationSettings,
  readQuireSettings,
} from './config.js';

/** Of a process with data-export, as a cluster would set them. */
const EXPORTS = {
  QUIRE_SERVICES: 'data-export',
  EVENT_BUS: 'kafka',
  KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092',
  OBJECT_STORE: 's3',
  S3_URL: 'http://objects:9000',
  S3_BUCKET: 'quire',
  S3_ACCESS_KEY_ID: 'exports',
  S3_SECRET_ACCESS_KEY: 'not known to anybody',
  DATABASE_URL: 'postgres://db:5432/quire',
  QUIRE_KEYS_DIR: '/run/keys',
  SOURCE_RECORD_STORAGE_URL: 'http://source-record-storage:8081',
};

function problems(changes: Record<string, string>, base: Record<string, string> = EXPORTS): string {
  try {
    readQuireSettings({ ...base, ...changes });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the settings of a process with some of the services', () => {
  it('open its ports to other machines and limit rates, as a laptop needs neither', () => {
    const settings = readQuireSettings(EXPORTS);
    expect(isEmbedded(settings)).toBe(false);
    expect(settings).toMatchObject({
      runs: ['data-export'],
      servicePort: 8081,
      host: '0.0.0.0',
      operationsHost: '0.0.0.0',
      operationsPort: 9090,
      rateLimit: 100,
      keysDir: '/run/keys',
      serviceUrls: { 'source-record-storage': 'http://source-record-storage:8081' },
    });
    expect(readQuireSettings({})).toMatchObject({
      servicePort: 0,
      host: '127.0.0.1',
      rateLimit: 0,
    });
  });

  it('are refused all at once when they are missing', () => {
    const found = problems({}, { QUIRE_SERVICES: 'gateway,data-import' });
    for (const name of [
      'EVENT_BUS must be kafka because QUIRE_SERVICES names only gateway, data-import',
      'OBJECT_STORE must be s3',
      'DATABASE_URL is not set',
      'QUIRE_KEYS_DIR is not set',
      'DATA_EXPORT_URL is not set',
      'SOURCE_RECORD_STORAGE_URL is not set',
      'FINANCE_STORAGE_URL is not set',
    ])
      expect(found).toContain(name);
    expect(found).not.toContain('DATA_IMPORT_URL');
  });

  it.each([
    [
      'an unknown service',
      { QUIRE_SERVICES: 'data-export,exports' },
      'QUIRE_SERVICES names exports',
    ],
    ['the bus in process', { EVENT_BUS: '' }, 'events in process reach no other process'],
    ['a bus nobody knows', { EVENT_BUS: 'nats' }, 'EVENT_BUS must be in-process or kafka'],
    ['objects on disk', { OBJECT_STORE: 'disk' }, 'objects on disk reach no other process'],
    ['no broker', { KAFKA_BROKERS: '' }, 'KAFKA_BROKERS is not set, nor is KAFKA_HOST'],
    ['a broker without a port', { KAFKA_BROKERS: 'kafka' }, 'KAFKA_BROKERS must match'],
    ['no bucket', { S3_BUCKET: '' }, 'S3_BUCKET is not set'],
    ['a path after the store', { S3_URL: 'http://objects/x' }, 'S3_URL must match'],
    ['half a login', { KAFKA_SASL_MECHANISM: 'plain' }, 'KAFKA_SASL_PASSWORD is not set'],
    ['an address with a path', { SOURCE_RECORD_STORAGE_URL: 'http://x/y' }, 'must be an address'],
    ['an address over TLS', { SOURCE_RECORD_STORAGE_URL: 'https://x' }, 'must be an address'],
    ['no database in the URL', { DATABASE_URL: 'postgres://db' }, 'DATABASE_URL must be like'],
    [
      'the login of another role',
      { DATABASE_URL: 'postgres://postgres:a-good-long-secret@db/quire' },
      'DATABASE_URL must not log in as postgres',
    ],
    ['a secret everybody knows', { S3_SECRET_ACCESS_KEY: 'minioadmin' }, 'everybody knows'],
    ['a short secret', { QUIRE_DATABASE_PASSWORD: 'abc' }, 'less than 8 characters'],
    ['a known first password', { QUIRE_ADMIN_PASSWORD: 'Password123' }, 'everybody knows'],
  ])('are refused with a sentence: %s', (_what, changes, sentence) => {
    const found = problems(changes);
    expect(found).toContain(sentence);
    expect(found).not.toMatch(/minioadmin|a-good-long-secret|Password123/);
  });

  it('need no store of objects where no service keeps any', () => {
    const gateway = { QUIRE_SERVICES: 'gateway', OBJECT_STORE: '', S3_ACCESS_KEY_ID: '' };
    const urls = { DATA_EXPORT_URL: 'http://x', DATA_IMPORT_URL: 'http://x' };
    const more = { FINANCE_STORAGE_URL: 'http://x' };
    expect(problems({ ...gateway, ...urls, ...more })).toBe('');
    expect(problems({ OBJECT_STORE: '' })).toContain('OBJECT_STORE must be s3');
  });

  it('may log in as the service itself, and name several addresses of one service', () => {
    expect(
      problems({
        DATABASE_URL: 'postgres://data_export_app:a-good-long-secret@db/quire',
        SOURCE_RECORD_STORAGE_URL: 'http://127.0.0.1:1, http://127.0.0.1:2/',
        GATEWAY_URL: 'http://gateway:8081',
      }),
    ).toBe('');
  });

  it('are printed with those of broker and store, secrets hidden', () => {
    const printed = describeSettings(readQuireSettings(EXPORTS));
    for (const line of [
      'QUIRE_SERVICES=data-export',
      'EVENT_BUS=kafka',
      'KAFKA_BROKERS=kafka-1:9092,kafka-2:9092',
      'S3_BUCKET=quire',
      'S3_SECRET_ACCESS_KEY=(hidden)',
      'SOURCE_RECORD_STORAGE_URL=http://source-record-storage:8081',
    ])
      expect(printed).toContain(`${line}\n`);
    expect(printed).not.toMatch(/not known|undefined|object Object/);
  });

  it("may have FOLIO's names, and ours win", () => {
    const folio = {
      ...EXPORTS,
      DATABASE_URL: '',
      DB_HOST: 'db',
      DB_PORT: '5433',
      DB_DATABASE: 'folio',
      KAFKA_BROKERS: '',
      KAFKA_HOST: 'kafka',
      KAFKA_PORT: '9093',
      REPLICATION_FACTOR: '3',
      ENV: 'folio-snapshot',
    };
    expect(readQuireSettings(folio)).toMatchObject({
      databaseUrl: 'postgres://db:5433/folio',
      kafka: { host: 'kafka', port: 9093, replicationFactor: 3, topicPrefix: 'folio-snapshot.' },
    });
    const own = { ...folio, KAFKA_TOPIC_PREFIX: 'own-', DATABASE_URL: 'postgres://own/own' };
    expect(readQuireSettings(own)).toMatchObject({
      databaseUrl: 'postgres://own/own',
      kafka: { topicPrefix: 'own-' },
    });
    const login = { ...folio, DB_USERNAME: 'data_export_app', DB_PASSWORD: 'p@ss/word:long' };
    expect(readQuireSettings(login).databaseUrl).toBe(
      'postgres://data_export_app:p%40ss%2Fword%3Along@db:5433/folio',
    );
  });
});

describe('the settings of the migration', () => {
  it('need a database whose login may make roles, and passwords for them', () => {
    expect(() => readMigrationSettings({})).toThrow(/DATABASE_URL is not set\n.*QUIRE_KEYS_DIR/);
    const DATABASE_URL = 'postgres://postgres:a-good-long-secret@db/quire';
    const migration = readMigrationSettings({ ...EXPORTS, DATABASE_URL });
    expect(migration.runs).toHaveLength(5);
    expect(() =>
      readMigrationSettings({ ...EXPORTS, DATABASE_URL: 'postgres://postgres:postgres@db/quire' }),
    ).toThrow('DATABASE_URL holds a secret that everybody knows');
  });
});
