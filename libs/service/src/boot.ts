import type { Server } from 'node:http';
import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AssertionVerifier } from '@quire/auth/assertion';
import type { ServiceKeys } from '@quire/auth/keys';
import type { Clock, Ids } from '@quire/contracts/clock';
import { ROUTES } from '@quire/contracts/routes';
import type { ServiceName } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { DeadLetters } from '@quire/messaging/dead-letters';
import { settled, type EventBus } from '@quire/messaging/event-bus';
import { EventBusStrategy } from '@quire/messaging/event-bus.strategy';
import { Inbox } from '@quire/messaging/inbox';
import { KnownTenants } from '@quire/messaging/known-tenants';
import { OutboxLevel, OutboxSettings } from '@quire/messaging/outbox-level';
import { Relay } from '@quire/messaging/relay';
import type { ObjectStore } from '@quire/object-store/object-store';
import { verifySchema, type ServiceSchema } from '@quire/postgres/migrate';
import type { DataSource } from 'typeorm';
import { endIdleConnections } from './closing.js';
import { HandOver } from './hand-over.js';
import { Health } from './health.js';
import { createHttpApp, type HttpApp } from './http-app.js';
import { forgetting } from './forgetting.js';
import { keepAnswersOfPosts } from './idempotency.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import type { Neighbours } from './neighbours.js';
import { describeApi } from './openapi.js';
import { ApiDescription, platformModule } from './platform.module.js';
import { ServiceClient, type ServiceUrls } from './service-client.js';
import { Tenants } from './tenants.js';

/**
 * Starting and stopping one service. Whoever starts it (the launcher, the service's own `main.ts`, a spec) makes its parts
 * and closes them afterwards: the bus first, then the services, the sources last.
 */
export interface ServiceParts {
  readonly service: ServiceName;
  /** Opened as the service's app role. */
  readonly source: DataSource;
  readonly bus: EventBus;
  /** Absent where none of its services keeps objects: one that asks for it all the same does not start. */
  readonly store?: ObjectStore;
  readonly keys: ServiceKeys;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Shared by the services of a process. {@link startService} enters each address when it listens. */
  readonly urls: ServiceUrls;
  /** Shared likewise: {@link startService} enters each service. Absent: all calls go over connections. */
  readonly neighbours?: Neighbours;
  /** An object of the service's settings class. */
  readonly settings: object;
  /** Bounds of its outbox; the defaults unless given. */
  readonly outbox?: Readonly<OutboxSettings>;
  /** One per process. */
  readonly metrics?: Metrics;
  /** Of a store that is a server of its own: rejects while it is away. */
  readonly storeCheck?: () => Promise<void>;
}

