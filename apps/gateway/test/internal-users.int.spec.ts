import { json, text } from 'node:stream/consumers';
import { SYSTEM_USER_ID, type ServiceName } from '@quire/contracts/scope';
import { randomIds } from '@quire/service/clock';
import { ServiceClient, type ServiceAnswer } from '@quire/service/service-client';
import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { decodeJwt } from 'jose';
import { World } from './world.js';

const ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';

describe('who a user is', () => {
  let world: World;
  let token: string;

  beforeAll(async () => {
    world = await World.start(await testDatabase(), testClock(new Date()));
    token = await world.login();
  });

  afterAll(() => world.stop());

  const target = (id: string): string => `/internal/users/${id}`;
  const call = (issuer: ServiceName, id: string): Promise<ServiceAnswer> => {
    const { urls, keys } = world.isolated;
    const client = new ServiceClient(issuer, urls, keys.of(issuer).pairs, world.clock, randomIds);
    const scope = { tenantId: 'library', actorId: SYSTEM_USER_ID };
    return client.call({ to: 'gateway', method: 'GET', target: target(id), scope });
  };
  const adminId = (): string => String(decodeJwt(token).user_id);

  it('is told to data-import', async () => {
    const answer = await call('data-import', adminId());
    expect([answer.status, await json(answer.body)]).toEqual([
      200,
      { id: adminId(), username: 'admin', active: true },
    ]);
  });

  it('is unknown under another id', async () => {
    for (const id of [ID, 'x']) {
      const answer = await call('data-import', id);
      expect([answer.status, await text(answer.body)]).toEqual([404, 'Not found']);
    }
  });

  it('is told to no other service, not even by the gateway, and to nobody outside', async () => {
    expect((await call('gateway', adminId())).status).toBe(401);
    expect(
      (
        await world.ask(target(adminId()), {
          headers: { 'x-okapi-tenant': 'library', 'x-okapi-token': token },
        })
      ).status,
    ).toBe(404);
  });
});
