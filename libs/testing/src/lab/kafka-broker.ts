import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { quietPorts } from '../quiet-ports.js';
import { environment, type EngineKind } from './config.js';
import { Engine, startElsewhere, type EngineHost } from './engine.js';
import { runGuarded } from './guarded-process.js';
import { ProgramHost } from './program-host.js';
import { cached, needPrograms, type NeededProgram } from './program-cache.js';

const VERSION = '4.4.0';
const IMAGE = `apache/kafka:${VERSION}`;
/** Any base64 of 16 bytes; the data folder of one broker never meets another's. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk';

const ASK_TIMEOUT_MS = 2_000;
const FETCH_TIMEOUT_MS = 10 * 60_000;
const FORMAT_TIMEOUT_MS = 60_000;

const JAVA: NeededProgram = {
  title: 'Java 17 or newer',
  program: 'java',
  versionArgs: ['-version'],
  version: { pattern: /version "(\d+)/, least: 17 },
};
const MAVEN: NeededProgram = { title: 'Maven', program: 'mvn', versionArgs: ['-version'] };

/** A single Kafka broker, which is its own controller. Topics are not made by writing to them. */
export class KafkaBroker extends Engine {
  constructor(
    engine: string,
    host: EngineHost,
    /** host:port, the same after a restart. */
    readonly address: string,
  ) {
    super(engine, host);
  }

  /** Starts a new one on free ports. @throws EngineMissing when it cannot be had here */
  static async open(kind: EngineKind): Promise<KafkaBroker> {
    const open = kind === 'containers' ? await asContainer() : await asProgram();
    return await startElsewhere(open);
  }

  /** A broker counts once its controller lists it: until then it refuses to make topics. */
  protected override async answers(): Promise<boolean> {
    const admin = new Kafka({
      brokers: [this.address],
      connectionTimeout: ASK_TIMEOUT_MS,
      requestTimeout: ASK_TIMEOUT_MS,
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
    }).admin();
    try {
      await admin.connect();
      const { brokers, controller } = await admin.describeCluster();
      return brokers.length === 1 && controller !== null;
    } finally {
      await admin.disconnect();
    }
  }
}

async function asProgram(): Promise<() => Promise<KafkaBroker>> {
  await needPrograms('Kafka', [JAVA]);
  const lib = join(await cached(`kafka-${VERSION}`, fetchKafka), 'lib');
  return async () => {
    const [port = 0, controllerPort = 0] = await quietPorts(2);
    const java = (log4j: string, ...args: string[]): string[] => [
      ...['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...['-Djava.awt.headless=true', `-Dlog4j2.configurationFile=${log4j}`],
      ...['-cp', `${lib}/*`, ...args],
    ];
    const host = await ProgramHost.open({
      program: 'java',
      args: (dataDir) =>
        java(join(dataDir, 'log4j2.xml'), 'kafka.Kafka', join(dataDir, 'server.properties')),
      prepare: async (dataDir) => {
        const logDir = join(dataDir, 'log');
        const properties = join(dataDir, 'server.properties');
        if (await isFile(join(logDir, 'meta.properties'))) return;
        await rm(logDir, { recursive: true, force: true });
        await mkdir(logDir, { recursive: true });
        await writeFile(
          properties,
          propertiesText({
            ...SETTINGS,
            'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
            listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
            'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
            'log.dirs': logDir,
          }),
        );
        const log4j = join(dataDir, 'log4j2.xml');
        await writeFile(log4j, LOG4J);
        const format = ['format', '-t', CLUSTER_ID, '-c', properties];
        await runGuarded('java', java(log4j, 'kafka.tools.StorageTool', ...format), {
          env: environment,
          timeoutMs: FORMAT_TIMEOUT_MS,
        });
      },
    });
    return new KafkaBroker(`Kafka ${VERSION}`, host, `127.0.0.1:${port}`);
  };
}

async function asContainer(): Promise<() => Promise<KafkaBroker>> {
  const { ContainerHost, LoopbackContainer } = await import('./container-host.js');
  const { Wait } = await import('testcontainers');
  return async () => {
    const [port = 0] = await quietPorts(1);
    const settings = {
      ...SETTINGS,
      'controller.quorum.voters': '1@localhost:9093',
      listeners: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093',
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    };
    // The image's rule: KAFKA_ and the name of the property in capitals, dots as underscores.
    const env = Object.entries(settings).map(([name, value]): [string, string] => [
      `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
      value,
    ]);
    const host = new ContainerHost(() =>
      new LoopbackContainer(IMAGE)
        .withEnvironment({ CLUSTER_ID, ...Object.fromEntries(env) })
        .withExposedPorts({ container: 9092, host: port })
        .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/)),
    );
    return new KafkaBroker(`Kafka ${VERSION} (container)`, host, `127.0.0.1:${port}`);
  };
}

/** One node for everything, nothing replicated, and no waiting that only helps a cluster. */
const SETTINGS: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  // The controller takes a killed broker for alive until its session ends, and lets the new one in only then.
  'broker.heartbeat.interval.ms': '500',
  'broker.session.timeout.ms': '2000',
};

function propertiesText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/** Warnings only: the level below prints the whole configuration. */
const LOG4J = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders><Console name="console"><PatternLayout pattern="%p %m (%c{1})%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="console"/></Root></Loggers>
</Configuration>
`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>quire</groupId>
  <artifactId>lab-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.5</version>
      <scope>runtime</scope>
    </dependency>
  </dependencies>
</project>
`;

/** 43 MB of jars, some 20 s. */
async function fetchKafka(folder: string): Promise<void> {
  await needPrograms('Fetching Kafka', [MAVEN]);
  const pom = join(folder, 'pom.xml');
  await writeFile(pom, POM);
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies';
  const repository = join(folder, 'repository');
  const options = ['-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'lib')}`];
  await runGuarded(
    'mvn',
    ['-B', '-q', '-f', pom, `-Dmaven.repo.local=${repository}`, copy, ...options],
    { cwd: folder, env: environment, timeoutMs: FETCH_TIMEOUT_MS },
  );
  await rm(repository, { recursive: true, force: true });
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
