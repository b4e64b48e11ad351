import { startIsolated, type Isolated } from '@quire/service/isolated';
import { Tenants } from '@quire/service/tenants';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { financeStorage } from '../src/service.js';

describe('finance-storage', () => {
  let database: TestDatabase;
  let world: Isolated;

  beforeAll(async () => {
    database = await testDatabase();
    world = await startIsolated([financeStorage], { databaseUrl: database.url });
  });

  afterAll(async () => {
    await world.stop();
    await database.close();
  });

  it('is ready, learns of tenants and describes itself', async () => {
    const service = world.services.get('finance-storage');
    expect((await service?.health.ready())?.status).toBe('UP');
    await world.enable('library');
    await world.enable('library');
    expect(await service?.app.get(Tenants).list()).toEqual(['library']);
    const scope = { tenantId: 'library', actorId: '11111111-1111-4111-8111-111111111111' };
    const target = '/internal/openapi.json';
    const api = await world.client.json({ to: 'finance-storage', method: 'GET', target, scope });
    expect(api).toMatchObject({ openapi: '3.1.0', info: { title: 'Quire finance-storage' } });
  });
});
