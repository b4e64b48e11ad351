import { randomBytes } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import { lab, type KafkaAddress } from './config.js';

/**
 * Topics and groups of one world on the broker of the lab: a prefix, below which Quire makes what it needs, and which is empty
 * again when the world has gone.
 */
export class LabTopics implements AsyncDisposable {
  readonly prefix = `world-${randomBytes(6).toString('hex')}.`;

  private constructor(private readonly kafka: KafkaAddress) {}

  /** undefined: there is no broker in this lab. */
  static take(): LabTopics | undefined {
    return lab.kafka && new LabTopics(lab.kafka);
  }

  /** For Quire. A world is one process, so it gets as few partitions as show that there may be several. */
  get settings(): Record<string, string> {
    return {
      EVENT_BUS: 'kafka',
      KAFKA_BROKERS: this.kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: this.prefix,
      KAFKA_PARTITIONS: '1',
      KAFKA_WORK_PARTITIONS: '2',
    };
  }

  /** Removes them; nobody may use them any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    const logLevel = kafkajs.logLevel.NOTHING;
    const admin = new kafkajs.Kafka({ brokers: [...this.kafka.brokers], logLevel }).admin();
    await admin.connect();
    try {
      await this.removeGroups(admin);
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(this.prefix));
      if (topics.length > 0) await admin.deleteTopics({ topics });
    } finally {
      await admin.disconnect();
    }
  }

  private async removeGroups(admin: Admin): Promise<void> {
    const { groups } = await admin.listGroups();
    const ids = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(this.prefix));
    if (ids.length > 0) await admin.deleteGroups(ids);
  }
}
