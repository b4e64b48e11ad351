import type { INestApplicationContext } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { houseMigrations } from '@quire/postgres/house-migrations';
import type { Door, Listen, ServiceDefinition, ServiceParts } from '@quire/service/boot';
import { GatewayModule } from './app.module.js';
import type { GatewaySettings } from './config.js';
import { TenantsAndUsers1764000000000 } from './db/migrations/0001-tenants-and-users.js';
import { serveDocs } from './docs.js';
import { PublicDoor } from './door.js';
import { Identities } from './usecases/identities.js';
import { Refusals } from './usecases/refusals.js';
import { TenantsOfQuire, type FirstStart } from './usecases/tenants.js';

/** The one public door: routes, authenticates, names the tenant, streams through. */
export const gateway: ServiceDefinition = {
  name: 'gateway',
  schema: {
    service: 'gateway',
    schema: 'gateway',
    migrations: [TenantsAndUsers1764000000000, ...houseMigrations('gateway')],
  },
  module: GatewayModule,
  prepare: serveDocs,
  openDoor,
};

async function openDoor(
  app: NestFastifyApplication,
  parts: ServiceParts,
  listen: Listen,
): Promise<Door> {
  // The launcher makes the settings of a service from the service's own class.
  const settings = parts.settings as GatewaySettings;
  const identities = app.get(Identities);
  const door = new PublicDoor({ parts, settings, identities, refusals: app.get(Refusals) });
  await door.listen(listen);
  return door;
}

/**
 * Makes `supertenant`, the library's tenant and their first users where they are not there, and tells every service its
 * tenants. The launcher calls it with the gateway's application when all services listen.
 */
export async function bootstrapTenants(
  app: INestApplicationContext,
  first: FirstStart,
): Promise<void> {
  await app.get(TenantsOfQuire).bootstrap(first);
}

/** Tells every service of every tenant again: one of them may be new. @throws Failure 503 when one is away */
export async function announceTenants(app: INestApplicationContext): Promise<void> {
  await app.get(TenantsOfQuire).announceAll();
}
