import {
  ASSERTION_HEADER,
  type AssertedCaller,
  type AssertionVerifier,
} from '@quire/auth/assertion';
import type { Clock } from '@quire/contracts/clock';
import { notFound, unauthorised } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';
import type { ServiceName } from '@quire/contracts/scope';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkBodyHeaders, registerBodies } from './bodies.js';
import { answerOf, HttpRefusal } from './failure-answer.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import { NearRequest } from './neighbours.js';
import { RouteTable, targetOf } from './paths.js';

/**
 * What happens to every request of a service before its body is read: the path is checked, the assertion verified, then
 * route, method, encoding and content type. So nobody who cannot prove to come from the gateway makes a service parse
 * anything. Permissions are decided later, by the guard of the matched handler.
 */
declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, from the verified assertion. */
    caller?: AssertedCaller;
  }
}

export interface RequestRules {
  readonly service: ServiceName;
  readonly routes: readonly Route[];
  readonly verifier: AssertionVerifier;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** It stops soon: callers had better take their next request elsewhere. */
  readonly leaves?: () => boolean;
}

export function registerRequestRules(fastify: FastifyInstance, rules: RequestRules): void {
  const table = new RouteTable(rules.routes);
  const entries = new Map(rules.routes.map((route) => [`${route.method} ${route.path}`, route]));
  const routeOf = (request: FastifyRequest): Route | undefined => {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    return entries.get(`${method} ${request.routeOptions.url ?? ''}`);
  };
  fastify.decorateRequest('caller', undefined);
  registerBodies(fastify, routeOf);
  fastify.addHook('onRequest', (request, reply, done) => {
    if (rules.leaves?.()) void reply.header('connection', 'close');
    try {
      const target = request.raw.url ?? '';
      const { path } = targetOf(target);
      request.caller = verified(request, target, rules);
      if (request.is404) throw unknownRoute(table, request.method, path);
      checkBodyHeaders(request, routeOf(request));
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    answered(request, reply, rules);
    done();
  });
}

function verified(request: FastifyRequest, target: string, rules: RequestRules): AssertedCaller {
  if (request.raw instanceof NearRequest) return request.raw.caller;
  const token = request.headers[ASSERTION_HEADER];
  const caller =
    typeof token === 'string'
      ? rules.verifier.verify(token, { method: request.method, target }, rules.clock.now())
      : undefined;
  if (!caller) throw unauthorised('Invalid token');
  return caller;
}

/** 405 with `Allow` where the path is known, else 404. */
export function unknownRoute(table: RouteTable, method: string, path: string): Error {
  const found = table.find(method, path);
  if (!found) return notFound('No suitable module found for path and tenant');
  return new HttpRefusal(405, { allow: [...new Set(found.allowed)].join(', ') });
}

function answered(request: FastifyRequest, reply: FastifyReply, rules: RequestRules): void {
  const { method, caller } = request;
  const route = request.routeOptions.url ?? 'unknown';
  const seconds = reply.elapsedTime / 1000;
  const status = reply.statusCode;
  rules.metrics?.requestAnswered({ service: rules.service, method, route, status, seconds });
  const { requestId, tenantId } = caller ?? {};
  rules.log.debug(
    { method, route, status, ms: Math.round(reply.elapsedTime), requestId, tenantId },
    'answered',
  );
}

/** For what Fastify refuses before any hook: its router cannot read the path. */
export function answerFrameworkError(error: unknown, reply: FastifyReply): void {
  const { status, headers, body } = answerOf(error);
  const invalidPath = status === 400;
  void reply
    .code(status)
    .headers(headers)
    .send(invalidPath ? 'Invalid path' : body);
}
