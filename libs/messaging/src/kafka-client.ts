import { readFileSync } from 'node:fs';
import kafkajs, { type Kafka, type KafkaConfig, type SASLOptions } from 'kafkajs';
import { brokersOf, type KafkaSettings } from './kafka-settings.js';
import type { KafkaSockets } from './kafka-sockets.js';

/**
 * Clients of the broker. Two kinds: one that bridges a short absence of the broker by itself, and one that gives up at
 * once, for questions that somebody waits for. kafkajs honours `retries` only here, not on producers and consumers.
 */
const CONNECTION_MS = 1000;
const REQUEST_MS = 5000;
/**
 * 0.25 s, then doubling up to 1 s: four more tries are about 3 s, and below 30 s with a broker that takes requests and never
 * answers them. After that we try again ourselves, so that a client that was closed while the broker was away lets its
 * process end.
 */
const RETRY = { initialRetryTime: 250, maxRetryTime: 1000, retries: 4 };
const ONCE = { initialRetryTime: 100, maxRetryTime: 100, retries: 0 };

export interface KafkaClientOptions {
  /** Bridges a short absence of the broker; else it gives up at once. */
  readonly patient?: boolean;
  /** Whether a consumer that crashed may start again by itself. */
  readonly restart?: () => boolean;
  readonly sockets?: KafkaSockets;
}

export function kafkaClient(
  settings: KafkaSettings,
  name: string,
  { patient = true, restart = () => true, sockets }: KafkaClientOptions = {},
): Kafka {
  const config: KafkaConfig = {
    clientId: `${settings.clientIdPrefix}-${name}`,
    brokers: brokersOf(settings),
    connectionTimeout: CONNECTION_MS,
    authenticationTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    enforceRequestTimeout: true,
    retry: { ...(patient ? RETRY : ONCE), restartOnFailure: () => Promise.resolve(restart()) },
    // Its lines come for every try; what matters reaches us as errors and events, and is logged by us.
    logLevel: kafkajs.logLevel.NOTHING,
    ...(sockets ? { socketFactory: sockets.factory } : {}),
    ...tlsOf(settings),
    ...saslOf(settings),
  };
  return new kafkajs.Kafka(config);
}

function tlsOf({ tls, tlsCaFile }: KafkaSettings): Pick<KafkaConfig, 'ssl'> {
  if (!tls) return {};
  return { ssl: tlsCaFile === undefined ? true : { ca: [readFileSync(tlsCaFile, 'utf8')] } };
}

function saslOf(settings: KafkaSettings): { sasl?: SASLOptions } {
  const { saslMechanism: mechanism, saslUsername: username, saslPassword: password } = settings;
  if (mechanism === 'none') return {};
  if (username === undefined || password === undefined)
    throw new Error(`The login ${mechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.`);
  const login = { username, password };
  switch (mechanism) {
    case 'plain':
      return { sasl: { mechanism, ...login } };
    case 'scram-sha-256':
      return { sasl: { mechanism, ...login } };
    case 'scram-sha-512':
      return { sasl: { mechanism, ...login } };
  }
}

/** `type` of the broker's answer, where the error or one of its causes has one. */
export function brokerError(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { type } = at as { type?: unknown };
    if (typeof type === 'string') return type;
  }
  return undefined;
}
