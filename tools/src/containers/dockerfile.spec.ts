import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { openOperations } from '@quire/service/operations';
import { Metrics } from '@quire/service/metrics';
import { hadolint } from '../kubernetes/checkers.js';

/** The image of all services: its Dockerfile by our rules and, where it was fetched, by a linter; and what it leaves out. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const dockerfile = readFileSync(`${root}Dockerfile`, 'utf8');
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
/** Instructions with their continued lines in one. */
const instructions = dockerfile
  .replaceAll(/^\s*#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '');
const lastStage = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM')));

describe('the Dockerfile', () => {
  it('stands on the Node that package.json pins, slim, in every stage', () => {
    expect(instructions[0]).toBe(
      `ARG NODE=node:${manifest.devDependencies['node'] ?? ''}-trixie-slim`,
    );
    const stages = instructions.filter((line) => line.startsWith('FROM'));
    expect(stages.length).toBeGreaterThan(2);
    for (const stage of stages) expect(stage).toMatch(/^FROM \$\{NODE\}( AS [a-z]+)?$/);
  });

  it('runs as no account of the image, with a signal that stops it and nothing built in it', () => {
    expect(lastStage).toContain('USER 10001:10001');
    expect(lastStage).toContain('STOPSIGNAL SIGTERM');
    expect(lastStage).toContain('EXPOSE 8080 8081 9090');
    expect(lastStage.filter((line) => /^(RUN|ADD|VOLUME)\b/.test(line))).toEqual([]);
    expect(lastStage.filter((line) => line.startsWith('COPY'))).toEqual([
      'COPY --from=runtime /quire .',
    ]);
  });

  it('starts the program without a shell, so that it gets the signal', () => {
    const entry = lastStage.find((line) => line.startsWith('ENTRYPOINT'))?.slice(11) ?? '';
    const [program, ...args] = JSON.parse(entry) as string[];
    expect([program, args.at(-1)]).toEqual(['node', 'apps/quire/dist/src/main.js']);
  });

  it('installs by the lock file, without install scripts and without what is optional', () => {
    const installs = instructions.filter((line) => line.includes('npm '));
    expect(installs).toHaveLength(2);
    for (const line of installs) {
      expect(line).toMatch(/npm ci --ignore-scripts .*--omit=optional/);
    }
    expect(installs[1]).toContain('--omit=dev');
  });

  it('has a health check that passes while the process lives and fails when nothing answers', async () => {
    const check = lastStage.find((line) => line.startsWith('HEALTHCHECK')) ?? '';
    const [, , script = ''] = JSON.parse(/CMD (\[.*\])$/.exec(check)?.[1] ?? '') as string[];
    const metrics = new Metrics();
    const options = { metrics, services: [], health: new Map(), waitsFor: () => undefined };
    const operations = await openOperations({ host: '127.0.0.1', port: 0, ...options });
    const { port } = new URL(operations.url);
    const exitOf = async (): Promise<unknown> => {
      const child = spawn(process.execPath, ['-e', script], {
        env: { QUIRE_OPERATIONS_PORT: port },
      });
      const [code] = (await once(child, 'exit')) as unknown[];
      return code;
    };
    expect(await exitOf()).toBe(0);
    await operations.close();
    expect(await exitOf()).toBe(1);
  });

  const withLinter = hadolint ? it : it.skip;
  withLinter('has nothing to be said against by hadolint', () => {
    const { stdout } = spawnSync(hadolint ?? '', ['--no-color', `${root}Dockerfile`], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});

describe('what is left out of the image', () => {
  const LEFT_OUT = ['apps/e2e/', 'libs/testing/', 'tools/'];
  const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.spec.ts') && !LEFT_OUT.some((folder) => file.startsWith(folder)),
  );
  /** Packages that the file loads at run time: imports of types leave no trace. */
  const imports = (file: string): string[] => {
    const text = readFileSync(`${root}${file}`, 'utf8');
    const found = text.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from '([^'.][^']*)'/gms);
    const inside = text.matchAll(/\bimport\('([^'.][^']*)'\)|\bresolve\('([^'.][^']*)'\)/g);
    return [...found, ...inside].map(([, one, other]) => one ?? other ?? '');
  };
  const packageOf = (name: string): string =>
    name
      .split('/')
      .slice(0, name.startsWith('@') ? 2 : 1)
      .join('/');

  it('nothing that runs needs a package for development', () => {
    expect(files.length).toBeGreaterThan(200);
    const foreign = files
      .flatMap((file) => imports(file).map((name) => [file, packageOf(name)] as const))
      .filter(([, name]) => !isBuiltin(name) && !name.startsWith('@quire/'));
    expect(foreign.length).toBeGreaterThan(100);
    expect(foreign.filter(([, name]) => !(name in manifest.dependencies))).toEqual([]);
  });

  it('nothing that runs imports a project that is left out', () => {
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter((name) => /^@quire\/(testing|e2e|tools)\b/.test(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('the folders that do not go into the build are those that no build needs', () => {
    const ignored = readFileSync(`${root}.dockerignore`, 'utf8').split('\n');
    for (const name of ['.git', '**/node_modules', '**/dist', '.quire', 'secrets'])
      expect(ignored).toContain(name);
    for (const name of ['apps', 'libs', 'tools', 'package-lock.json', 'tsconfig.base.json'])
      expect(ignored).not.toContain(name);
  });
});
