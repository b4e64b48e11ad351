import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { World, type Answer } from './world.js';

/** Of the services only data-export runs, as a stand-in; the whole story is in `apps/e2e/tenant-install.e2e.spec.ts`. */
describe('an install', () => {
  let world: World;
  let token: string;

  beforeAll(async () => {
    world = await World.start(await testDatabase(), testClock(new Date()));
    token = await world.login('supertenant');
  });

  afterAll(() => world.stop());

  const install = (...services: readonly string[]): Promise<Answer> =>
    world.ask('/_/proxy/tenants/library/install', {
      method: 'POST',
      headers: { 'x-okapi-token': token, 'content-type': 'application/json' },
      body: JSON.stringify(services.map((id) => ({ id, action: 'enable' }))),
    });
  const source = () => world.isolated.sources.get('data-export');

  it('tells the services that it names, and no other', async () => {
    await source()?.query(`update tenant set enabled = false where tenant_id = 'library'`);
    const known = (): Promise<unknown> =>
      Promise.resolve(source()?.query(`select enabled from tenant where tenant_id = 'library'`));
    expect((await install('gateway-0.1.0', 'mod-data-export-5.0.0')).status).toBe(200);
    expect(await known()).toEqual([{ enabled: false }]);
    expect((await install('gateway-0.1.0', 'data-export-0.1.0')).status).toBe(200);
    expect(await known()).toEqual([{ enabled: true }]);
  });

  it('is described, with its parameters, the list it takes and the list it gives', async () => {
    interface Described {
      readonly parameters: readonly { readonly name: string }[];
      readonly requestBody: unknown;
      readonly responses: Readonly<Record<string, unknown>>;
    }
    const { paths } = JSON.parse((await world.ask('/openapi.json')).text) as {
      paths: Record<string, { post: Described }>;
    };
    const { parameters, requestBody, responses } = paths['/_/proxy/tenants/{id}/install']?.post ?? {
      parameters: [],
    };
    const names = ['async', 'id', 'simulate', 'tenantParameters'];
    expect(parameters.map(({ name }) => name).sort()).toEqual(names);
    const list = {
      content: {
        'application/json': {
          schema: { type: 'array', items: { $ref: '#/components/schemas/ModuleInstall' } },
        },
      },
    };
    expect([requestBody, responses?.['200']]).toMatchObject([list, list]);
  });

  it('is a 503 while a service that it names is away, and may be repeated', async () => {
    const answer = await install('data-export', 'finance-storage');
    expect([answer.status, answer.text, answer.headers['retry-after']]).toEqual([
      503,
      'Service unavailable, retry in 5 s',
      '5',
    ]);
    expect((await install('data-export')).status).toBe(200);
  });
});