export interface Listen {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** A public door before a service: of the five only the gateway has one. */
export interface Door {
  readonly url: string;
  /** Takes no more requests and waits for those in hand. */
  close(): Promise<void>;
}

export interface ServiceDefinition {
  readonly name: ServiceName;
  readonly schema: ServiceSchema;
  readonly module: Type;
  /** Registers Fastify plugins before the application is initialised. */
  readonly prepare?: (app: NestFastifyApplication) => void;
  /** Present: clients come in here. The service itself listens where the other services reach it. */
  readonly openDoor?: (
    app: NestFastifyApplication,
    parts: ServiceParts,
    listen: Listen,
  ) => Promise<Door>;
}

export interface RunningService {
  readonly name: ServiceName;
  /** Where the other services reach it. */
  readonly url: string;
  /** Where clients reach it, without a path prefix; only of a service with a door. */
  readonly publicUrl?: string;
  readonly app: NestFastifyApplication;
  readonly health: Health;
  /** Its entries of the contract's routes that no controller serves: a spec of the service expects none. */
  readonly unserved: readonly string[];
  /**
   * Starts to send the events of its outbox and to take those of others. Not before every service of the process listens:
   * in process, an event without a listener would become a dead letter.
   */
  begin(): void;
  /** Resolves when its outbox is empty and no event of it is in hand. */
  settled(): Promise<void>;
  /** Leased work is given to the other replicas, and they have been told. Before the bus is closed. */
  handOver(): Promise<void>;
  /** Not ready any more; its door is closed when the answers in hand are sent. The bus may be closed meanwhile. */
  takeNoMore(): Promise<void>;
  /** Not ready, no new requests, workers stopped, answers finished, outbox row of what the bus finished deleted. */
  stop(): Promise<void>;
}

const FREE_PORT: Listen = { host: '127.0.0.1', port: 0 };

/**
 * @param listen where the other services reach it
 * @param publicly where clients reach it, if it has a door
 */
export async function startService(
  definition: ServiceDefinition,
  parts: ServiceParts,
  listen: Listen,
  publicly: Listen = FREE_PORT,
): Promise<RunningService> {
  const { name, openDoor } = definition;
  const { schema, claim } = definition.schema;
  await verifySchema(parts.source, schema, claim);
  parts.metrics?.countDeadLettersOf(name);
  const deadLetters = new DeadLetters(parts.source, (reason) =>
    parts.metrics?.givenUp(name, reason),
  );
  const { app, routes, neighbour } = await createApp(definition, parts, deadLetters);
  const looks = looksAtOutbox(app.get(OutboxLevel), parts);
  looks.start();
  await app.startAllMicroservices();
  await app.listen(listen.port, listen.host);
  const url = await addressOf(app);
  parts.urls[name] = url;
  if (parts.neighbours) parts.neighbours[name] = neighbour;
  const door = await openDoor?.(app, parts, publicly);
  const relay = new Relay(parts.source, parts.bus, parts.log, undefined, deadLetters);
  const memories = forgetting({ ...parts, tenants: app.get(Tenants), inbox: app.get(Inbox) });
  const health = app.get(Health);
  parts.log.info({ url: door?.url ?? url }, `${name} listens`);
  let begun = false;
  let closed: Promise<void> | undefined;
  const takeNoMore = async (): Promise<void> => {
    health.stop();
    closed ??= door?.close();
    await closed;
  };
  return {
    name,
    url,
    ...(door ? { publicUrl: door.url } : {}),
    app,
    health,
    unserved: ROUTES.filter((route) => route.service === name && !routes.includes(route)).map(
      (route) => `${route.method} ${route.path}`,
    ),
    begin: () => {
      begun = true;
      parts.bus.begin();
      relay.start();
      memories.start();
    },
    settled: () => settled(parts.bus, [relay]),
    handOver: async () => {
      await app.get(HandOver).run();
      if (begun) await relay.flush(FLUSH_MS);
    },
    takeNoMore,
    stop: async () => {
      await takeNoMore();
      if (parts.neighbours) delete parts.neighbours[name];
      await closeApp(app);
      await memories.stop();
      await looks.stop();
      if (begun) await relay.stop();
      app.get(ServiceClient).close();
    },
  };
}

async function createApp(
  definition: ServiceDefinition,
  parts: ServiceParts,
  deadLetters: DeadLetters,
): Promise<HttpApp> {
  keepAnswersOfPosts(definition.module);
  class Service {}
  const module: DynamicModule = {
    module: Service,
    imports: [platformModule(parts), definition.module],
  };
  const { service, keys, clock, log, bus, source } = parts;
  const verifier = new AssertionVerifier(service, keys.pairs);
  let leaves = (): boolean => false;
  const rules = {
    service,
    leaves: () => leaves(),
    verifier,
    clock,
    log,
    ...(parts.metrics ? { metrics: parts.metrics } : {}),
  };
  const made = await createHttpApp(module, rules, (app) => {
    app.connectMicroservice({
      strategy: new EventBusStrategy(service, bus, deadLetters, log, new KnownTenants(source)),
    });
    definition.prepare?.(app);
  });
  const { app, routes } = made;
  const health = app.get(Health);
  leaves = () => health.isStopping;
  health.add('postgres', async () => {
    await source.query('select');
  });
  health.addOptional('outbox', () => app.get(OutboxLevel).check());
  if (bus.check) health.addOptional('kafka', () => bus.check?.() ?? Promise.resolve());
  if (parts.storeCheck) health.addOptional('s3', parts.storeCheck);
  app.get(ApiDescription).document = describeApi(app, definition.name, routes);
  return made;
}

/** To count a million rows took 1.5 s on two cores under a load of 20: counting gets a small share of a connection, not all of it. */
const LOOK_SHARE = 20;

function looksAtOutbox(level: OutboxLevel, { outbox, log }: ServiceParts): Background {
  const { outboxLookMs: everyMs } = outbox ?? new OutboxSettings();
  const looks = new Background({
    name: 'outbox level',
    everyMs,
    work: async () => {
      const since = performance.now();
      await level.look();
      looks.pauseOnly(Math.max(everyMs, LOOK_SHARE * (performance.now() - since)));
    },
    log,
  });
  return looks;
}

const CLOSE_MS = 20_000;
/** For the events of a hand-over; without a broker they wait for the relay of another replica. */
const FLUSH_MS = 1000;

/** Workers stop, requests in hand are answered; what then still runs is cut off. */
async function closeApp(app: NestFastifyApplication): Promise<void> {
  const server: Server = app.getHttpServer();
  const ended = endIdleConnections(server);
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await app.close();
  clearTimeout(timer);
  ended();
}

async function addressOf(app: NestFastifyApplication): Promise<string> {
  return (await app.getUrl()).replace(/\/$/, '');
}
