import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ServiceName } from '@quire/contracts/scope';
import { together, type Health, type Readiness } from './health.js';
import type { Metrics } from './metrics.js';

export interface Operations {
  readonly url: string;
  close(): Promise<void>;
}

export interface OperationsOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly metrics: Metrics;
  /** Those that the process runs, whether or not they have started. */
  readonly services: readonly ServiceName[];
  /** Of those that have started; may grow meanwhile. */
  readonly health: ReadonlyMap<ServiceName, Health>;
  /** What the start is waiting for; undefined when migrations ran and every service listens. */
  readonly waitsFor: () => string | undefined;
}

/** Metrics and health of a process, on a port of their own that is never published (conventions, section 19). */
export async function openOperations(options: OperationsOptions): Promise<Operations> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    answer(path, response, options).catch(() => response.destroy());
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://${options.host}:${port}`, close };
}

async function answer(
  path: string,
  response: ServerResponse,
  options: OperationsOptions,
): Promise<void> {
  switch (path) {
    case '/metrics': {
      const { metrics } = options;
      await lookWhoIsUp(options);
      return send(response, 200, await metrics.text(), metrics.registry.contentType);
    }
    case '/admin/health':
    case '/health/live':
      return send(response, 200, 'OK');
    case '/health/startup':
      return startup(response, options.waitsFor());
    case '/health/ready': {
      const readiness = await readinessOf(options);
      const status = readiness.status === 'DOWN' ? 503 : 200;
      return send(response, status, JSON.stringify(readiness), 'application/json; charset=utf-8');
    }
    default:
      return send(response, 404, 'Not found');
  }
}

/** At each reading: a service that lost its database tells nobody. */
async function lookWhoIsUp({ metrics, services, health }: OperationsOptions): Promise<void> {
  const looks = services.map(async (service) => {
    const readiness = await health.get(service)?.ready();
    metrics.serviceUp(service, readiness !== undefined && readiness.status !== 'DOWN');
  });
  await Promise.all(looks);
}

function startup(response: ServerResponse, waitsFor: string | undefined): void {
  if (waitsFor === undefined) send(response, 200, 'OK');
  else send(response, 503, `waiting for ${waitsFor}`);
}

async function readinessOf({ health, waitsFor }: OperationsOptions): Promise<Readiness> {
  const found = await Promise.all(
    [...health].map(async ([name, one]) => [name, await one.ready()] as const),
  );
  const { status, checks } = together(new Map(found));
  const missing = waitsFor();
  if (missing === undefined) return { status, checks };
  return { status: 'DOWN', checks: { ...checks, startup: `DOWN: waiting for ${missing}` } };
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
