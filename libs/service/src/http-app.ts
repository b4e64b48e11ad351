import type { Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { declaredRoutes } from '@quire/auth/declared-routes';
import { AssertionGuard } from '@quire/auth/permissions';
import type { Route } from '@quire/contracts/route';
import fastify, { type FastifyInstance } from 'fastify';
import { ContractPipe } from './contract.pipe.js';
import { FailureFilter } from './failure.filter.js';
import { NestLog } from './log.js';
import { neighbourOf, type Neighbour } from './neighbours.js';
import { parseQuery } from './queries.js';
import { answerFrameworkError, registerRequestRules, type RequestRules } from './requests.js';

/** Gateway headers come on top of the 16 KiB that a client may send. */
const HEADER_BYTES_MAX = 65_536;
/** Longer than the keep-alive of our own callers, so that they and not we end an idle connection. */
const KEEP_ALIVE_MS = 75_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** As long as the longest path: a longer parameter must not turn into a 404 of the router's own. */
const PARAMETER_CHARACTERS_MAX = 16_384;

export interface HttpApp {
  readonly app: NestFastifyApplication;
  /** What its controllers serve. */
  readonly routes: readonly Route[];
  /** For services of the same process. */
  readonly neighbour: Neighbour;
}

/** The HTTP side of a service: one Nest application on Fastify with all rules of the house. Not listening yet. */
export async function createHttpApp(
  module: Type | object,
  rules: Omit<RequestRules, 'routes'>,
  prepare: (app: NestFastifyApplication) => void = () => undefined,
): Promise<HttpApp> {
  const server = newFastify();
  const adapter = new FastifyAdapter(
    server as unknown as ConstructorParameters<typeof FastifyAdapter>[0],
  );
  const app = await NestFactory.create<NestFastifyApplication>(module as Type, adapter, {
    bodyParser: false,
    logger: new NestLog(rules.log),
    abortOnError: false,
  });
  const routes = declaredRoutes(controllersOf(app));
  const foreign = routes.filter((route) => route.service !== rules.service);
  if (foreign.length > 0)
    throw new Error(`${rules.service} serves ${foreign.map((one) => one.path).join()}.`);
  registerRequestRules(server, { ...rules, routes });
  app.useGlobalGuards(new AssertionGuard());
  app.useGlobalPipes(new ContractPipe());
  app.useGlobalFilters(new FailureFilter(rules.log));
  prepare(app);
  await app.init();
  await server.ready();
  return { app, routes, neighbour: neighbourOf((...near) => server.routing(...near)) };
}

function newFastify(): FastifyInstance {
  return fastify({
    forceCloseConnections: 'idle',
    // What comes over a kept connection while we stop is answered, with the word that it was the last.
    return503OnClosing: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_TIMEOUT_MS },
    routerOptions: {
      ignoreDuplicateSlashes: true,
      ignoreTrailingSlash: true,
      maxParamLength: PARAMETER_CHARACTERS_MAX,
      querystringParser: (text) => parseQuery(text) as Record<string, string>,
    },
    frameworkErrors: (error, _request, reply) => answerFrameworkError(error, reply),
  });
}

function controllersOf(app: NestFastifyApplication): readonly object[] {
  return [...app.get(ModulesContainer).values()].flatMap((module) =>
    [...module.controllers.values()].map((wrapper) => wrapper.instance),
  );
}
