import { Controller, Get, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { InternalRoute } from '@quire/auth/permissions';
import { internalRoutes } from '@quire/contracts/routes';
import type { ServiceName } from '@quire/contracts/scope';
import { ObjectIntents } from '@quire/jobs/intents';
import { Inbox } from '@quire/messaging/inbox';
import { Outbox } from '@quire/messaging/outbox';
import { OutboxLevel, OutboxSettings } from '@quire/messaging/outbox-level';
import { ObjectStore } from '@quire/object-store/object-store';
import { DataSource } from 'typeorm';
import type { ServiceParts } from './boot.js';
import { HandOver } from './hand-over.js';
import { Health } from './health.js';
import { Metrics } from './metrics.js';
import { ServiceClient } from './service-client.js';
import { tenantController, Tenants } from './tenants.js';

/** Tokens of what has no class: `@Inject(CLOCK) private readonly clock: Clock`. */
export const CLOCK = Symbol('clock');
export const IDS = Symbol('ids');
export const LOG = Symbol('log');
/** The service's own settings. */
export const SETTINGS = Symbol('settings');
/** {@link ServiceParts.urls} */
export const URLS = Symbol('urls');
/** {@link ServiceParts.keys} */
export const KEYS = Symbol('keys');
/** The same as the class `ObjectStore`. */
export const OBJECT_STORE = ObjectStore;

/** The service's OpenAPI document; made once the controllers are known. */
export class ApiDescription {
  document: object = {};
}

class Platform {}

/**
 * What every service of the house may inject, and the controllers that each has. Global, so that a service's one module
 * need not import it.
 */
export function platformModule(parts: ServiceParts): DynamicModule {
  const providers = providersOf(parts);
  return {
    module: Platform,
    global: true,
    controllers: [tenantController(parts.service), apiController(parts.service)],
    providers,
    exports: providers.map((provider) =>
      typeof provider === 'function' ? provider : provider.provide,
    ),
  };
}

function providersOf(parts: ServiceParts): Provider[] {
  const { service, clock, ids, urls, keys, source, metrics = new Metrics() } = parts;
  const level = new OutboxLevel(source, parts.outbox ?? new OutboxSettings(), (stand) =>
    metrics.outbox(service, stand),
  );
  return [
    { provide: DataSource, useValue: source },
    ...(parts.store ? [{ provide: ObjectStore, useValue: parts.store }] : []),
    { provide: CLOCK, useValue: clock },
    { provide: IDS, useValue: ids },
    { provide: LOG, useValue: parts.log },
    { provide: SETTINGS, useValue: parts.settings },
    { provide: URLS, useValue: urls },
    { provide: KEYS, useValue: keys },
    { provide: Outbox, useValue: new Outbox(clock, ids) },
    { provide: OutboxLevel, useValue: level },
    { provide: Inbox, useValue: new Inbox() },
    { provide: ObjectIntents, useValue: new ObjectIntents() },
    { provide: ServiceClient, useValue: new ServiceClient(service, urls, keys.pairs, clock, ids) },
    { provide: HandOver, useValue: new HandOver() },
    { provide: Health, useValue: new Health() },
    { provide: Metrics, useValue: metrics },
    ApiDescription,
    Tenants,
  ];
}

function apiController(service: ServiceName): Type {
  @Controller('internal/openapi.json')
  class ApiController {
    constructor(private readonly description: ApiDescription) {}

    @Get()
    @InternalRoute(internalRoutes(service).openapi)
    read(): object {
      return this.description.document;
    }
  }
  return ApiController;
}
