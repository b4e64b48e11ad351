import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/**
 * Cross-origin requests (K19, conventions, section 2): origins of an allow-list, with credentials. Who is not in the list
 * gets no header, and the browser refuses.
 */
const ALLOWED_HEADER =
  /^(x-okapi-[\w-]+|content-type|authorization|idempotency-key|if-match|x-quire-dialect|x-quire-import-options|x-quire-allow-duplicate)$/i;
const NAMED_HEADERS = [
  'X-Okapi-Tenant',
  'X-Okapi-Token',
  'X-Okapi-Request-Id',
  'X-Okapi-User-Id',
  'Content-Type',
  'Authorization',
  'Idempotency-Key',
  'If-Match',
  'X-Quire-Dialect',
  'X-Quire-Import-Options',
  'X-Quire-Allow-Duplicate',
];
const EXPOSED_HEADERS =
  'ETag, Location, X-Job-Execution-Id, X-Quire-Dialect, X-Okapi-Request-Id, Retry-After';
const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';
const PREFLIGHT_SECONDS = '86400';

export class Cors {
  private readonly origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.origins = new Set(origins.map((origin) => origin.replace(/\/$/, '').toLowerCase()));
  }

  /** The own origin is always allowed. */
  allows(origin: string, publicUrl: string): boolean {
    const asked = origin.toLowerCase();
    return this.origins.has(asked) || asked === new URL(publicUrl).origin.toLowerCase();
  }

  /** For every answer to a request with an origin. */
  headersFor(origin: string | undefined, publicUrl: string): OutgoingHttpHeaders {
    if (origin === undefined) return {};
    if (!this.allows(origin, publicUrl)) return { vary: 'Origin' };
    return {
      vary: 'Origin',
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': EXPOSED_HEADERS,
    };
  }

  /** What an OPTIONS answer says besides. `X-Okapi-*` cannot be said with a wildcard: what was asked for is named. */
  preflightHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
    const asked = (headers['access-control-request-headers'] ?? '')
      .split(',')
      .map((name) => name.trim());
    const more = asked.filter((name) => ALLOWED_HEADER.test(name));
    const known = new Set(NAMED_HEADERS.map((name) => name.toLowerCase()));
    const extra = more.filter((name) => !known.has(name.toLowerCase()));
    return {
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': [...NAMED_HEADERS, ...extra].join(', '),
      'access-control-max-age': PREFLIGHT_SECONDS,
    };
  }
}
