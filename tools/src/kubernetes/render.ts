import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { environment } from '@quire/testing/lab/config';
import { parseAllDocuments, type Document } from 'yaml';
import { kustomize } from './checkers.js';

/*
 * What kustomize makes of our folders, as objects. With the kustomize of the lab's cache, else with the one inside kubectl,
 * where that is installed: the two were seen to write the same bytes.
 */
export const SETS = {
  base: 'k8s/base',
  dev: 'k8s/overlays/dev',
  production: 'k8s/overlays/production',
  /** Components render only on top of something. */
  'production with the KEDA component': 'k8s/overlays/production-keda',
} as const;

const root = fileURLToPath(new URL('../../..', import.meta.url));
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** A program and its arguments; undefined where there is none. */
export const renderer: readonly [string, ...string[]] | undefined = kustomize
  ? [kustomize, 'build']
  : hasKubectl()
    ? ['kubectl', 'kustomize']
    : undefined;

function hasKubectl(): boolean {
  return spawnSync('kubectl', ['kustomize', '--help'], { env: environment }).status === 0;
}

const rendered = new Map<string, string>();

/** The YAML of a set. @param folder in the checkout, or absolute */
export function render(folder: string): string {
  const yaml = rendered.get(folder) ?? run(folder);
  rendered.set(folder, yaml);
  return yaml;
}

function run(folder: string): string {
  if (!renderer) throw new Error('There is neither kustomize nor kubectl.');
  const [program, ...args] = renderer;
  return execFileSync(program, [...args, folder], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** So much of a resource as our rules look at; its schema is checked elsewhere. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
  };
  readonly automountServiceAccountToken?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Spec;
}

export type Labels = Readonly<Record<string, string>>;

export interface Spec {
  readonly replicas?: number;
  readonly template?: { readonly metadata: { readonly labels?: Labels }; readonly spec: PodSpec };
  /** Of a CronJob. */
  readonly jobTemplate?: { readonly spec: Pick<Spec, 'template'> };
  readonly suspend?: boolean;
  readonly selector?: { readonly matchLabels?: Labels } & Readonly<Record<string, unknown>>;
  readonly podSelector?: PodSelector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
  readonly scaleTargetRef?: { readonly name: string };
  readonly maxReplicas?: number;
  readonly maxReplicaCount?: number;
  readonly triggers?: readonly {
    readonly type: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  readonly secretTargetRef?: readonly { readonly name: string; readonly key: string }[];
  readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[];
  readonly rules?: readonly { readonly http: { readonly paths: readonly IngressPath[] } }[];
}

interface IngressPath {
  readonly backend: {
    readonly service: { readonly name: string; readonly port: { readonly name: string } };
  };
}

export interface PodSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

export interface PolicyRule {
  readonly from?: readonly PolicyPeer[];
  readonly to?: readonly PolicyPeer[];
  readonly ports?: readonly { readonly port: number }[];
}

export interface PolicyPeer {
  readonly podSelector?: PodSelector;
  readonly namespaceSelector?: PodSelector;
  readonly ipBlock?: { readonly cidr: string };
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly hostNetwork?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: SecurityContext;
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string }[];
  readonly initContainers?: readonly Container[];
  readonly containers: readonly [Container, ...Container[]];
  readonly volumes?: readonly Volume[];
}

export interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly seccompProfile?: { readonly type: string };
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext?: SecurityContext;
  readonly resources?: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>;
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
  readonly exec?: { readonly command: readonly string[] };
  readonly tcpSocket?: { readonly port: string | number };
  readonly periodSeconds?: number;
  readonly failureThreshold?: number;
}

export interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly items?: readonly VolumeItem[] };
  readonly configMap?: { readonly name: string };
  readonly emptyDir?: { readonly sizeLimit?: string };
  readonly projected?: {
    readonly sources: readonly {
      readonly secret: { readonly name: string; readonly items?: readonly VolumeItem[] };
    }[];
  };
}

export interface VolumeItem {
  readonly key: string;
  readonly path: string;
}

/** @throws YAMLParseError */
export function documentsOf(yaml: string): readonly Document[] {
  const documents = parseAllDocuments(yaml);
  if ('empty' in documents) return [];
  for (const { errors } of documents) for (const error of errors) throw error;
  return documents;
}

/** One set, with the questions that the rules ask. */
export class Manifests {
  readonly resources: readonly Resource[];

  constructor(yaml: string) {
    this.resources = documentsOf(yaml).map((document) => document.toJS() as Resource);
  }

  ofKind(kind: string): readonly Resource[] {
    return this.resources.filter((one) => one.kind === kind);
  }

  find(kind: string, name: string): Resource | undefined {
    return this.resources.find((one) => one.kind === kind && one.metadata.name === name);
  }

  /** Whatever makes pods. */
  get workloads(): readonly Workload[] {
    return this.resources.flatMap((resource) => {
      const { kind, metadata, spec } = resource;
      const { template } = spec?.jobTemplate?.spec ?? spec ?? {};
      if (!template) return [];
      const labels = template.metadata.labels ?? {};
      return [{ kind, name: metadata.name, labels, spec, pod: template.spec }];
    });
  }

  /** Those whose image is ours. */
  get ours(): readonly Workload[] {
    return this.workloads.filter(({ pod }) => pod.containers.some(isOurs));
  }

  /** Settings as the container has them. What is a file in a Secret has its path for a value. */
  environmentOf(container: Container): Record<string, string> {
    const maps = (container.envFrom ?? []).map(({ configMapRef }) => {
      const found = this.find('ConfigMap', configMapRef.name);
      if (!found) throw new Error(`There is no ConfigMap ${configMapRef.name}.`);
      return found.data ?? {};
    });
    const own = (container.env ?? []).map(({ name, value }) => [name, value ?? '']);
    return Object.assign({}, ...maps, Object.fromEntries(own)) as Record<string, string>;
  }
}

export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly labels: Labels;
  readonly spec: Spec | undefined;
  readonly pod: PodSpec;
}

export function isOurs({ image }: Container): boolean {
  return /(^|\/)quire:/.test(image);
}

export function containersOf({ pod }: Workload): readonly Container[] {
  return [...(pod.initContainers ?? []), ...pod.containers];
}

export function selects(selector: PodSelector | undefined, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}
