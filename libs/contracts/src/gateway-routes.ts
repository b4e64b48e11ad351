import { open, route, type Route, type RouteExtra } from './route.js';

const gateway = (line: string, extra: RouteExtra = {}): Route => route('gateway', line, extra);
const LOGIN = open('who logs in has no token yet');
const HEALTH = open('probes and monitors ask without a token');

/** Routes that the gateway serves itself. */
export const gatewayRoutes = {
  login: gateway('POST /authn/login', LOGIN),
  loginWithExpiry: gateway('POST /authn/login-with-expiry', LOGIN),
  refresh: gateway('POST /authn/refresh', LOGIN),
  logout: gateway('POST /authn/logout', LOGIN),
  createTenant: gateway('POST /_/proxy/tenants', { permission: 'okapi.proxy.tenants.post' }),
  installModules: gateway('POST /_/proxy/tenants/:id/install', {
    permission: 'okapi.proxy.tenants.install.post',
  }),
  /** Everybody may see those of the own tenant. */
  listModules: gateway('GET /_/proxy/tenants/:id/modules', {
    furtherPermissions: ['okapi.proxy.tenants.modules.list'],
  }),
  proxyHealth: gateway('GET /_/proxy/health', HEALTH),
  version: gateway('GET /_/version', HEALTH),
  adminHealth: gateway('GET /admin/health', HEALTH),
  healthLive: gateway('GET /health/live', HEALTH),
  healthReady: gateway('GET /health/ready', HEALTH),
  healthStartup: gateway('GET /health/startup', HEALTH),
  /** Names of a user other than the caller, for jobs that are made for somebody (conventions, section 18). */
  internalUser: gateway('GET /internal/users/:id', { internal: true, issuers: ['data-import'] }),
  openapi: gateway('GET /openapi.json', open('the description of the API holds no data')),
  asyncapi: gateway('GET /asyncapi.json', open('the description of the events holds no data')),
} as const;
