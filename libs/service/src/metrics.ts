import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ServiceName } from '@quire/contracts/scope';
import {
  GIVEN_UP_REASONS,
  type BusWatcher,
  type ConsumerStand,
  type GivenUpReason,
} from '@quire/messaging/event-bus';
import type { OutboxStand } from '@quire/messaging/outbox-level';

export interface AnsweredRequest {
  readonly service: ServiceName;
  readonly method: string;
  /** Pattern, not the path: the number of series must stay bounded. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** What a process counts, in the form of Prometheus. One per process, shared by its services. */
export class Metrics implements BusWatcher {
  readonly registry = new Registry();
  private readonly requests = new Histogram({
    name: 'quire_http_request_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['service', 'method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [this.registry],
  });
  private readonly up = new Gauge({
    name: 'quire_service_up',
    help: '1 while the service is ready, degraded or not; 0 before its start, without PostgreSQL, and from the start of its stop',
    labelNames: ['service'],
    registers: [this.registry],
  });
  private readonly refusals = new Counter({
    name: 'quire_refused_total',
    help: 'Requests the gateway refused, by status',
    labelNames: ['status'],
    registers: [this.registry],
  });
  private readonly consumerLag = new Gauge({
    name: 'quire_consumer_lag',
    help: 'Messages of a topic that the group of a service has not finished',
    labelNames: ['service', 'topic'],
    registers: [this.registry],
  });
  private readonly pausedPartitions = new Gauge({
    name: 'quire_consumer_paused_partitions',
    help: 'Partitions that a consumer does not read because too much of them is in hand',
    labelNames: ['service'],
    registers: [this.registry],
  });
  private readonly stuckSeconds = new Gauge({
    name: 'quire_event_stuck_seconds',
    help: 'Time since the first try of the event that is tried longest; 0: none is',
    labelNames: ['service'],
    registers: [this.registry],
  });
  private readonly outboxRows = new Gauge({
    name: 'quire_outbox_rows',
    help: 'Events that wait in the outbox of a service',
    labelNames: ['service'],
    registers: [this.registry],
  });
  private readonly outboxOldestSeconds = new Gauge({
    name: 'quire_outbox_oldest_seconds',
    help: 'Age of the event that waits longest in the outbox of a service; 0: none waits',
    labelNames: ['service'],
    registers: [this.registry],
  });
  private readonly deadLetters = new Counter({
    name: 'quire_dead_letters_total',
    help: 'Events given up, by reason',
    labelNames: ['service', 'reason'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  requestAnswered({ service, method, route, status, seconds }: AnsweredRequest): void {
    this.requests.observe({ service, method, route, status }, seconds);
  }

  serviceUp(service: ServiceName, up: boolean): void {
    this.up.set({ service }, up ? 1 : 0);
  }

  requestRefused(status: number): void {
    this.refusals.inc({ status });
  }

  lag(service: ServiceName, topic: string, messages: number): void {
    this.consumerLag.set({ service, topic }, messages);
  }

  consumer(service: ServiceName, { pausedPartitions, stuckSeconds }: ConsumerStand): void {
    this.pausedPartitions.set({ service }, pausedPartitions);
    this.stuckSeconds.set({ service }, stuckSeconds);
  }

  outbox(service: ServiceName, { rows, oldestSeconds }: OutboxStand): void {
    this.outboxRows.set({ service }, rows);
    this.outboxOldestSeconds.set({ service }, oldestSeconds);
  }

  /** From 0: of a series that is born with its first dead letter nobody sees an increase. */
  countDeadLettersOf(service: ServiceName): void {
    for (const reason of GIVEN_UP_REASONS) this.deadLetters.inc({ service, reason }, 0);
  }

  givenUp(service: ServiceName, reason: GivenUpReason): void {
    this.deadLetters.inc({ service, reason });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
