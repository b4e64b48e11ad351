import { dataExportRoutes } from './data-export-routes.js';
import { dataImportRoutes, jobRoutes } from './data-import-routes.js';
import { financeRoutes } from './finance-routes.js';
import { gatewayRoutes } from './gateway-routes.js';
import { route, type Route, type RouteExtra } from './route.js';
import type { ServiceName } from './scope.js';
import { sourceStorageRoutes } from './source-storage-routes.js';

/**
 * Every route of every service; those of finance-storage, which go by entity, stand in `finance-routes.ts`. The gateway routes and authorises from this table, `@Permissions(routes.x)` in a service
 * takes its entry from it, and a service with a controller route that is not here does not start. Permission names are
 * those of conventions, 7.2.
 */
export const routes = {
  ...gatewayRoutes,
  ...dataExportRoutes,
  ...dataImportRoutes,
  ...jobRoutes,
  ...sourceStorageRoutes,
} as const;

export const ROUTES: readonly Route[] = [...Object.values(routes), ...financeRoutes];

/** Every service has these two, for the gateway only. */
export function internalRoutes(service: ServiceName): {
  readonly enableTenant: Route;
  readonly openapi: Route;
} {
  const internal: RouteExtra = { access: 'authenticated', internal: true };
  return {
    enableTenant: route(service, 'PUT /internal/tenant', internal),
    openapi: route(service, 'GET /internal/openapi.json', internal),
  };
}
