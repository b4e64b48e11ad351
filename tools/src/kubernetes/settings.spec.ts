import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SERVICES } from '@quire/contracts/scope';
import {
  describeSettings,
  readMigrationSettings,
  readQuireSettings,
  type QuireSettings,
} from '@quire/quire/config';
import { KafkaSettings } from '@quire/messaging/kafka-settings';
import { S3Settings } from '@quire/object-store/config';
import { namedSettings, type SettingsClass } from '@quire/service/config';
import { parse } from 'yaml';
import { makeSecrets } from '../containers/secrets.js';
import { Manifests, render, renderer, SETS, type Container } from './render.js';
import { settingsFiles } from './settings-files.js';

/*
 * The settings of every container are such that the program itself takes them, and all of their names mean something to it.
 */
const FOLDER = fileURLToPath(new URL('../../../k8s/base/settings/', import.meta.url));
const HOW = 'Make them again: npx tsc -b && node tools/dist/src/kubernetes/settings-files.js';
const MOUNT = '/run/secrets/quire';

let secrets: string;
beforeAll(async () => {
  secrets = await mkdtemp(join(tmpdir(), 'quire-settings-'));
  await makeSecrets(secrets);
});
afterAll(() => rm(secrets, { recursive: true, force: true }));

/** As the container sees them, with the files of its Secret where they are here. */
function read(name: string, env: Readonly<Record<string, string>>): QuireSettings {
  const folder = name === 'dead-letters' ? 'migrate' : name;
  const here = Object.entries(env).map(([key, value]) => [
    key,
    value.replace(MOUNT, join(secrets, folder)),
  ]);
  const settings = Object.fromEntries(here) as Record<string, string>;
  return name === 'migrate' ? readMigrationSettings(settings) : readQuireSettings(settings);
}

/** With everything that may be left out. */
const EVERYTHING = {
  QUIRE_KEYS_DIR: '/keys',
  QUIRE_PUBLIC_URL: 'https://quire.example.org',
  QUIRE_ADMIN_PASSWORD: 'of the first user',
  DATABASE_URL: 'postgres://postgres:5432/quire',
  QUIRE_DATABASE_PASSWORD: 'of the app role',
  EVENT_BUS: 'kafka',
  KAFKA_BROKERS: 'kafka:9092',
  OBJECT_STORE: 's3',
  S3_URL: 'http://minio:9000',
  S3_BUCKET: 'quire',
  S3_ACCESS_KEY_ID: 'of data-export',
  S3_SECRET_ACCESS_KEY: 'its secret',
  ...Object.fromEntries(
    SERVICES.map((one) => [`${one.replaceAll('-', '_').toUpperCase()}_URL`, 'http://host:8081']),
  ),
};

/** Names that mean something to the program: those it prints, those of its classes, and the files of both. */
function knownNames(): ReadonlySet<string> {
  const printed = ['gateway', 'data-export'].flatMap((one) =>
    describeSettings(readQuireSettings({ ...EVERYTHING, QUIRE_SERVICES: one }))
      .split('\n')
      .map((line) => line.slice(0, line.indexOf('='))),
  );
  const ofClasses = [KafkaSettings, S3Settings].flatMap((Class: SettingsClass<object>) =>
    namedSettings(Class, new Class()).map(([name]) => name),
  );
  return new Set([...printed, ...ofClasses].flatMap((name) => [name, `${name}_FILE`]));
}

describe('the settings in k8s/base/settings', () => {
  it('are those of the settings classes', async () => {
    const found = await readdir(FOLDER);
    const files = await Promise.all(
      found.map(async (name) => [name, await readFile(join(FOLDER, name), 'utf8')] as const),
    );
    const wanted = Object.fromEntries(settingsFiles());
    expect({ files: Object.fromEntries(files), how: HOW }).toEqual({ files: wanted, how: HOW });
  });
});

interface Compose {
  readonly services: Readonly<
    Record<string, { readonly image: string; readonly environment: Record<string, string> }>
  >;
}

describe('docker-compose.yml', () => {
  it('gives every container settings that the program takes, by names that it knows', async () => {
    const text = await readFile(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
    const { services } = parse(text, { merge: true }) as Compose;
    const ours = Object.entries(services).filter(([, { image }]) => image.startsWith('quire:'));
    expect(ours).toHaveLength(SERVICES.length + 1);
    for (const [name, { environment }] of ours) expectTaken(name, environment);
  });
});

/** The base alone has no stores. */
const installed = Object.entries(SETS).filter(([name]) => name !== 'base');
const inSets = renderer ? describe.each(installed) : describe.skip.each([['no set', '']]);

inSets('%s (needs kustomize)', (_, folder) => {
  it('gives every container settings that the program takes, by names that it knows', () => {
    const manifests = new Manifests(render(folder));
    expect(manifests.ours).toHaveLength(SERVICES.length + 2);
    for (const { name, pod } of manifests.ours)
      expectTaken(name, manifests.environmentOf(pod.containers[0]));
  });

  it('looks at dead letters as each service, and not as the login that makes their roles', () => {
    const manifests = new Manifests(render(folder));
    const pod = manifests.ours.find(({ name }) => name === 'dead-letters')?.pod;
    const env = manifests.environmentOf(pod?.containers[0] as Container);
    const { databaseUrl = '' } = read('dead-letters', env);
    expect(new URL(databaseUrl).username).toBe('');
    const files = pod?.volumes?.flatMap(({ secret }) => secret?.items ?? []) ?? [];
    const roles = SERVICES.map((one) => `role/${one.replaceAll('-', '_')}_app`);
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(roles));
    expect(files.map(({ path }) => path)).not.toContain('database-url');
  });
});

function expectTaken(name: string, env: Readonly<Record<string, string>>): void {
  const known = knownNames();
  expect({ name, unknown: Object.keys(env).filter((one) => !known.has(one)) }).toEqual({
    name,
    unknown: [],
  });
  const settings = read(name, env);
  const runs = SERVICES.some((one) => one === name) ? [name] : [...SERVICES];
  expect(settings.runs).toEqual(runs);
  expect(settings.kafka).toBeDefined();
}
