import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ROUTES } from '@quire/contracts/routes';
import { GIVEN_UP_REASONS } from '@quire/messaging/event-bus';
import { Metrics } from '@quire/service/metrics';
import { Manifests, render, renderer, SETS } from './kubernetes/render.js';

/** What docs/operations.md tells an operator to watch and to run is there. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const page = read('docs/operations.md');
const section = (title: string): string =>
  page.split(/^## /m).find((one) => one.startsWith(title)) ?? '';

/** They take a body of any kind, and read none. */
const ANY_BODY = ['/data-export/expire-jobs', '/data-export/clean-up-files'];

const unnumbered = (set: Manifests): string[] =>
  set
    .ofKind('Deployment')
    .filter(({ spec }) => spec?.replicas === undefined)
    .map(({ metadata }) => metadata.name);

describe('docs/operations.md', () => {
  it('raises alarms by metrics that a process has, and by all of ours', async () => {
    const kept = (await new Metrics().registry.getMetricsAsJSON()).map(({ name }) => name);
    const named = section('Alarms').match(/\b(?:quire|nodejs|process)_[a-z0-9_]+/g) ?? [];
    expect(named.length).toBeGreaterThan(5);
    const plain = named.map((name) => name.replace(/_seconds_(count|bucket|sum)$/, '_seconds'));
    expect(plain.filter((name) => !kept.includes(name))).toEqual([]);
    const ours = kept.filter((name) => name.startsWith('quire_'));
    expect(ours.filter((name) => !plain.includes(name))).toEqual([]);
  });

  it('leaves routes of whole files out of the alarm for slow ones, and each of them exists', () => {
    const [, left = ''] = /```\n(\/data-export\/\S+)\n```/.exec(section('Alarms')) ?? [];
    const paths = ROUTES.map(({ path }) => path);
    const matching = (pattern: string): string[] =>
      paths.filter((path) => new RegExp(`^(?:${pattern})$`).test(path));
    expect(left.split('|').filter((one) => matching(one).length === 0)).toEqual([]);
    const files = ROUTES.filter(
      ({ path, upload }) =>
        /\/(stream|files)\/|\.(csv|mrc)$/.test(path) || (upload && !ANY_BODY.includes(path)),
    );
    const missed = files.filter(({ path }) => !matching(left).includes(path));
    expect(missed.map(({ path }) => path)).toEqual([]);
    expect(matching(left).length).toBeLessThan(paths.length / 5);
  });

  it('raises alarms by lines that a log can have', () => {
    const lines = [...section('Alarms').matchAll(/^\| `([a-z][a-z ]+)` \|/gm)].map(
      ([, line]) => line,
    );
    expect(lines.length).toBeGreaterThan(3);
    const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root })
      .filter((file) => !file.endsWith('.spec.ts'))
      .map((file) => read(file))
      .join('\n');
    expect(lines.filter((line) => !sources.includes(`'${line ?? ''}'`))).toEqual([]);
  });

  it('says of every reason for a dead letter what it means, and of no other', () => {
    const rows = section('Dead letters').match(/^\| `[A-Z_]+`[^|]*\|/gm) ?? [];
    const told = rows.join().match(/[A-Z_]{2,}/g);
    expect(told?.sort()).toEqual([...GIVEN_UP_REASONS].sort());
  });

  it('names files and npm scripts that there are', () => {
    const paths = page.match(/\b(?:k8s|docs)\/[a-z0-9./-]*[a-z0-9]/g) ?? [];
    expect(paths.length).toBeGreaterThan(8);
    expect(paths.filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const commands = [...page.matchAll(/\bnpm run ([a-z-]+)/g)].map(([, name]) => name ?? '');
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('starts after a restore what has no number of replicas, and stops who counts them before', () => {
    if (!renderer) return;
    const restore = section('Backup and restore');
    const started =
      /^ *kubectl .*scale deployment (\S+) --replicas=2 +# with KEDA also (.+)$/m.exec(restore);
    const [, always, withKeda = ''] = started ?? [];
    const plain = new Manifests(render(SETS.production));
    const keda = new Manifests(render(SETS['production with the KEDA component']));
    expect([always]).toEqual(unnumbered(plain));
    expect([always, ...withKeda.split(' ')].sort()).toEqual(unnumbered(keda).sort());
    for (const { metadata } of plain.ofKind('HorizontalPodAutoscaler'))
      expect(restore).toContain(`delete hpa ${metadata.name} `);
    expect(restore).toContain('delete scaledobject --all ');
  });

  it('has a part for each step of an operator', () => {
    const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(titles).toEqual(
      expect.arrayContaining([
        'Containers on one machine',
        'A cluster, from nothing',
        'Upgrades',
        'Backup and restore',
        'Scaling',
        'Alarms',
        'Secrets and their rotation',
      ]),
    );
  });
});
