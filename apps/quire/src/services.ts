import { setTimeout as delay } from 'node:timers/promises';
import type { KeyRing } from '@quire/auth/keys';
import type { ServiceName } from '@quire/contracts/scope';
import { dataExport } from '@quire/data-export/service';
import { dataImport } from '@quire/data-import/service';
import { financeStorage } from '@quire/finance-storage/service';
import { gateway } from '@quire/gateway/service';
import {
  startService,
  type Listen,
  type RunningService,
  type ServiceDefinition,
  type ServiceParts,
} from '@quire/service/boot';
import { randomIds, systemClock } from '@quire/service/clock';
import type { Health } from '@quire/service/health';
import type { Log } from '@quire/service/log';
import { Metrics } from '@quire/service/metrics';
import type { Neighbours } from '@quire/service/neighbours';
import { openOperations, type Operations } from '@quire/service/operations';
import type { ServiceUrls } from '@quire/service/service-client';
import { sourceRecordStorage } from '@quire/source-record-storage/service';
import type { DataSource } from 'typeorm';
import type { Backends } from './backends.js';
import { isEmbedded, type QuireSettings } from './config.js';

/** In the order of their start: who is called first. */
const DEFINITIONS: readonly ServiceDefinition[] = [
  sourceRecordStorage,
  dataImport,
  dataExport,
  financeStorage,
  gateway,
];

export function definitionsOf({ runs }: QuireSettings): readonly ServiceDefinition[] {
  return DEFINITIONS.filter(({ name }) => runs.includes(name));
}

/** Events and requests in hand may take so long to finish at a stop. */
const BUS_GRACE_MS = 20_000;
/** So long a process that is not ready any more still takes requests: balancers look at readiness every second or so. */
const DRAIN_MS = 1500;
/** Connections of one service; the relay holds one of them for good. */
export const POOL_SIZE = 10;
const LOOPBACK = '127.0.0.1';
const EVERYWHERE = '0.0.0.0';

export interface Foundations {
  readonly keys: KeyRing;
  /** Opens the tables of a service; may wait until they are there. */
  readonly openTables: (
    definition: ServiceDefinition,
    onError: (error: Error) => void,
  ) => Promise<DataSource>;
  /** After the tables are open: who makes the topics makes the tables last. */
  readonly openBackends: (parts: {
    readonly log: Log;
    readonly metrics: Metrics;
  }) => Promise<Backends>;
}

/** The services of this process, the bus between them, and their operations port. */
export class Services {
  readonly urls: ServiceUrls;
  private readonly neighbours: Neighbours = {};
  private readonly running: RunningService[] = [];
  private readonly health = new Map<ServiceName, Health>();
  readonly metrics = new Metrics();
  private waitsFor: string | undefined = 'the start';
  private stopping = false;
  private operations: Operations | undefined;

  /** @param opened gets what has to be closed, in the order of its opening */
  constructor(
    private readonly settings: QuireSettings,
    readonly log: Log,
    private readonly opened: AsyncDisposableStack,
  ) {
    this.urls = { ...settings.serviceUrls };
  }

  /** Where clients come in, or, of a process without a public door, where the other services do. */
  get url(): string {
    const door = this.running.find(({ publicUrl }) => publicUrl !== undefined)?.publicUrl;
    return door === undefined ? (this.running[0]?.url ?? '') : door + this.settings.pathPrefix;
  }

  get operationsUrl(): string {
    return this.operations?.url ?? '';
  }

  get(name: ServiceName): RunningService {
    const found = this.running.find((service) => service.name === name);
    if (!found) throw new Error(`${name} does not run.`);
    return found;
  }

  /** For probes, while something is not there yet. */
  waitFor(what: string): void {
    this.waitsFor = what;
  }

  async openOperations(): Promise<void> {
    const { operationsHost: host, operationsPort: port } = this.settings;
    const { metrics, health } = this;
    const services = definitionsOf(this.settings).map(({ name }) => name);
    const waitsFor = (): string | undefined => this.waitsFor;
    const operations = await openOperations({ host, port, metrics, services, health, waitsFor });
    this.operations = operations;
    this.opened.defer(() => operations.close());
  }

  async start({ keys, openTables, openBackends }: Foundations): Promise<void> {
    const tables: (readonly [ServiceDefinition, DataSource])[] = [];
    for (const definition of definitionsOf(this.settings)) {
      const onError = (error: Error): void => this.connectionLost(definition.name, error);
      const source = await openTables(definition, onError);
      this.opened.defer(() => source.destroy());
      tables.push([definition, source]);
    }
    const backends = await openBackends(this);
    // Also when a service does not start: the clients of a broker keep the process alive.
    const closeBus = new Once(() => backends.bus.close(BUS_GRACE_MS));
    this.opened.defer(() => closeBus.run());
    for (const [definition, source] of tables)
      await this.startOne(definition, { source, keys: keys.of(definition.name), ...backends });
    // Closed first: others take over, nothing new comes in, what is in hand is finished, then the services go.
    this.opened.defer(async () => {
      this.stopping = true;
      for (const service of this.running) service.health.stop();
      const handOvers = this.running.map((service) => service.handOver());
      await Promise.all([
        this.closeDoors(),
        Promise.allSettled(handOvers).then(() => closeBus.run()),
      ]);
    });
    for (const service of this.running) service.begin();
    this.waitsFor = undefined;
  }

  async settled(): Promise<void> {
    for (const service of this.running) await service.settled();
  }

  /** A connection that is taken in the moment of a close is cut, so the balancer first has to send its clients elsewhere. */
  private async closeDoors(): Promise<void> {
    if (!isEmbedded(this.settings)) await delay(DRAIN_MS);
    await Promise.all(this.running.map((service) => service.takeNoMore()));
  }

  private async startOne(
    definition: ServiceDefinition,
    own: Backends & Pick<ServiceParts, 'source' | 'keys'>,
  ): Promise<void> {
    const { settings, urls, neighbours, metrics, log } = this;
    const { name } = definition;
    const ofService: Partial<Record<ServiceName, object>> = settings.services;
    const parts = {
      ...own,
      service: name,
      clock: systemClock,
      ids: randomIds,
      log,
      urls,
      neighbours,
      metrics,
      settings: ofService[name] ?? settings,
      outbox: settings.outbox,
    };
    const publicly = { host: settings.host, port: settings.port };
    const service = await startService(definition, parts, this.internally(), publicly);
    this.opened.defer(() => service.stop());
    this.running.push(service);
    this.health.set(name, service.health);
  }

  private internally(): Listen {
    const { servicePort } = this.settings;
    const host = isEmbedded(this.settings) ? LOOPBACK : EVERYWHERE;
    return { host, port: servicePort === 0 ? 0 : servicePort + this.running.length };
  }

  /** Only the reason: the error of node-postgres carries the whole connection. */
  private connectionLost(service: ServiceName, error: Error): void {
    if (this.stopping) return;
    this.log.warn({ reason: error.message, service }, 'database connection lost');
  }
}

/** Something that is done at its first call; the later ones wait for it. */
class Once {
  private done: Promise<void> | undefined;

  constructor(private readonly work: () => Promise<void>) {}

  run(): Promise<void> {
    this.done ??= this.work();
    return this.done;
  }
}
