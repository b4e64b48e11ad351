import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { assertedCaller, ASSERTION_HEADER, signAssertion } from '@quire/auth/assertion';
import { tooMany, unavailable } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';
import { ROUTES } from '@quire/contracts/routes';
import type { Door, Listen, ServiceParts } from '@quire/service/boot';
import { Addresses } from '@quire/service/addresses';
import { endIdleConnections } from '@quire/service/closing';
import { answerOf, HttpRefusal } from '@quire/service/failure-answer';
import { RouteTable, targetOf, type Target } from '@quire/service/paths';
import { Admission, type Admitted } from './admission.js';
import type { GatewaySettings } from './config.js';
import { Cors } from './cors.js';
import { DOCS_PATH } from './docs.js';
import { failures } from './domain/failures.js';
import { namedTenant } from './domain/tenant-choice.js';
import { requestHeaders, withVary } from './headers.js';
import { ADDRESS_HEADER } from './http/authn.controller.js';
import { RateLimit, UploadLimit } from './limits.js';
import { OriginReader, type RequestOrigin } from './origin.js';
import { isBodyless, passNear } from './near.js';
import { Proxy } from './proxy.js';
import { drained } from './relay.js';
import type { Identities } from './usecases/identities.js';
import type { Refusals } from './usecases/refusals.js';

/**
 * The public door: the one HTTP server clients reach. It decides who may pass ({@link Admission}), signs what it decided
 * ({@link signAssertion}) and carries the request to the service of its route, the gateway's own Nest application among
 * them ({@link Proxy}). A plain server without a framework, because nothing here may parse or keep a body.
 */
export interface DoorParts {
  readonly parts: ServiceParts;
  readonly settings: GatewaySettings;
  readonly identities: Identities;
  readonly refusals: Refusals;
  /** How long nothing may move; 30 s unless a spec says otherwise. */
  readonly windowMs?: number;
}

const URL_BYTES_MAX = 16_384;
const HEADER_BYTES_MAX = 16_384;
const HEADER_LINES_MAX = 100;
/** What Node reads at most, so that the three limits above get their own answers. */
const HEAD_BYTES_MAX = 49_152;
const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_MS = 2_000;
const KEEP_ALIVE_MS = 65_000;
const CLOSE_MS = 20_000;
const RETRY_SECONDS = 5;
const OWN_TENANT = /^\/_\/invoke\/tenant\/([^/]*)(\/.*)?$/;
const VISIBLE_ASCII = /^[\x21-\x7e]{1,256}$/;

/** One request on its way through. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly origin: RequestOrigin;
  /** On every answer. */
  readonly answerHeaders: OutgoingHttpHeaders;
}

export class PublicDoor implements Door {
  private readonly server: Server;
  private readonly proxy: Proxy;
  private readonly cors: Cors;
  private readonly origins: OriginReader;
  private readonly admission: Admission;
  private readonly uploads = new UploadLimit();
  private readonly addresses: Addresses;
  /** By connection the request that came last. */
  private readonly bodies = new WeakMap<Duplex, IncomingMessage>();
  private closing = false;
  /** Without the path prefix. */
  url = '';

