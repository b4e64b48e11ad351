import type { ServiceName } from './scope.js';

/** One route of one service, as the contract's table has it (see `routes.ts`). */
export interface Route {
  readonly service: ServiceName;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Fastify form: `/data-export/job-executions/:id`. */
  readonly path: string;
  /** `permission`: needs {@link permission}; `authenticated`: any valid token; `public`: nothing, for {@link reason}. */
  readonly access: 'permission' | 'authenticated' | 'public';
  readonly permission?: string;
  /** Rights that a body may ask for besides; the service is told which of them the caller has. */
  readonly furtherPermissions?: readonly string[];
  /** Why nobody has to log in here. */
  readonly reason?: string;
  /** Largest JSON body; uploads have limits of their own service. */
  readonly bodyBytesMax: number;
  /** Text of the 400 for a body that is not JSON, where clients know another one than that of all routes. */
  readonly notJson?: string;
  /** JSON numbers that JavaScript would round come as they were written (`JSON.rawJSON`). */
  readonly exactNumbers?: boolean;
  /**
   * The body may also be `text/csv`: with one value per line, which is handed over as a list of texts, or a table, which is
   * handed over as the bytes it is.
   */
  readonly csv?: boolean | 'table';
  /** The body is a stream of bytes of any length and type. */
  readonly upload: boolean;
  /** Who may call the service here; the gateway alone unless said. */
  readonly issuers: readonly ServiceName[];
  /** Never routed from outside. */
  readonly internal: boolean;
  /** Methods of the path that are answered as no route at all (404), not as a method that is not allowed. */
  readonly unknownMethods?: readonly string[];
}

export const JSON_BODY_BYTES_MAX = 1_048_576;
/** Bulk bodies: lists of ids and batches of records (conventions, section 16). */
export const BULK_BODY_BYTES_MAX = 33_554_432;

export type RouteExtra = Partial<Omit<Route, 'service' | 'method' | 'path'>>;

/** @param line method and path, `GET /data-export/export` */
export function route(service: ServiceName, line: string, extra: RouteExtra): Route {
  const [method = '', path = ''] = line.split(' ');
  return {
    service,
    method: method as Route['method'],
    path,
    access: extra.permission === undefined ? 'authenticated' : 'permission',
    bodyBytesMax: JSON_BODY_BYTES_MAX,
    upload: false,
    issuers: ['gateway'],
    internal: false,
    ...extra,
  };
}

/** Tenant settings: the same two routes in every service that has some. */
export const settings = (service: ServiceName, base: string): { read: Route; change: Route } => ({
  read: route(service, `GET ${base}/settings`, { permission: 'quire.settings.item.get' }),
  change: route(service, `PUT ${base}/settings/:key`, { permission: 'quire.settings.item.put' }),
});

/** Nobody has to log in. */
export const open = (reason: string): RouteExtra => ({ access: 'public', reason });
