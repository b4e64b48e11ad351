import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICES } from '@quire/contracts/scope';
import { KeyRing, keyFilesOf, loadKeys } from './keys.js';

describe('the keys of an installation', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quire-keys-'));
  });

  afterEach(() => rm(dir, { recursive: true }));

  it('are made once, readable by nobody else, and the same at every later start', async () => {
    const [first, second] = await Promise.all([loadKeys(dir), loadKeys(dir)]);
    const third = await KeyRing.load(dir, { services: SERVICES, create: false });
    const key = (ring: KeyRing): unknown =>
      ring
        .of('gateway')
        .pairs.keyFor('gateway', 'data-export')
        ?.map((secret) => [secret.id, secret.key.export()]);
    expect(key(second)).toEqual(key(first));
    expect(key(third)).toEqual(key(first));
    expect(third.of('gateway').tokens?.signing.id).toBe(first.of('gateway').tokens?.signing.id);
    expect((await stat(join(dir, 'token'))).mode & 0o777).toBe(0o600);
  });

  it('are handed to a service only as far as they concern it', async () => {
    const ring = await loadKeys(dir);
    const { pairs, tokens, links } = ring.of('data-export');
    expect(tokens).toBeUndefined();
    expect(pairs.keyFor('gateway', 'data-export')).toHaveLength(1);
    expect(pairs.keyFor('gateway', 'data-import')).toBeUndefined();
    expect(pairs.keyFor('data-export', 'data-import')).toBeUndefined();
    expect(links).not.toEqual(ring.of('data-import').links);
  });

  it('of a service on its own are read from its files alone', async () => {
    await loadKeys(dir);
    const own = keyFilesOf('data-export').map(({ path }) => path);
    expect(own).toEqual([
      'pair/gateway.data-export',
      'pair/data-export.source-record-storage',
      'link/data-export',
    ]);
    for (const { path } of SERVICES.flatMap(keyFilesOf))
      if (!own.includes(path)) await rm(join(dir, path), { force: true });
    const services = ['data-export'] as const;
    const { pairs, links } = (await KeyRing.load(dir, { services, create: false })).of(
      'data-export',
    );
    expect(pairs.keyFor('gateway', 'data-export')).toHaveLength(1);
    expect(links).toHaveLength(1);
  });

  it('are not made where they must be given', async () => {
    await expect(KeyRing.load(dir, { services: SERVICES, create: false })).rejects.toThrow(
      'gateway.gateway cannot be read',
    );
  });

  it('that are too short or malformed stop the start', async () => {
    await loadKeys(dir);
    const path = join(dir, 'link', 'data-export');
    const good = await readFile(path, 'utf8');
    await chmod(path, 0o600);
    for (const bad of ['', 'one two three\n', 'id c2hvcnQ\n', good.repeat(3)]) {
      await writeFile(path, bad);
      await expect(loadKeys(dir)).rejects.toThrow(`The key file ${path}`);
    }
    await writeFile(path, `new ${Buffer.alloc(32, 7).toString('base64url')}\n${good}`);
    const { links } = (await loadKeys(dir)).of('data-export');
    expect(links.map(({ id }) => id)).toEqual(['new', good.split(' ')[0]]);
  });
});
