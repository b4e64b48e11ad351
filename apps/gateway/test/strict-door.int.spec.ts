import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { World } from './world.js';

const JOB = '/data-export/job-executions/7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';

describe('a strict door', () => {
  it('answers a missing token with 400, limits the rate and knows its prefix and proxies', async () => {
    const world = await World.start(await testDatabase(), testClock(new Date()), {
      okapiStrict: true,
      rateLimit: 2,
      pathPrefix: '/api',
      trustedProxies: ['127.0.0.0/8'],
    });
    try {
      expect(
        await world.ask(`/api${JOB}`, { headers: { 'x-okapi-tenant': 'library' } }),
      ).toMatchObject({ status: 400 });
      expect((await world.ask(JOB)).status).toBe(404);
      const login = await world.ask('/api/authn/login', {
        method: 'POST',
        headers: {
          'x-okapi-tenant': 'library',
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'quire.example',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ username: 'admin', password: 'correct horse' }),
      });
      expect(login.headers['set-cookie']?.[0]).toMatch(
        /Path=\/api\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      const headers = { 'x-okapi-token': String(login.headers['x-okapi-token']) };
      const statuses: number[] = [];
      for (let count = 0; count < 5; count += 1)
        statuses.push((await world.ask(`/api${JOB}`, { headers })).status);
      expect(statuses).toEqual([200, 200, 200, 200, 429]);
    } finally {
      await world.stop();
    }
  });
});
