import { rateOf } from './job-progress.js';

const worked = {
  handled: 500,
  total: 2000,
  seconds: 10,
  now: new Date('2026-05-01T10:00:00Z'),
  runs: true,
};

describe('the rate of an import', () => {
  it('is what was handled in the time it took, and when the rest will be done', () => {
    expect(rateOf(worked)).toEqual({
      recordsPerSecond: 50,
      eta: '2026-05-01T10:00:30.000+00:00',
    });
    expect(rateOf({ ...worked, handled: 1, seconds: 3 }).recordsPerSecond).toBe(0.3);
  });

  it('foretells nothing of what does not run, has not begun, or is done', () => {
    for (const changes of [{ runs: false }, { handled: 0 }, { handled: 2000 }])
      expect(rateOf({ ...worked, ...changes })).not.toHaveProperty('eta');
    expect(rateOf({ ...worked, handled: 0, seconds: 0 })).toEqual({ recordsPerSecond: 0 });
  });
});
