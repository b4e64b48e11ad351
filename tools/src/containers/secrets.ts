import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SERVICES } from '@quire/contracts/scope';
import { keepsObjects } from '@quire/quire/combinations';
import { makeKeys } from '@quire/quire/keys';
import { stringify } from 'yaml';

/*
 * `npm run secrets [-- <folder>]`: every secret of an installation of separate processes, in ./secrets, which git ignores. A
 * folder for each container, with what it may know and nothing else: `quire keys`, and beside them logins of the stores.
 * docker-compose.yml mounts these folders; for a cluster they are written as Secrets into `kubernetes.yaml` too.
 *
 * What is there stays. So put your own values into the files (a PostgreSQL elsewhere, an S3 with keys of its own, a rotated
 * key) and run it again: only what is missing is made, and kubernetes.yaml follows the files.
 */
const NAMESPACE = 'quire';
const MANIFEST = 'kubernetes.yaml';

/** Nobody but the owner comes in; inside, the accounts of the containers can read what is mounted into them. */
const OUTER_MODE = 0o700;
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** Makes what is missing in the folder, and `kubernetes.yaml` anew. @returns number of secrets in it */
export async function makeSecrets(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, OUTER_MODE);
  await makeKeys([folder], {});
  await complete(folder, 'gateway/admin-password', () => random(18));
  // For a broker that wants logins; compose and the overlay to try have one that does not.
  for (const name of [...SERVICES, 'migrate', 'keda'])
    await complete(folder, `${name}/kafka-password`, () => random(30));
  await complete(folder, 'keda/kafka-username', () => 'quire-keda');
  for (const service of SERVICES.filter(keepsObjects)) {
    await complete(folder, `${service}/s3-access-key-id`, () => randomBytes(10).toString('hex'));
    await complete(folder, `${service}/s3-secret-access-key`, () => random(30));
  }
  await complete(folder, 'minio/root-user', () => randomBytes(10).toString('hex'));
  await complete(folder, 'minio/root-password', () => random(30));
  const password = await complete(folder, 'postgres/password', () => random(30));
  await complete(
    folder,
    'migrate/database-url',
    () => `postgres://postgres:${password}@postgres:5432/quire`,
  );
  const secrets = await readSecrets(folder);
  await writeFile(join(folder, MANIFEST), manifestOf(secrets), { mode: 0o600 });
  return [...secrets.values()].reduce((count, files) => count + files.size, 0);
}

/** Base64url needs no escape, neither in an address nor in a shell. */
function random(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

async function complete(folder: string, path: string, make: () => string): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, `${make()}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}

/** By container, by path in its folder. Makes them readable on the way. */
async function readSecrets(folder: string): Promise<Map<string, Map<string, string>>> {
  const secrets = new Map<string, Map<string, string>>();
  for (const { name, isFolder } of await entries(folder)) {
    if (isFolder) secrets.set(name, await readFolder(join(folder, name), ''));
  }
  return secrets;
}

async function readFolder(folder: string, prefix: string): Promise<Map<string, string>> {
  await chmod(folder, FOLDER_MODE);
  const files = new Map<string, string>();
  for (const { name, isFolder } of await entries(folder)) {
    const path = join(folder, name);
    if (isFolder) {
      for (const [inner, text] of await readFolder(path, `${prefix}${name}/`))
        files.set(inner, text);
    } else {
      await chmod(path, FILE_MODE);
      files.set(`${prefix}${name}`, await readFile(path, 'utf8'));
    }
  }
  return files;
}

async function entries(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  const found = await readdir(folder, { withFileTypes: true });
  return found
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Keys of a Secret know no folders: `pair/a.b` is `pair.a.b`, and the pod's volume gives it its path again. */
function manifestOf(secrets: ReadonlyMap<string, ReadonlyMap<string, string>>): string {
  const documents = [...secrets].map(([name, files]) =>
    stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace: NAMESPACE,
        labels: { 'app.kubernetes.io/part-of': 'quire' },
      },
      stringData: Object.fromEntries(
        [...files].map(([path, text]) => [path.replaceAll('/', '.'), text]),
      ),
    }),
  );
  return documents.join('---\n');
}

if (process.argv[1] === import.meta.filename) {
  const folder = resolve(process.argv[2] ?? 'secrets');
  const count = await makeSecrets(folder);
  process.stdout.write(`${count} files in ${folder}, and all of them in ${MANIFEST}\n`);
}
