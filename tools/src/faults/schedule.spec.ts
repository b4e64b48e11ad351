import { SERVICES } from '@quire/contracts/scope';
import { describeStrike, ENGINES, scheduleOf, targetOf } from './schedule.js';

const REPLICAS = 2;
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed + 1);

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(scheduleOf(7, REPLICAS)).toEqual(scheduleOf(7, REPLICAS));
    const different = new Set(SEEDS.map((seed) => JSON.stringify(scheduleOf(seed, REPLICAS))));
    expect(different.size).toBe(SEEDS.length);
  });

  it('hits every replica of every service and every engine, in each way, within 200 seeds', () => {
    const seen = new Set(
      SEEDS.flatMap((seed) => scheduleOf(seed, REPLICAS)).map(
        ({ fault }) => `${fault.kind} ${targetOf(fault)}`,
      ),
    );
    const replicas = SERVICES.flatMap((service) => [`${service}-0`, `${service}-1`]);
    const wanted = [
      ...replicas.flatMap((one) => [`kill ${one}`, `term ${one}`, `cut ${one}`, `freeze ${one}`]),
      ...ENGINES.flatMap((one) => [`kill ${one}`, `stop ${one}`]),
    ];
    expect([...seen].sort()).toEqual(wanted.sort());
  });

  it('never hits again what is still down', () => {
    for (const seed of SEEDS) {
      const until = new Map<string, number>();
      for (const { atMs, lastsMs, fault } of scheduleOf(seed, REPLICAS)) {
        expect(until.get(targetOf(fault)) ?? -1).toBeLessThan(atMs);
        until.set(targetOf(fault), atMs + lastsMs);
      }
    }
  });

  it('freezes some processes for longer than a lease and a session last', () => {
    const freezes = SEEDS.flatMap((seed) => scheduleOf(seed, REPLICAS)).filter(
      ({ fault }) => fault.kind === 'freeze',
    );
    expect(freezes.some(({ lastsMs }) => lastsMs > 12_000)).toBe(true);
  });

  it('can be read', () => {
    const fault = { kind: 'kill', engine: 'broker' } as const;
    expect(describeStrike({ atMs: 1500, lastsMs: 2000, fault })).toBe(
      'kill broker at 1.5 s for 2.0 s',
    );
  });
});
