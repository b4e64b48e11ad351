import { spawnSync } from 'node:child_process';
import { environment } from '@quire/testing/lab/config';
import { kedaModels, kubernetesValidate } from './checkers.js';
import { documentsOf, render, renderer, SETS } from './render.js';

/*
 * Every set renders, and Kubernetes would take it: by its own schemas, unknown fields refused. KEDA's resources are checked
 * by schemas made from its sources; these let unknown fields pass, so our rules name those we use.
 */
const withSchemas = renderer && kubernetesValidate ? describe : describe.skip;
const withKeda = renderer && kedaModels ? describe : describe.skip;
const sets = Object.entries(SETS);

/** The oldest with its sidecar rules settled, and the newest that has schemas. */
const KUBERNETES = ['1.30', '1.37'];

function validate(yaml: string, version: string): { readonly ok: boolean; readonly said: string } {
  const args = ['-m', 'kubernetes_validate', '--strict', '--quiet', '-k', version, '-'];
  const { status, stdout, stderr } = spawnSync('python3', args, {
    input: yaml,
    env: { ...environment, PYTHONPATH: kubernetesValidate },
    encoding: 'utf8',
  });
  return { ok: status === 0, said: `${stdout}${stderr}`.trim() };
}

function documents(yaml: string): { kind: string; isKeda: boolean; text: string }[] {
  return documentsOf(yaml).map((document) => ({
    kind: String(document.get('kind')),
    isKeda: String(document.get('apiVersion')).startsWith('keda.sh/'),
    text: String(document),
  }));
}

withSchemas('by the schemas of Kubernetes (needs kustomize and kubernetes-validate)', () => {
  const cases = sets.flatMap(([name, folder]) =>
    KUBERNETES.map((version) => [name, version, folder] as const),
  );

  it.each(cases)('the set %s is valid in Kubernetes %s', (_, version, folder) => {
    const native = documents(render(folder)).filter(({ isKeda }) => !isKeda);
    expect(native.length).toBeGreaterThan(20);
    const yaml = native.map(({ text }) => text).join('---\n');
    expect(validate(yaml, version)).toEqual({ ok: true, said: '' });
  });

  it.each([
    ['a field that does not exist', 'replicas: 2', 'replicas: 2\n  replicaz: 2'],
    ['a number that is a text', 'replicas: 2', 'replicas: two'],
    ['a kind that does not exist', 'kind: Deployment', 'kind: Deploymint'],
  ])('%s is found', (_, right, wrong) => {
    const yaml = documents(render(SETS.base)).find(({ kind }) => kind === 'Deployment')?.text ?? '';
    const broken = yaml.replace(right, wrong);
    expect(broken).not.toBe(yaml);
    expect(validate(broken, '1.37').said).not.toBe('');
  });
});

withKeda("by the schema of KEDA's resources (needs kustomize and the models of KEDA)", () => {
  const ofKeda = (): { kind: string; text: string }[] =>
    documents(render(SETS['production with the KEDA component'])).filter(({ isKeda }) => isKeda);

  const problemsOf = ({ kind, text }: { kind: string; text: string }): string => {
    const program = `
      import { ${kind} } from '${kedaModels ?? ''}/keda.sh/v1alpha1/${kind}.js';
      const chunks = [];
      for await (const chunk of process.stdin) chunks.push(chunk);
      try { new ${kind}(JSON.parse(chunks.join(''))).validate(); } catch ({ message }) { process.stdout.write(message); }`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', program],
      { input: JSON.stringify(documentsOf(text)[0]), env: environment, encoding: 'utf8' },
    );
    return status === 0 ? stdout : stderr;
  };

  it('a ScaledObject for each worker and the login at the broker are valid', () => {
    const found = ofKeda();
    expect(found.map(({ kind }) => kind).sort()).toEqual([
      ...['ScaledObject', 'ScaledObject', 'ScaledObject', 'TriggerAuthentication'],
    ]);
    expect(found.map(problemsOf)).toEqual(['', '', '', '']);
  });

  it('one that is wrong is found', () => {
    const [scaled] = ofKeda().filter(({ kind }) => kind === 'ScaledObject');
    const text = scaled?.text.replace(/minReplicaCount: \d+/, 'minReplicaCount: two') ?? '';
    expect(problemsOf({ kind: 'ScaledObject', text })).toMatch(/minReplicaCount must be integer/);
  });
});
