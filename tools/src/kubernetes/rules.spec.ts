import { readFileSync } from 'node:fs';
import { TOPICS } from '@quire/contracts/catalogue';
import { SERVICES } from '@quire/contracts/scope';
import { openOperations } from '@quire/service/operations';
import { Metrics } from '@quire/service/metrics';
import {
  containersOf,
  isOurs,
  Manifests,
  render,
  renderer,
  selects,
  SETS,
  type Container,
  type Resource,
  type Workload,
} from './render.js';

/*
 * Our own rules for what runs in a cluster: what the schemas of Kubernetes cannot know (reliability and security, sections 15
 * and 16).
 */
const rules = renderer ? describe.each(Object.entries(SETS)) : describe.skip.each([['no set', '']]);

const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string };
/** The watchdog's 28 s (apps/quire/src/start.ts), in which a process has ended by itself or by force. */
const WATCHDOG_S = 28;
/** For so long docs/operations.md lets `kubectl wait` wait for the migration. */
const MIGRATION_S = 30 * 60;
/** Of a worker topic (reliability, section 5). More consumers than partitions have nothing to do. */
const WORK_PARTITIONS = 24;
const SCALED_OBJECT_FIELDS = [
  'scaleTargetRef',
  'minReplicaCount',
  'maxReplicaCount',
  'pollingInterval',
  'cooldownPeriod',
  'triggers',
];

