import { calledBy } from '@quire/auth/keys';
import { SERVICES } from '@quire/contracts/scope';
import { keepsObjects } from '@quire/quire/combinations';
import { Manifests, render, renderer, selects, SETS } from './render.js';
import type { PolicyPeer, PolicyRule, Resource, Workload } from './render.js';

/*
 * Who may talk to whom, worked out from the policies of a set as a cluster does: a connection needs a rule of the one who
 * calls and a rule of the one who is called; a pod that no policy selects may do as it likes.
 */
const inSets = renderer
  ? describe.each(Object.entries(SETS))
  : describe.skip.each([['no set', '']]);

const expectedCalls = SERVICES.flatMap((from) =>
  calledBy(from)
    .filter((to) => to !== from)
    .map((to) => `${from} → ${to}:8081`),
);
const expectedOfStores = [...SERVICES, 'migrate', 'dead-letters'].flatMap((from) => [
  `${from} → postgres:5432`,
  `${from} → kafka:9092`,
]);
const expectedOfObjects = [...SERVICES.filter(keepsObjects), 'minio-init'].map(
  (from) => `${from} → minio:9000`,
);

inSets('%s (needs kustomize)', (set, folder) => {
  let manifests: Manifests;
  beforeAll(() => {
    manifests = new Manifests(render(folder));
  });

  function policiesOf({ labels }: Workload, type: 'Ingress' | 'Egress'): readonly Resource[] {
    return manifests
      .ofKind('NetworkPolicy')
      .filter(({ spec }) => spec?.policyTypes?.includes(type) && selects(spec.podSelector, labels));
  }

  function allows(rules: readonly PolicyRule[], other: Workload, port: number): boolean {
    const fits = (peer: PolicyPeer): boolean =>
      !peer.ipBlock && !peer.namespaceSelector && selects(peer.podSelector, other.labels);
    return rules.some(
      ({ from, to, ports = [] }) =>
        ports.some((one) => one.port === port) && (from ?? to ?? [{}]).some(fits),
    );
  }

  function mayCall(from: Workload, to: Workload, port: number): boolean {
    const out = policiesOf(from, 'Egress');
    const inward = policiesOf(to, 'Ingress');
    const leaves = allows(
      out.flatMap(({ spec }) => spec?.egress ?? []),
      to,
      port,
    );
    const enters = allows(
      inward.flatMap(({ spec }) => spec?.ingress ?? []),
      from,
      port,
    );
    return (out.length === 0 || leaves) && (inward.length === 0 || enters);
  }

  it('everything is forbidden before something is allowed', () => {
    const deny = manifests.find('NetworkPolicy', 'default-deny');
    expect(deny?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  it('pods reach those they call, and no others', () => {
    const { workloads } = manifests;
    const found = workloads.flatMap((from) =>
      workloads
        .filter((to) => to.name !== from.name)
        .flatMap((to) =>
          to.pod.containers
            .flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort))
            .filter((port) => mayCall(from, to, port) && port !== 8080)
            .map((port) => `${from.name} → ${to.name}:${port}`),
        ),
    );
    const stores = set === 'dev' ? [...expectedOfStores, ...expectedOfObjects] : [];
    expect(found.sort()).toEqual([...expectedCalls, ...stores].sort());
  });

  it('from outside there is a way to the door of the gateway and, for monitoring, to metrics', () => {
    const fromOutside = manifests
      .ofKind('NetworkPolicy')
      .flatMap(({ metadata, spec }) =>
        (spec?.ingress ?? [])
          .filter(({ from }) => !from || from.some(({ podSelector }) => !podSelector))
          .map(({ ports = [] }) => `${metadata.name}:${ports.map(({ port }) => port).join()}`),
      );
    expect(fromOutside.sort()).toEqual(['clients:8080', 'metrics:9090']);
    const clients = manifests.find('NetworkPolicy', 'clients')?.spec?.podSelector;
    const doors = manifests.workloads.filter(({ labels }) => selects(clients, labels));
    expect(doors.map(({ name }) => name)).toEqual(['gateway']);
  });

  it('only the gateway has an Ingress, and no Service opens a port of a node', () => {
    const types = manifests.ofKind('Service').map(({ spec }) => (spec as { type?: string }).type);
    expect(types.filter((type) => type !== undefined && type !== 'ClusterIP')).toEqual([]);
    expect(manifests.ofKind('Ingress').map(({ metadata }) => metadata.name)).toEqual(
      set.startsWith('production') ? ['gateway'] : [],
    );
  });
});
