import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs';
import { EVENTS, TOPICS } from '@quire/contracts/catalogue';
import { brokerError, kafkaClient } from './kafka-client.js';
import { deadLetterTopic } from './kafka-message.js';
import { minInsyncReplicasOf, type KafkaSettings } from './kafka-settings.js';

/**
 * The topics of the catalogue, each with its dead letters beside it. They are made by the migration step, never by a
 * service and never by the broker on its own; a service only looks whether they are as the settings say.
 */
export interface TopicPlan {
  readonly topic: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly configs: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;
/** The broker's own default, said aloud because the dead letters follow from it. */
const MESSAGE_BYTES_MAX = 1_048_588;
/** A dead letter is the message and its reason. */
const DEAD_LETTER_BYTES_MAX = MESSAGE_BYTES_MAX + 65_536;

export function plannedTopics(settings: KafkaSettings): TopicPlan[] {
  const work = new Set(EVENTS.filter((event) => event.work).map((event) => event.topic));
  return TOPICS.flatMap((topic) => {
    const name = `${settings.topicPrefix}${topic}`;
    const partitions = work.has(topic) ? settings.workPartitions : settings.partitions;
    return [
      planOf(settings, name, partitions, MESSAGE_BYTES_MAX),
      // One partition: they are few, and an operator reads them in the order in which they came.
      planOf(settings, deadLetterTopic(name), 1, DEAD_LETTER_BYTES_MAX),
    ];
  });
}

function planOf(
  settings: KafkaSettings,
  topic: string,
  partitions: number,
  bytesMax: number,
): TopicPlan {
  return {
    topic,
    partitions,
    replicas: settings.replicationFactor,
    configs: {
      'cleanup.policy': 'delete',
      'retention.ms': String(settings.retentionDays * DAY_MS),
      'retention.bytes': String(settings.retentionBytes),
      'min.insync.replicas': String(minInsyncReplicasOf(settings)),
      'max.message.bytes': String(bytesMax),
    },
  };
}

const LED_MS_MAX = 30_000;
const LED_LOOK_MS = 50;

export class TopicsWrong extends Error {
  override readonly name = 'TopicsWrong';

  constructor(readonly problems: readonly string[]) {
    super(
      `The topics of Kafka are not as the settings say (the migration step makes them):\n  ${problems.join('\n  ')}`,
    );
  }
}

export interface PreparedTopics {
  readonly made: readonly string[];
  readonly found: number;
}

/**
 * The migration step: makes the topics that are missing and looks at those that are there, settings included. May run
 * again, and beside itself.
 *
 * @throws TopicsWrong that lists everything that is not as the settings say; nothing that exists is changed
 */
export async function prepareTopics(settings: KafkaSettings): Promise<PreparedTopics> {
  return withAdmin(settings, true, async (admin) => {
    const plans = plannedTopics(settings);
    const there = new Set(await admin.listTopics());
    const missing = plans.filter(({ topic }) => !there.has(topic));
    if (missing.length > 0) {
      await admin.createTopics({
        // Its own wait gives up at once on a broker that does not know the new topic yet; `untilLed` does not.
        waitForLeaders: false,
        topics: missing.map(({ topic, partitions, replicas, configs }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replicas,
          configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
        })),
      });
      for (const { topic } of missing) await untilLed(admin, topic);
    }
    const problems = [
      ...(await layoutProblems(admin, plans)),
      ...(await configProblems(admin, plans)),
    ];
    if (problems.length > 0) throw new TopicsWrong(problems);
    return { made: missing.map(({ topic }) => topic), found: plans.length - missing.length };
  });
}

/**
 * What a service asks at its start: are the topics there, with their partitions and replicas?
 *
 * @throws TopicsWrong
 * @throws other errors when the broker does not answer
 */
export async function verifyTopics(settings: KafkaSettings): Promise<void> {
  const problems = await withAdmin(settings, false, (admin) =>
    layoutProblems(admin, plannedTopics(settings)),
  );
  if (problems.length > 0) throw new TopicsWrong(problems);
}

/** Of a topic that was just made: a busy broker learns of it later than its controller, and of its leader later still. */
const NOT_YET = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);

/** Until a new topic takes messages. @throws the broker's error when it does not within 30 s, and any other at once */
export async function untilLed(admin: Admin, topic: string): Promise<void> {
  const untilMs = performance.now() + LED_MS_MAX;
  for (;;) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (performance.now() > untilMs || !NOT_YET.has(brokerError(error) ?? '')) throw error;
      await delay(LED_LOOK_MS);
    }
  }
}

async function layoutProblems(admin: Admin, plans: readonly TopicPlan[]): Promise<string[]> {
  const names = new Set(await admin.listTopics());
  const there = plans.filter(({ topic }) => names.has(topic)).map(({ topic }) => topic);
  const { topics } = await admin.fetchTopicMetadata({ topics: there });
  const found = new Map(topics.map((one) => [one.name, one]));
  return plans.flatMap((plan) => problemsOf(plan, found.get(plan.topic)));
}

function problemsOf(plan: TopicPlan, found: ITopicMetadata | undefined): string[] {
  if (!found) return [`${plan.topic} is missing`];
  const problems: string[] = [];
  const partitions = found.partitions.length;
  const replicas = Math.min(...found.partitions.map((one) => one.replicas.length));
  if (partitions !== plan.partitions)
    problems.push(`${plan.topic} has ${partitions} partitions, not ${plan.partitions}`);
  if (replicas < plan.replicas)
    problems.push(`${plan.topic} has ${replicas} replicas, not ${plan.replicas}`);
  return problems;
}

async function configProblems(admin: Admin, plans: readonly TopicPlan[]): Promise<string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: plans.map(({ topic, configs }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: Object.keys(configs),
    })),
  });
  const found = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
  return plans.flatMap(({ topic, configs }) =>
    Object.entries(configs).flatMap(([name, wanted]) => {
      const value = found.get(topic)?.get(name);
      return value === wanted
        ? []
        : [`${topic} has ${name}=${value ?? '(unknown)'}, not ${wanted}`];
    }),
  );
}

async function withAdmin<T>(
  settings: KafkaSettings,
  patient: boolean,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafkaClient(settings, 'topics', { patient }).admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
