import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/*
 * What the environment says of the lab: real engines that specs may use. `npm run lab` sets all of it; whoever has
 * engines of his own sets it by hand:
 *
 *   QUIRE_LAB           the engines by name and version, separated by commas, for the output of the tests:
 *                       `Kafka 4.4.0, MinIO 2026-02-12`. Without it no spec uses a real broker or a real store.
 *   KAFKA_BROKERS       host:port,…            unset: there is no Kafka in this lab
 *   S3_URL, S3_REGION, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY        S3_URL unset: there is no S3
 *   QUIRE_LAB_ENGINES   `programs` or `containers`: how engines are started. Read by the lab (default: containers where
 *                       a container engine answers), and set by it for specs that start, kill and wipe engines of their own.
 *   QUIRE_LAB_CACHE     where fetched programs are kept, by default ~/.cache/quire-lab
 */

export type Environment = Readonly<Record<string, string | undefined>>;

export const ENGINE_KINDS = ['programs', 'containers'] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

export interface KafkaAddress {
  /** Name and version, for people. */
  readonly engine: string;
  /** host:port */
  readonly brokers: readonly string[];
}

export interface S3Address {
  /** Name and version, for people. */
  readonly engine: string;
  readonly url: string;
  readonly region: string;
  /** Exists. */
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What a spec may use. Everything is absent when QUIRE_LAB is not set. */
export interface Lab {
  readonly kafka?: KafkaAddress;
  readonly s3?: S3Address;
  /** Set when specs may start engines of their own, which they need to kill one. */
  readonly engines?: EngineKind;
}

export const environment: Environment = process.env;

/** The lab that this process was started in. */
export const lab: Lab = readLab(environment);

export const cacheFolder = resolve(
  environment.QUIRE_LAB_CACHE || join(homedir(), '.cache', 'quire-lab'),
);

/** @throws Error when only a part of an S3 server is described */
export function readLab(env: Environment): Lab {
  const names = (env.QUIRE_LAB ?? '').split(',').map((name) => name.trim());
  if (names.join('') === '') return {};
  const kafkaName = names.find((name) => /^kafka\b/i.test(name));
  const engines = readEngineKind(env);
  return {
    ...(env.KAFKA_BROKERS && {
      kafka: { engine: kafkaName ?? 'Kafka', brokers: env.KAFKA_BROKERS.split(',') },
    }),
    ...(env.S3_URL && {
      s3: {
        engine: names.find((name) => name !== kafkaName) ?? 'S3',
        url: env.S3_URL,
        region: needed(env, 'S3_REGION'),
        bucket: needed(env, 'S3_BUCKET'),
        accessKeyId: needed(env, 'S3_ACCESS_KEY_ID'),
        secretAccessKey: needed(env, 'S3_SECRET_ACCESS_KEY'),
      },
    }),
    ...(engines && { engines }),
  };
}

/** The inverse of `readLab`: the settings of a command that is to run in this lab. */
export function labSettings({ kafka, s3, engines }: Lab): Record<string, string> {
  return {
    QUIRE_LAB: [kafka?.engine, s3?.engine].filter((name) => name !== undefined).join(', '),
    ...(engines && { QUIRE_LAB_ENGINES: engines }),
    ...(kafka && { KAFKA_BROKERS: kafka.brokers.join(',') }),
    ...(s3 && {
      S3_URL: s3.url,
      S3_REGION: s3.region,
      S3_BUCKET: s3.bucket,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    }),
  };
}

/** @throws Error for a word that is neither */
export function readEngineKind(env: Environment): EngineKind | undefined {
  const word = env.QUIRE_LAB_ENGINES ?? '';
  const kind = ENGINE_KINDS.find((one) => one === word);
  if (kind === undefined && word !== '')
    throw new Error(`QUIRE_LAB_ENGINES must be ${ENGINE_KINDS.join(' or ')}, not "${word}".`);
  return kind;
}

function needed(env: Environment, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`QUIRE_LAB and S3_URL are set, but ${name} is not.`);
  return value;
}
