import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ServiceName } from '@quire/contracts/scope';

export interface AnsweredRequest {
  readonly service: ServiceName;
  readonly method: string;
  /** Pattern, not the path: the number of series must stay bounded. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** What a process counts, in the form of Prometheus. One per process, shared by its services. */
export class Metrics {
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
    help: '1 while the service takes work',
    labelNames: ['service'],
    registers: [this.registry],
  });
  private readonly refusals = new Counter({
    name: 'quire_refused_total',
    help: 'Requests the gateway refused, by status',
    labelNames: ['status'],
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

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
