import { buffer } from 'node:stream/consumers';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'minio';
import { lab, type EngineKind, type S3Address } from '../src/lab/config.js';
import { KafkaBroker } from '../src/lab/kafka-broker.js';
import { S3Server } from '../src/lab/s3-server.js';

/** Engines that a spec starts, kills and wipes are not those of the run, which others use. */
const ownEngines = lab.engines ? describe : describe.skip;
const kind = lab.engines as EngineKind;

async function topics(address: string, make: string[] = []): Promise<string[]> {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    if (make.length > 0) await admin.createTopics({ topics: make.map((topic) => ({ topic })) });
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

function clientOf({ url, region, accessKeyId, secretAccessKey }: S3Address): Client {
  const { hostname, port } = new URL(url);
  return new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    region,
    accessKey: accessKeyId,
    secretKey: secretAccessKey,
  });
}

ownEngines('a broker of the lab', () => {
  it('keeps its topics through a kill at the same address, and loses them when wiped', async () => {
    await using broker = await KafkaBroker.open(kind);
    expect(await topics(broker.address, ['kept'])).toEqual(['kept']);
    await broker.kill();
    await broker.start();
    expect(await topics(broker.address)).toEqual(['kept']);
    await broker.stop();
    await broker.wipe();
    await broker.start();
    expect(await topics(broker.address)).toEqual([]);
  });

  it('is not wiped while it runs, and another one runs beside it', async () => {
    await using broker = await KafkaBroker.open(kind);
    await using other = await KafkaBroker.open(kind);
    expect(other.address).not.toBe(broker.address);
    await expect(broker.wipe()).rejects.toThrow('runs: stop or kill it');
  });
});

ownEngines('an S3 server of the lab', () => {
  it('keeps its objects through a kill at the same address, and loses them when wiped', async () => {
    await using server = await S3Server.open(kind);
    const client = clientOf(server);
    await client.putObject(server.bucket, 'kept', 'body');
    await server.kill();
    await expect(client.statObject(server.bucket, 'kept')).rejects.toThrow(/ECONNREFUSED/);
    await server.start();
    expect((await buffer(await client.getObject(server.bucket, 'kept'))).toString()).toBe('body');
    await server.stop();
    await server.wipe();
    await server.start();
    await expect(client.statObject(server.bucket, 'kept')).rejects.toMatchObject({
      code: 'NotFound',
    });
  });
});
