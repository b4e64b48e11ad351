import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * k8s/overlays/dev/minio-init.sh with no other programs than the image of MinIO is known to have: a shell, `cat`, `sleep` and
 * its client `mc`, in whose place a few lines remember what is attached.
 */
const SCRIPT = fileURLToPath(new URL('../../../k8s/overlays/dev/minio-init.sh', import.meta.url));
const SERVICES = ['data-export', 'data-import', 'source-record-storage'];
const MC = `#!/bin/sh
case "$*" in
  "admin policy entities store --user "*) cat "$MEMORY/$6" 2> /dev/null || true ;;
  "admin policy attach store "*) echo "$5" >> "$MEMORY/$7" ;;
esac
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-minio-init-'));
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'mc'), MC);
  await chmod(join(folder, 'bin', 'mc'), 0o755);
  for (const program of ['cat', 'sleep'])
    await symlink(`/bin/${program}`, join(folder, 'bin', program));
  for (const name of ['minio', ...SERVICES]) {
    await mkdir(join(folder, 'keys', name), { recursive: true });
    for (const file of ['root-user', 'root-password', 's3-access-key-id', 's3-secret-access-key'])
      await writeFile(join(folder, 'keys', name, file), `${file}-of-${name}\n`);
  }
  await mkdir(join(folder, 'memory'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(): { readonly status: number | null; readonly said: string } {
  const { status, stderr } = spawnSync('/bin/sh', [SCRIPT], {
    env: {
      PATH: join(folder, 'bin'),
      MEMORY: join(folder, 'memory'),
      KEYS_DIR: join(folder, 'keys'),
      TMPDIR: folder,
      S3_URL: 'http://minio:9000',
      S3_BUCKET: 'quire',
    },
    encoding: 'utf8',
  });
  return { status, said: stderr };
}

describe('minio-init.sh', () => {
  it('gives each service its policy, once, however often it runs', async () => {
    expect(run()).toEqual({ status: 0, said: '' });
    expect(run()).toEqual({ status: 0, said: '' });
    for (const service of SERVICES) {
      const attached = await readFile(join(folder, 'memory', `s3-access-key-id-of-${service}`));
      expect(attached.toString()).toBe(`quire-${service}\n`);
    }
  });
});
