import { Flag, Int, OneOf, Text } from '@quire/contracts/fields';

/*
 * Settings of the Kafka adapter, from the environment by `readSettings`; the initial values are the defaults. Only the
 * operator sets them, never a user of the API.
 */

const SASL = ['none', 'plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** Of a topic and of a group: letters, digits, dot, dash, underscore; with a dot at its end it reads well. */
const PREFIX = '^[a-zA-Z0-9._-]*$';
const BROKERS = '^[^\\s,:]+:[0-9]{1,5}(,[^\\s,:]+:[0-9]{1,5})*$';

export class KafkaSettings {
  /** `host:port,…`; absent: the one broker of {@link host} and {@link port}, as FOLIO names it. */
  @Text({ optional: true, pattern: BROKERS }) readonly brokers?: string;
  @Text({ min: 1 }) readonly host: string = 'localhost';
  @Int({ min: 1, max: 65_535 }) readonly port: number = 9092;
  /** Client ids are `<prefix>-<service>`: they show in the broker's log and quotas. */
  @Text({ pattern: '^[a-zA-Z0-9._-]{1,60}$' }) readonly clientIdPrefix: string = 'quire';
  /** Before the names of topics and groups, for clusters that several instances share. */
  @Text({ pattern: PREFIX, max: 60 }) readonly topicPrefix: string = '';
  /** Partitions of the topics of facts; also how many replicas of a service can share their work. */
  @Int({ min: 1, max: 1000 }) readonly partitions: number = 6;
  @Int({ min: 1, max: 1000 }) readonly workPartitions: number = 24;
  /** In production 3. */
  @Int({ min: 1, max: 9 }) readonly replicationFactor: number = 1;
  /** Replicas that must have a message before it counts; absent: one less than all, so that one may be away. */
  @Int({ min: 1, max: 9, optional: true }) readonly minInsyncReplicas?: number;
  @Int({ min: 1, max: 365 }) readonly retentionDays: number = 7;
  /** Of each partition. */
  @Int({ min: 1_048_576 }) readonly retentionBytes: number = 1_073_741_824;
  /** A consumer that says nothing for so long has its partitions given to others. */
  @Int({ min: 1000, max: 300_000 }) readonly sessionMs: number = 10_000;
  @Flag() readonly tls: boolean = false;
  /** Path of a PEM file; absent: the certificate authorities of the system. */
  @Text({ optional: true }) readonly tlsCaFile?: string;
  @OneOf(SASL) readonly saslMechanism: (typeof SASL)[number] = 'none';
  @Text({ optional: true }) readonly saslUsername?: string;
  @Text({ optional: true }) readonly saslPassword?: string;

  static readonly env = {
    brokers: 'KAFKA_BROKERS',
    host: 'KAFKA_HOST',
    port: 'KAFKA_PORT',
    clientIdPrefix: 'KAFKA_CLIENT_ID_PREFIX',
    topicPrefix: 'KAFKA_TOPIC_PREFIX',
    partitions: 'KAFKA_PARTITIONS',
    workPartitions: 'KAFKA_WORK_PARTITIONS',
    replicationFactor: 'REPLICATION_FACTOR',
    minInsyncReplicas: 'KAFKA_MIN_INSYNC_REPLICAS',
    retentionDays: 'KAFKA_RETENTION_DAYS',
    retentionBytes: 'KAFKA_RETENTION_BYTES',
    sessionMs: 'KAFKA_SESSION_MS',
    tls: 'KAFKA_TLS',
    tlsCaFile: 'KAFKA_TLS_CA_FILE',
    saslMechanism: 'KAFKA_SASL_MECHANISM',
    saslUsername: 'KAFKA_SASL_USERNAME',
    saslPassword: 'KAFKA_SASL_PASSWORD',
  };
}

/** What was given, over the defaults. */
export function kafkaSettings(given: Partial<KafkaSettings>): KafkaSettings {
  return Object.assign(new KafkaSettings(), given);
}

export function brokersOf({ brokers, host, port }: KafkaSettings): string[] {
  return brokers === undefined
    ? [`${host}:${port}`]
    : brokers.split(',').map((broker) => broker.trim());
}

export function minInsyncReplicasOf(settings: KafkaSettings): number {
  const { minInsyncReplicas, replicationFactor } = settings;
  return minInsyncReplicas ?? Math.max(1, replicationFactor - 1);
}
