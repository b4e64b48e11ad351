import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyFilesOf } from '@quire/auth/keys';
import { SERVICES } from '@quire/contracts/scope';
import { parse } from 'yaml';
import { documentsOf, Manifests, render, renderer, SETS } from '../kubernetes/render.js';
import type { VolumeItem, Volume } from '../kubernetes/render.js';
import { makeSecrets } from './secrets.js';

/** One run makes all that docker-compose.yml mounts and the manifests name, and each container gets what it may know. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-secrets-'));
  await makeSecrets(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** By the two ends of a pair, and by a service and the migration that gives its role the password. */
const SHARED = /^(pair|role)\./;

interface Secret {
  readonly metadata: { readonly name: string };
  readonly stringData: Readonly<Record<string, string>>;
}
const written = async (): Promise<Map<string, Secret['stringData']>> => {
  const yaml = await readFile(join(folder, 'kubernetes.yaml'), 'utf8');
  const secrets = documentsOf(yaml).map((document) => document.toJS() as Secret);
  return new Map(secrets.map(({ metadata, stringData }) => [metadata.name, stringData]));
};

describe('npm run secrets', () => {
  it('keeps what is there, and makes what is missing', async () => {
    const file = join(folder, 'migrate', 'database-url');
    const gone = join(folder, 'gateway', 'token');
    const kept = await readFile(join(folder, 'gateway', 'link', 'gateway'), 'utf8');
    await writeFile(file, 'postgres://me:mine@elsewhere:5432/quire\n');
    await rm(gone);
    await makeSecrets(folder);
    expect(await readFile(join(folder, 'gateway', 'link', 'gateway'), 'utf8')).toBe(kept);
    expect(await readFile(gone, 'utf8')).toMatch(/^\w+ [\w-]+\n$/);
    expect((await written()).get('migrate')?.['database-url']).toMatch(/elsewhere/);
  });

  it('lets nobody but the owner in, and the accounts of the containers read what is mounted', async () => {
    const modeOf = async (path: string): Promise<string> =>
      ((await stat(join(folder, path))).mode & 0o777).toString(8);
    expect(await modeOf('.')).toBe('700');
    expect(await modeOf('gateway/pair')).toBe('755');
    expect(await modeOf('gateway/token')).toBe('644');
    expect(await modeOf('kubernetes.yaml')).toBe('600');
  });

  it('makes no two secrets alike, but those that two containers share', async () => {
    const all = [...(await written())].flatMap(([, data]) => Object.entries(data));
    for (const same of Map.groupBy(all, ([, text]) => text).values()) {
      const keys = same.map(([key]) => key);
      expect(keys.every((key) => key === keys[0] && (same.length === 1 || SHARED.test(key)))).toBe(
        true,
      );
    }
    const secret = all.filter(([key]) => !/user|access-key-id|database-url/.test(key));
    expect(secret.length).toBeGreaterThan(20);
    for (const [, text] of secret) expect(text.trim().length).toBeGreaterThanOrEqual(24);
  });

  it('makes every folder that docker-compose.yml mounts, with every file that it names', async () => {
    const compose = parse(
      await readFile(new URL('../../../docker-compose.yml', import.meta.url), 'utf8'),
      { merge: true },
    ) as { services: Record<string, { environment: object; volumes?: (string | Mount)[] }> };
    for (const { environment, volumes = [] } of Object.values(compose.services)) {
      const mounts = volumes.filter((one): one is Mount => typeof one === 'object');
      for (const value of Object.values(environment) as unknown[]) {
        const path = String(value);
        if (!path.startsWith('/run/secrets/')) continue;
        const mount = mounts.find(({ target }) => path.startsWith(target));
        const local = `${mount?.source ?? ''}${path.slice(mount?.target.length)}`;
        await expect(stat(join(folder, local.replace(/^\.\/secrets/, '')))).resolves.toBeDefined();
      }
    }
  });
});

interface Mount {
  readonly source: string;
  readonly target: string;
}

const inSets = renderer
  ? describe.each(Object.entries(SETS))
  : describe.skip.each([['no set', '']]);

inSets('%s (needs kustomize)', (_, path) => {
  it('names only Secrets and keys that are made', async () => {
    const secrets = await written();
    const { resources, workloads } = new Manifests(render(path));
    for (const { spec } of resources) {
      for (const { name, key } of spec?.secretTargetRef ?? [])
        expect(Object.keys(secrets.get(name) ?? {})).toContain(key);
    }
    for (const { name, pod } of workloads) {
      for (const [secret, items] of (pod.volumes ?? []).flatMap(secretsOf)) {
        const made = Object.keys(secrets.get(secret) ?? {});
        expect({ name, made }).toEqual({
          name,
          made: expect.arrayContaining(items.map(({ key }) => key)) as unknown,
        });
        expect(made.length).toBeGreaterThan(0);
      }
    }
  });

  it('gives each service its own keys and nobody else’s', () => {
    const { ours } = new Manifests(render(path));
    for (const service of SERVICES) {
      const { volumes = [] } = ours.find(({ name }) => name === service)?.pod ?? {};
      const items = volumes.flatMap((one) => one.secret?.items ?? []);
      const keys = items.filter(({ key }) => /^(pair|link|token)\b/.test(key));
      const role = `${service.replaceAll('-', '_')}_app`;
      expect(keys.map((item) => item.path).sort()).toEqual(
        keyFilesOf(service)
          .map((file) => file.path)
          .sort(),
      );
      expect(items.filter(({ key }) => key.startsWith('role'))).toEqual([
        { key: `role.${role}`, path: `role/${role}` },
      ]);
      for (const { key, path: at } of items) expect(key).toBe(at.replaceAll('/', '.'));
    }
  });
});

function secretsOf({ secret, projected }: Volume): [string, readonly VolumeItem[]][] {
  const parts = projected?.sources.map((one) => one.secret) ?? [];
  return [
    ...(secret ? [[secret.secretName, secret.items ?? []] as [string, readonly VolumeItem[]]] : []),
    ...parts.map(({ name, items = [] }): [string, readonly VolumeItem[]] => [name, items]),
  ];
}
