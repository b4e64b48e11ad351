import kafkajs, { type Admin } from 'kafkajs';
import { Client } from 'minio';
import { LabBucket, objectNames } from './bucket.js';
import { lab } from './config.js';
import { LabTopics } from './topics.js';

const onKafka = lab.kafka ? describe : describe.skip;
const onS3 = lab.s3 ? describe : describe.skip;

/** A client of its own each time: one that knows a topic cannot do without it. */
async function asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const logLevel = kafkajs.logLevel.NOTHING;
  const kafka = new kafkajs.Kafka({ brokers: [...(lab.kafka?.brokers ?? [])], logLevel });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

onKafka('the topics of a world', () => {
  it('are gone with it, its groups too, and those of another one are not', async () => {
    await using other = LabTopics.take();
    const mine = LabTopics.take();
    if (!mine || !other) throw new Error('There is no broker.');
    const [stays, goes] = [`${other.prefix}jobs`, `${mine.prefix}jobs`];
    const groupId = `${mine.prefix}data-export`;
    const partitions = [{ partition: 0, offset: '0' }];
    await asAdmin(async (admin) => {
      await admin.createTopics({ topics: [{ topic: stays }, { topic: goes }] });
      await admin.setOffsets({ groupId, topic: goes, partitions });
    });

    await mine[Symbol.asyncDispose]();

    const giveUpAt = performance.now() + 50_000;
    let topics: string[];
    // The broker acknowledges a deletion before everybody is told of it.
    do topics = await asAdmin((admin) => admin.listTopics());
    while (topics.includes(goes) && performance.now() < giveUpAt);
    expect(topics).not.toContain(goes);
    expect(topics).toContain(stays);
    const { groups } = await asAdmin((admin) => admin.listGroups());
    expect(groups.filter((group) => group.groupId === groupId)).toEqual([]);
  }, 60_000);
});

onS3('the bucket of a world', () => {
  it('is gone with it, with its objects and what was not uploaded whole', async () => {
    const bucket = LabBucket.take();
    if (!bucket) return;
    const { url, region, bucket: name, accessKeyId, secretAccessKey } = bucket.store;
    const { hostname: endPoint, port } = new URL(url);
    const client = new Client({
      endPoint,
      port: Number(port),
      useSSL: false,
      region,
      accessKey: accessKeyId,
      secretKey: secretAccessKey,
    });
    await client.makeBucket(name, region);
    await client.putObject(name, 'export/library/a', 'bytes');
    await client.initiateNewMultipartUpload(name, 'export/library/b', {});
    expect(await objectNames(bucket.store, 'export/library')).toEqual(['export/library/a']);

    await bucket[Symbol.asyncDispose]();

    expect(await client.bucketExists(name)).toBe(false);
  }, 60_000);

  it('may go before anything was made of it', async () => {
    await expect(LabBucket.take()?.[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});
