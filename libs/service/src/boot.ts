import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AssertionVerifier } from '@quire/auth/assertion';
import type { ServiceKeys } from '@quire/auth/keys';
import type { Clock, Ids } from '@quire/contracts/clock';
import { ROUTES } from '@quire/contracts/routes';
import type { ServiceName } from '@quire/contracts/scope';
import { DeadLetters } from '@quire/messaging/dead-letters';
import type { EventBus } from '@quire/messaging/event-bus';
import { EventBusStrategy } from '@quire/messaging/event-bus.strategy';
import { Relay } from '@quire/messaging/relay';
import type { ObjectStore } from '@quire/object-store/object-store';
import { verifySchema, type ServiceSchema } from '@quire/postgres/migrate';
import type { DataSource } from 'typeorm';
import { Health } from './health.js';
import { createHttpApp, type HttpApp } from './http-app.js';
import type { Log } from './log.js';
import { Metrics } from './metrics.js';
import { describeApi } from './openapi.js';
import { ApiDescription, platformModule } from './platform.module.js';
import { ServiceClient, type ServiceUrls } from './service-client.js';

/**
 * Starting and stopping one service. Whoever starts it (the launcher, the service's own `main.ts`, a spec) makes its parts
 * and closes them afterwards: the bus first, then the services, the sources last.
 */
export interface ServiceParts {
  readonly service: ServiceName;
  /** Opened as the service's app role. */
  readonly source: DataSource;
  readonly bus: EventBus;
  readonly store: ObjectStore;
  readonly keys: ServiceKeys;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Shared by the services of a process. {@link startService} enters each address when it listens. */
  readonly urls: ServiceUrls;
  /** An object of the service's settings class. */
  readonly settings: object;
  /** One per process. */
  readonly metrics?: Metrics;
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
  /**
   * Present: clients come in here. The door listens where the service was told to, the service itself on a free loopback
   * port.
   */
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
   * Starts to send the events of its outbox. Not before every service of the process listens: in process, an event without
   * a listener would become a dead letter.
   */
  begin(): void;
  /** Resolves when its outbox is empty and no event of it is in hand. */
  settled(): Promise<void>;
  /** Not ready, no new requests, workers stopped, answers finished, outbox row of what the bus finished deleted. */
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const SETTLED_LOOK_MS = 10;

export async function startService(
  definition: ServiceDefinition,
  parts: ServiceParts,
  listen: Listen,
): Promise<RunningService> {
  const { name, openDoor } = definition;
  await verifySchema(parts.source, definition.schema.schema);
  const { app, routes } = await createApp(definition, parts);
  await app.startAllMicroservices();
  await app.listen(openDoor ? 0 : listen.port, openDoor ? LOOPBACK : listen.host);
  const url = await addressOf(app);
  parts.urls[name] = url;
  const door = await openDoor?.(app, parts, listen);
  const relay = new Relay(parts.source, parts.bus, parts.log);
  const health = app.get(Health);
  const metrics = app.get(Metrics);
  metrics.serviceUp(name, true);
  parts.log.info({ url: door?.url ?? url }, `${name} listens`);
  let begun = false;
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
      relay.start();
    },
    settled: () => quiet(relay),
    stop: async () => {
      health.stop();
      metrics.serviceUp(name, false);
      await door?.close();
      await app.close();
      if (begun) await relay.stop();
      app.get(ServiceClient).close();
    },
  };
}

async function createApp(definition: ServiceDefinition, parts: ServiceParts): Promise<HttpApp> {
  class Service {}
  const module: DynamicModule = {
    module: Service,
    imports: [platformModule(parts), definition.module],
  };
  const { service, keys, clock, log, bus, source } = parts;
  const verifier = new AssertionVerifier(service, keys.pairs);
  const rules = {
    service,
    verifier,
    clock,
    log,
    ...(parts.metrics ? { metrics: parts.metrics } : {}),
  };
  const { app, routes } = await createHttpApp(module, rules, (made) => {
    made.connectMicroservice({
      strategy: new EventBusStrategy(service, bus, new DeadLetters(source), log),
    });
    definition.prepare?.(made);
  });
  app.get(Health).add('postgres', async () => {
    await source.query('select');
  });
  app.get(ApiDescription).document = describeApi(app, `Quire ${definition.name}`, routes);
  return { app, routes };
}

async function addressOf(app: NestFastifyApplication): Promise<string> {
  return (await app.getUrl()).replace(/\/$/, '');
}

async function quiet(relay: Relay): Promise<void> {
  while (!(await relay.isQuiet())) {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_LOOK_MS));
  }
}