  constructor(private readonly door: DoorParts) {
    const { settings, identities, refusals, parts } = door;
    this.proxy = new Proxy(door.windowMs);
    this.addresses = new Addresses(parts.urls);
    this.cors = new Cors(settings.corsOrigins);
    this.origins = new OriginReader(settings);
    const table = new RouteTable(ROUTES.filter((route) => !route.internal));
    const rates = new RateLimit(settings.rateLimit);
    this.admission = new Admission({
      table,
      identities,
      cors: this.cors,
      rates,
      settings,
      clock: parts.clock,
      note: (who, action, subject) => refusals.note(who, action, subject),
    });
    this.server = createServer(
      {
        maxHeaderSize: HEAD_BYTES_MAX,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: 0,
        connectionsCheckingInterval: CHECK_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (request, response) => void this.visit(request, response),
    );
    this.server.maxHeadersCount = 0;
    this.server.on('clientError', (error: ParserError, socket: Duplex) =>
      refuseConnection(error, socket, this.bodies.get(socket)?.complete === false),
    );
  }

  async listen({ host, port }: Listen): Promise<void> {
    this.server.listen(port, host);
    await once(this.server, 'listening');
    const address = this.server.address() as AddressInfo;
    const shown = host.includes(':') ? `[${host}]` : host;
    this.url = `http://${shown}:${address.port}`;
  }

  async close(): Promise<void> {
    this.closing = true;
    const closed = once(this.server, 'close');
    this.server.close();
    const ended = endIdleConnections(this.server);
    const timer = setTimeout(() => this.server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
    ended();
    this.proxy.close();
  }

  private async visit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const visit = this.arrive(request, response);
    try {
      checkSizes(request);
      await this.answer(visit);
    } catch (error) {
      await this.refuse(visit, error);
    }
  }

  private arrive(request: IncomingMessage, response: ServerResponse): Visit {
    const { headers, socket } = request;
    this.bodies.set(socket, request);
    const sent = headers['x-okapi-request-id'] ?? headers['x-request-id'];
    const requestId =
      typeof sent === 'string' && VISIBLE_ASCII.test(sent) ? sent : this.door.parts.ids.next();
    const origin = this.origins.read(socket.remoteAddress ?? '', headers);
    const answerHeaders = {
      'x-okapi-request-id': requestId,
      ...this.cors.headersFor(headers.origin, origin.publicUrl),
      ...(this.closing ? { connection: 'close' } : {}),
    };
    return { request, response, requestId, origin, answerHeaders };
  }

  private async answer(visit: Visit): Promise<void> {
    const { request, response } = visit;
    const target = this.ownTarget(request.url ?? '');
    if (request.method === 'OPTIONS') {
      const headers = { ...visit.answerHeaders, ...this.cors.preflightHeaders(request.headers) };
      response.writeHead(204, headers).end();
      return;
    }
    if (target.path === '/' || target.path === DOCS_PATH) {
      const location = `${this.door.settings.pathPrefix}${DOCS_PATH}/index.html`;
      response.writeHead(302, { ...visit.answerHeaders, location }).end();
      return;
    }
    if (target.path.startsWith(`${DOCS_PATH}/`)) {
      await this.forward(visit, target, { service: 'gateway', claims: {} });
      return;
    }
    const { tenant, path } = okapiForm(target.path);
    const { headers, method = '' } = request;
    const { publicUrl } = visit.origin;
    const asked = { method, path, headers, publicUrl, ...(tenant === undefined ? {} : { tenant }) };
    const admitted = await this.admission.admit(asked);
    await this.forwardRoute(visit, { path, query: target.query }, admitted);
  }

  /** Without the public prefix. An absolute target names the server too; only its path counts. */
  private ownTarget(url: string): Target {
    const target = targetOf(url.replace(/^https?:\/\/[^/?#]*/i, ''));
    const { pathPrefix } = this.door.settings;
    if (pathPrefix === '') return target;
    if (target.path !== pathPrefix && !target.path.startsWith(`${pathPrefix}/`))
      throw failures.noRoute();
    return { path: target.path.slice(pathPrefix.length) || '/', query: target.query };
  }

  private async forwardRoute(
    visit: Visit,
    target: Target,
    { route, claims }: Admitted,
  ): Promise<void> {
    const service = { service: route.service, claims };
    if (!route.upload) return this.forward(visit, target, service);
    const end = this.uploads.begin(claims.tenantId ?? '');
    if (!end) throw tooMany(RETRY_SECONDS);
    try {
      await this.forward(visit, target, service);
    } finally {
      end();
    }
  }

  private async forward(
    visit: Visit,
    { path, query }: Target,
    { service, claims }: Pick<Route, 'service'> & Pick<Admitted, 'claims'>,
  ): Promise<void> {
    const { request, response, requestId, origin, answerHeaders } = visit;
    const { keys, clock, neighbours } = this.door.parts;
    const target = `${path}${query}`;
    const { method = '' } = request;
    const own = service === 'gateway';
    const headers = {
      ...requestHeaders(request.headers, own),
      'x-okapi-request-id': requestId,
      ...(own ? { [ADDRESS_HEADER]: origin.address } : {}),
    };
    const known = { issuer: 'gateway', requestId, publicUrl: origin.publicUrl, ...claims } as const;
    const neighbour = neighbours?.[service];
    if (neighbour && isBodyless(request)) {
      const call = { method, target, headers, caller: assertedCaller(known) };
      await passNear(request, response, { neighbour, call, answerHeaders }, this.door.windowMs);
      return;
    }
    const addresses = this.addresses.of(service);
    if (addresses.length === 0) throw unavailable(RETRY_SECONDS);
    const assertion = { ...known, audience: service, method, target };
    const signed = signAssertion(assertion, keys.pairs, clock.now());
    await this.proxy.pass(request, response, {
      addresses,
      target,
      headers: { ...headers, [ASSERTION_HEADER]: signed },
      answerHeaders,
      onLeave: (address) => this.addresses.leaves(address),
    });
  }

  private async refuse(
    { request, response, requestId, answerHeaders }: Visit,
    error: unknown,
  ): Promise<void> {
    const { status, headers, body, fault } = answerOf(error);
    const { log, metrics } = this.door.parts;
    metrics?.requestRefused(status);
    if (fault)
      log.error(
        { err: error, requestId, method: request.method, status },
        'request failed at the door',
      );
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const early = !request.complete;
    const own: OutgoingHttpHeaders = { ...headers, ...answerHeaders, 'cache-control': 'no-store' };
    if (status === 405) withVary(own, 'Origin');
    response.writeHead(status, {
      ...own,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-length': Buffer.byteLength(body),
      ...(early ? { connection: 'close' } : {}),
    });
    if (request.method !== 'HEAD') response.write(body);
    if (early) await drained(request);
    response.end();
  }
}

/** `/_/invoke/tenant/{tenant}/<path>` is `<path>` with `X-Okapi-Tenant: {tenant}`. */
function okapiForm(path: string): { readonly tenant?: string; readonly path: string } {
  const [, tenant, rest = '/'] = OWN_TENANT.exec(path) ?? [];
  if (tenant === undefined) return { path };
  const named = namedTenant(decodeURIComponent(tenant));
  return { path: rest, ...(named === undefined ? {} : { tenant: named }) };
}

/** @throws HttpRefusal 414, 431 */
function checkSizes({ url = '', rawHeaders }: IncomingMessage): void {
  if (url.length > URL_BYTES_MAX) throw new HttpRefusal(414);
  // Names and values, each with ": " or a line end.
  const bytes = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  if (bytes > HEADER_BYTES_MAX || rawHeaders.length / 2 > HEADER_LINES_MAX)
    throw new HttpRefusal(431);
}

interface ParserError extends NodeJS.ErrnoException {
  /** The last bytes that came, and how many of them were read. */
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/**
 * What Node's parser refuses never becomes a request: bad syntax, smuggling, a head that is too long or too slow. Or it was
 * one until its client stopped in the middle of the body, and still listens.
 */
function refuseConnection(error: ParserError, socket: Duplex, inBody: boolean): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const ended = error.code === 'HPE_INVALID_EOF_STATE';
  const text = inBody && ended ? 'Upload stream has been interrupted' : undefined;
  const { status, headers, body } = answerOf(new HttpRefusal(statusOf(error), {}, text));
  const lines = Object.entries({ ...headers, 'content-length': body.length, connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} Refused\r\n${head}\r\n${body}`);
}

function statusOf({ code, rawPacket, bytesParsed }: ParserError): 400 | 408 | 414 | 431 {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (code !== 'HPE_HEADER_OVERFLOW') return 400;
  // Far over every limit. It was the target when the request line had not ended; later packets no longer show that.
  const read = rawPacket?.subarray(0, bytesParsed).toString('latin1') ?? '';
  return /^[A-Z]+ /.test(read) && !read.includes('\r\n') ? 414 : 431;
}