rules('%s (needs kustomize)', (set, folder) => {
  let manifests: Manifests;

  beforeAll(() => {
    manifests = new Manifests(render(folder));
  });

  /** What breaks a rule, by name; a rule that looks at nothing has not held. */
  function broken<T>(all: readonly T[], nameOf: (one: T) => string, holds: (one: T) => boolean) {
    expect(all.length).toBeGreaterThan(0);
    return all.filter((one) => !holds(one)).map(nameOf);
  }
  const everyContainer = (): (readonly [Workload, Container])[] =>
    manifests.workloads.flatMap((workload) =>
      containersOf(workload).map((container) => [workload, container] as const),
    );
  const nameOf = (one: Resource | Workload): string =>
    'metadata' in one ? `${one.kind} ${one.metadata.name}` : `${one.kind} ${one.name}`;
  const nameOfContainer = ([workload, { name }]: readonly [Workload, Container]): string =>
    `${nameOf(workload)} ${name}`;
  const deployments = (): readonly Workload[] =>
    manifests.ours.filter(({ kind }) => kind === 'Deployment');

  it('there is a Deployment for every service, and the migration', () => {
    expect(deployments().map(({ name }) => name)).toEqual([...SERVICES].sort());
    expect(manifests.find('Job', 'migrate')).toBeDefined();
  });

  it('everything but the namespace lies in the namespace', () => {
    const inside = manifests.resources.filter(({ kind }) => kind !== 'Namespace');
    expect(broken(inside, nameOf, ({ metadata }) => metadata.namespace === 'quire')).toEqual([]);
  });

  it('nobody looks at dead letters before an operator asks for it, and then for an hour', () => {
    const look = manifests.find('CronJob', 'dead-letters')?.spec;
    expect(look).toMatchObject({
      suspend: true,
      jobTemplate: { spec: { backoffLimit: 0, activeDeadlineSeconds: 3600 } },
    });
  });

  it('every image has a tag, ours that of this release', () => {
    const tagOf = (image: string): string => /:([^:/]+)$/.exec(image)?.[1] ?? '';
    const holds = ([, container]: readonly [Workload, Container]): boolean => {
      const tag = tagOf(container.image);
      return isOurs(container) ? tag === version : tag !== '' && tag !== 'latest';
    };
    expect(broken(everyContainer(), nameOfContainer, holds)).toEqual([]);
  });

  it('no container is root, gains rights or keeps capabilities', () => {
    const holds = ([{ pod }, { securityContext: own }]: readonly [Workload, Container]): boolean =>
      pod.securityContext?.runAsNonRoot === true &&
      (pod.securityContext.runAsUser ?? 0) > 0 &&
      pod.securityContext.seccompProfile?.type === 'RuntimeDefault' &&
      pod.hostNetwork !== true &&
      own?.runAsNonRoot !== false &&
      own?.allowPrivilegeEscalation === false &&
      own.capabilities?.drop?.join() === 'ALL' &&
      own.capabilities.add === undefined;
    expect(broken(everyContainer(), nameOfContainer, holds)).toEqual([]);
  });

  it('none of our containers can write anywhere', () => {
    const ours = everyContainer().filter(([, container]) => isOurs(container));
    const holds = ([{ pod }, { securityContext }]: readonly [Workload, Container]): boolean =>
      securityContext?.readOnlyRootFilesystem === true &&
      (pod.volumes ?? []).every(({ secret, projected }) => secret ?? projected);
    expect(broken(ours, nameOfContainer, holds)).toEqual([]);
  });

  it('no pod has a token of the cluster', () => {
    const accounts = manifests.ofKind('ServiceAccount');
    const holdsToken = (one: Resource): boolean => one.automountServiceAccountToken === false;
    expect(broken(accounts, nameOf, holdsToken)).toEqual([]);
    const without = (one: Workload): boolean => one.pod.automountServiceAccountToken === false;
    expect(broken(manifests.workloads, nameOf, without)).toEqual([]);
    const itsOwn = ({ name, pod }: Workload): boolean => pod.serviceAccountName === name;
    expect(broken(manifests.ours, nameOf, itsOwn)).toEqual([]);
  });

  it('every container asks for CPU and memory and has limits of both', () => {
    const holds = ([, { resources }]: readonly [Workload, Container]): boolean =>
      [resources?.requests, resources?.limits].every((one) => one?.['cpu'] && one['memory']);
    expect(broken(everyContainer(), nameOfContainer, holds)).toEqual([]);
  });

  it('three probes of each service ask what the operations port answers', async () => {
    const metrics = new Metrics();
    const health = new Map();
    const waitsFor = (): undefined => undefined;
    const options = { host: '127.0.0.1', port: 0, metrics, services: [], health, waitsFor };
    const operations = await openOperations(options);
    try {
      for (const { pod } of deployments()) {
        const [{ startupProbe, livenessProbe, readinessProbe, ports = [] }] = pod.containers;
        const probes = { startup: startupProbe, live: livenessProbe, ready: readinessProbe };
        for (const [name, probe] of Object.entries(probes)) {
          const { path = '', port } = probe?.httpGet ?? {};
          expect(path).toBe(`/health/${name}`);
          expect((await fetch(`${operations.url}${path}`)).status).toBe(200);
          expect(ports.find((one) => one.name === port)?.containerPort).toBe(9090);
        }
      }
    } finally {
      await operations.close();
    }
  });

  it('a service that waits for its migrations is not killed while they may run', () => {
    const holds = ({ pod }: Workload): boolean => {
      const { periodSeconds = 10, failureThreshold = 3 } = pod.containers[0].startupProbe ?? {};
      return periodSeconds * failureThreshold >= MIGRATION_S;
    };
    expect(broken(deployments(), nameOf, holds)).toEqual([]);
  });

  it('every service has the time to stop: the pause before it and the watchdog', () => {
    const holds = ({ pod }: Workload): boolean => {
      const [, seconds = '0'] = pod.containers[0].lifecycle?.preStop.exec.command ?? [];
      const wanted = WATCHDOG_S + Number(seconds);
      return seconds === '5' && (pod.terminationGracePeriodSeconds ?? 0) > wanted;
    };
    expect(broken(deployments(), nameOf, holds)).toEqual([]);
  });

  it('a drained node takes one pod of a service at a time, and they are spread', () => {
    const budgets = manifests.ofKind('PodDisruptionBudget');
    const holds = ({ labels, pod }: Workload): boolean =>
      budgets.filter(({ spec }) => selects(spec?.selector, labels)).length === 1 &&
      (pod.topologySpreadConstraints ?? []).map(({ topologyKey }) => topologyKey).join() ===
        'kubernetes.io/hostname,topology.kubernetes.io/zone';
    expect(broken(deployments(), nameOf, holds)).toEqual([]);
  });

  it('what the cluster counts replicas of has no number of its own', () => {
    const scalers = [
      ...manifests.ofKind('HorizontalPodAutoscaler'),
      ...manifests.ofKind('ScaledObject'),
    ].map(({ spec }) => spec?.scaleTargetRef?.name);
    expect(new Set(scalers).size).toBe(scalers.length);
    for (const name of scalers) {
      const target = manifests.find('Deployment', name ?? '');
      expect({ name, replicas: target?.spec?.replicas, there: target !== undefined }).toEqual({
        name,
        replicas: undefined,
        there: true,
      });
    }
  });

  it('everything but the services can be applied before them, and nothing then counts replicas that are not there', () => {
    const before = manifests.resources.filter(
      ({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] !== 'service',
    );
    const there = before.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(there).toContain('Job migrate');
    expect(there.filter((one) => /^(Deployment|HorizontalPod|ScaledObject)/.test(one))).toEqual([]);
  });

  it('a ScaledObject follows a topic and a group that exist, with fields that KEDA knows', () => {
    const triggers = manifests
      .ofKind('ScaledObject')
      .flatMap(({ metadata, spec }) =>
        (spec?.triggers ?? []).map((one) => [metadata.name, one] as const),
      );
    for (const { spec } of manifests.ofKind('ScaledObject')) {
      expect(Object.keys(spec ?? {}).filter((key) => !SCALED_OBJECT_FIELDS.includes(key))).toEqual(
        [],
      );
      expect(spec?.maxReplicaCount).toBeLessThanOrEqual(WORK_PARTITIONS);
    }
    for (const [service, { type, metadata }] of triggers) {
      if (type !== 'kafka') continue;
      expect(metadata['consumerGroup']).toBe(service);
      expect(TOPICS).toContain(metadata['topic']);
      const pod = manifests.workloads.find(({ name }) => name === service)?.pod;
      const env = manifests.environmentOf(pod?.containers[0] as Container);
      expect(Object.keys(env)).toContain(metadata['bootstrapServersFromEnv'] ?? 'no name');
    }
  });

  it('what speaks to stores elsewhere does so by TLS', () => {
    if (!set.startsWith('production')) return;
    const holds = ({ pod }: Workload): boolean => {
      const env = manifests.environmentOf(pod.containers[0]);
      return (
        /\?sslmode=verify-full$/.test(env['DATABASE_URL'] ?? '') &&
        env['KAFKA_TLS'] === 'true' &&
        /^https:/.test(env['S3_URL'] ?? '')
      );
    };
    expect(broken(manifests.ours, nameOf, holds)).toEqual([]);
  });

  it('every ConfigMap, Service and port that something names exists', () => {
    for (const workload of manifests.workloads) {
      for (const container of containersOf(workload)) manifests.environmentOf(container);
      for (const { configMap } of workload.pod.volumes ?? []) {
        if (configMap) expect(manifests.find('ConfigMap', configMap.name)).toBeDefined();
      }
    }
    for (const { metadata, spec } of manifests.ofKind('Service')) {
      const pods = manifests.workloads.filter(({ labels }) =>
        selects({ matchLabels: spec?.selector as Record<string, string> }, labels),
      );
      expect([metadata.name, pods.map(({ name }) => name)]).toEqual([
        metadata.name,
        [metadata.name],
      ]);
      const named = pods.flatMap(({ pod }) => pod.containers.flatMap(({ ports = [] }) => ports));
      for (const { targetPort } of spec?.ports ?? [])
        expect(named.map(({ name }) => name)).toContain(targetPort);
    }
    for (const { spec } of manifests.ofKind('Ingress')) {
      const [path] = spec?.rules?.[0]?.http.paths ?? [];
      expect(path?.backend.service).toEqual({ name: 'gateway', port: { name: 'http' } });
    }
  });
});
