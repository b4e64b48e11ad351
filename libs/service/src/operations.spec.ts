import type { ServiceName } from '@quire/contracts/scope';
import { Health } from './health.js';
import { Metrics } from './metrics.js';
import { openOperations, type Operations } from './operations.js';

const fine = () => Promise.resolve();
const gone = () => Promise.reject(new Error('gone'));

describe('the metrics of a process', () => {
  const services = ['gateway', 'data-export'] as const;
  let health: Map<ServiceName, Health>;
  let operations: Operations;

  beforeEach(async () => {
    health = new Map();
    const ofProcess = { metrics: new Metrics(), services, health, waitsFor: () => undefined };
    operations = await openOperations({ host: '127.0.0.1', port: 0, ...ofProcess });
  });

  afterEach(() => operations.close());

  const up = async (): Promise<Record<string, number>> => {
    const text = await (await fetch(`${operations.url}/metrics`)).text();
    const found = text.matchAll(/^quire_service_up\{service="([^"]+)"\} (\d)$/gm);
    const series = [...found].map(([, service = '', value]): [string, number] => [
      service,
      Number(value),
    ]);
    return Object.fromEntries(series);
  };

  it('call a service down that has not started', async () => {
    expect(await up()).toEqual({ gateway: 0, 'data-export': 0 });
    health.set('gateway', new Health());
    expect(await up()).toEqual({ gateway: 1, 'data-export': 0 });
  });

  it('say at each reading whether a service has what it needs', async () => {
    let database = fine;
    const ofService = new Health();
    ofService.add('postgres', () => database());
    health.set('data-export', ofService);
    expect(await up()).toMatchObject({ 'data-export': 1 });
    database = gone;
    expect(await up()).toMatchObject({ 'data-export': 0 });
    database = fine;
    expect(await up()).toMatchObject({ 'data-export': 1 });
  });

  it('call a degraded service up, and a stopping one down', async () => {
    const ofService = new Health();
    ofService.addOptional('kafka', gone);
    health.set('gateway', ofService);
    expect(await up()).toMatchObject({ gateway: 1 });
    ofService.stop();
    expect(await up()).toMatchObject({ gateway: 0 });
  });
});
