import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Which headers pass the gateway, in both directions (conventions, section 3). */

/** They belong to one connection. Node writes its own. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'host',
]);
/** Credentials end at the gateway; only its own login calls see them. */
const CREDENTIALS = new Set(['cookie', 'authorization', 'x-okapi-token']);
const STRIPPED =
  /^(x-internal-|x-okapi-permissions|x-okapi-module-|x-okapi-url$|forwarded$|x-forwarded-)/;

export function requestHeaders(sent: IncomingHttpHeaders, ownCall: boolean): IncomingHttpHeaders {
  const named = new Set(
    (sent.connection ?? '').split(',').map((name) => name.trim().toLowerCase()),
  );
  // `Connection` must not be able to take away how long the body is.
  for (const kept of ['content-length', 'transfer-encoding']) named.delete(kept);
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(sent)) {
    if (HOP_BY_HOP.has(name) || named.has(name) || STRIPPED.test(name)) continue;
    if (!ownCall && CREDENTIALS.has(name)) continue;
    headers[name] = value;
  }
  return headers;
}

const SECURITY_HEADERS: OutgoingHttpHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** What the service said wins, but for what belongs to its connection. */
export function responseHeaders(
  answered: IncomingHttpHeaders | OutgoingHttpHeaders,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...SECURITY_HEADERS };
  for (const [name, value] of Object.entries(answered)) {
    if (HOP_BY_HOP.has(name) || name === 'transfer-encoding') continue;
    headers[name] = value;
  }
  return headers;
}

/** Adds to a `Vary` that may be there. */
export function withVary(headers: OutgoingHttpHeaders, name: string): void {
  const present = headers.vary;
  headers.vary = typeof present === 'string' && present !== '' ? `${present}, ${name}` : name;
}
