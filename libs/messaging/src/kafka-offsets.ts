import type { Admin, Kafka } from 'kafkajs';

/** Where a group stands in one topic. */
export interface TopicStand {
  readonly topic: string;
  /** Messages that were written and are not finished. */
  readonly lag: number;
  /** Sum of the ends of its partitions: grows with each message. */
  readonly end: bigint;
}

/** Asks the broker where groups stand, over one connection that is made anew after an error. */
export class Offsets {
  /** One for all who ask: a second one that connects beside it would never be closed. */
  private admin: Promise<Admin> | undefined;
  private closed = false;

  /** @param kafka a client that gives up at once */
  constructor(private readonly kafka: Kafka) {}

  /** @throws when the broker does not answer */
  async stand(groupId: string, topics: readonly string[]): Promise<TopicStand[]> {
    return this.ask(async (admin) => {
      // The ends first: what is written afterwards is not missed by anybody who asks again.
      const ends = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
      const groups = await admin.fetchOffsets({ groupId, topics: [...topics] });
      return topics.map((topic, index) => {
        const committed = new Map(
          groups
            .find((one) => one.topic === topic)
            ?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]),
        );
        let [lag, end] = [0n, 0n];
        for (const { partition, high, low } of ends[index] ?? []) {
          const first = BigInt(low);
          const at = committed.get(partition) ?? -1n;
          end += BigInt(high);
          // What expired unread is not ours to do any more.
          lag += BigInt(high) - (at < first ? first : at);
        }
        return { topic, lag: Number(lag), end };
      });
    });
  }

  /** @throws when the broker does not answer */
  async check(): Promise<void> {
    await this.ask((admin) => admin.describeCluster());
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.disconnect(this.admin);
  }

  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.closed) throw new Error('The bus is closed.');
    const asked = (this.admin ??= this.connect());
    try {
      return await question(await asked);
    } catch (error) {
      await this.disconnect(asked);
      throw error;
    }
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      await admin.disconnect().catch(() => undefined);
      throw error;
    }
  }

  private async disconnect(connected: Promise<Admin> | undefined): Promise<void> {
    if (this.admin === connected) this.admin = undefined;
    await connected?.then((admin) => admin.disconnect()).catch(() => undefined);
  }
}
