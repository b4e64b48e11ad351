import { randomBytes } from 'node:crypto';
import kafkajs, { type Admin, type GroupDescription } from 'kafkajs';
import { kafkaClient } from '../src/kafka-client.js';
import { readDeadLetters } from '../src/kafka-dead-letters.js';
import { kafkaSettings, type KafkaSettings } from '../src/kafka-settings.js';
import { plannedTopics, prepareTopics } from '../src/kafka-topics.js';
import type { Kept } from './event-bus.contract.js';

/** Topics of one spec file on the real broker of the lab. */
export class KafkaShelf implements AsyncDisposable {
  private constructor(readonly settings: KafkaSettings) {}

  /** @param brokers each `host:port` */
  static async open(
    brokers: readonly string[],
    given: Partial<KafkaSettings> = {},
  ): Promise<KafkaShelf> {
    const topicPrefix = `spec-${randomBytes(4).toString('hex')}.`;
    const fewer = { partitions: 3, workPartitions: 6, sessionMs: 6000 };
    const settings = kafkaSettings({
      brokers: brokers.join(','),
      topicPrefix,
      ...fewer,
      ...given,
    });
    await prepareTopics(settings);
    return new KafkaShelf(settings);
  }

  get groupId(): string {
    return `${this.settings.topicPrefix}data-export`;
  }

  /** Nothing of a former spec is left, neither messages nor groups. Nobody of these may run. */
  async clear(): Promise<void> {
    await this.asAdmin(async (admin) => {
      await admin.deleteGroups([this.groupId]).catch(() => undefined);
      for (const { topic } of plannedTopics(this.settings)) {
        const spans = await admin.fetchTopicOffsets(topic);
        const full = spans.filter(({ low, high }) => low !== high);
        const partitions = full.map(({ partition, high }) => ({ partition, offset: high }));
        if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
      }
    });
  }

  async deadLetters(): Promise<Kept[]> {
    const found: Kept[] = [];
    await readDeadLetters(this.settings, ({ topic, message }) => {
      const header = (name: string): string => String(message.headers?.[name]);
      found.push({
        topic: topic.slice(this.settings.topicPrefix.length).replace(/\.dlq$/, ''),
        reason: header('dlq_reason'),
        error: header('dlq_error'),
        attempts: Number(header('dlq_attempts')),
      });
    });
    return found;
  }

  /** Replicas of the service that have partitions. */
  async members(): Promise<number> {
    const group = await this.group();
    return group?.state === 'Stable' ? group.members.length : 0;
  }

  /** Replicas that the broker takes for living, also while partitions go from one to another. */
  async membersNow(): Promise<number> {
    return (await this.group())?.members.length ?? 0;
  }

  private async group(): Promise<GroupDescription | undefined> {
    const { groups } = await this.asAdmin((admin) => admin.describeGroups([this.groupId]));
    return groups[0];
  }

  /** The topic takes longer messages, until it is disposed of. */
  async widened(topic: string, bytesMax: number): Promise<AsyncDisposable> {
    const name = `${this.settings.topicPrefix}${topic}`;
    const plan = plannedTopics(this.settings).find((one) => one.topic === name);
    const set = (configs: Readonly<Record<string, string>>): Promise<void> =>
      this.asAdmin(async (admin) => {
        const configEntries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
        const type = kafkajs.ConfigResourceTypes.TOPIC;
        await admin.alterConfigs({
          validateOnly: false,
          resources: [{ type, name, configEntries }],
        });
      });
    await set({ ...plan?.configs, 'max.message.bytes': String(bytesMax) });
    return { [Symbol.asyncDispose]: () => set({ ...plan?.configs }) };
  }

  async asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafkaClient(this.settings, 'spec').admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.asAdmin(async (admin) => {
      const topics = (await admin.listTopics()).filter((topic) =>
        topic.startsWith(this.settings.topicPrefix),
      );
      await admin.deleteTopics({ topics });
    });
  }
}
