import { Health, together } from './health.js';

const fine = () => Promise.resolve();
const gone = () => Promise.reject(new Error('gone'));

describe('a service', () => {
  it('is down without what it needs', async () => {
    const health = new Health();
    health.add('postgres', gone);
    health.addOptional('kafka', fine);
    expect(await health.ready()).toEqual({
      status: 'DOWN',
      checks: { postgres: 'DOWN', kafka: 'UP' },
    });
  });

  it('is degraded without what only part of its work needs', async () => {
    const health = new Health();
    health.add('postgres', fine);
    health.addOptional('kafka', gone);
    expect(await health.ready()).toEqual({
      status: 'DEGRADED',
      checks: { postgres: 'UP', kafka: 'DOWN' },
    });
  });

  it('is down from the start of its stop, whatever its stores say', async () => {
    const health = new Health();
    health.add('postgres', fine);
    health.stop();
    expect((await health.ready()).status).toBe('DOWN');
  });
});

describe('a process', () => {
  it('is as ready as the least ready of its services', () => {
    const [up, degraded, down] = (['UP', 'DEGRADED', 'DOWN'] as const).map((status) => ({
      status,
      checks: {},
    })) as [never, never, never];
    expect(together(new Map([['a', up]])).status).toBe('UP');
    expect(
      together(
        new Map([
          ['a', up],
          ['b', degraded],
        ]),
      ).status,
    ).toBe('DEGRADED');
    expect(
      together(
        new Map([
          ['a', down],
          ['b', degraded],
        ]),
      ).status,
    ).toBe('DOWN');
  });
});
