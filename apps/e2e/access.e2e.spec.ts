import type { TenantDescriptor } from '@quire/contracts/gateway';
import type { Route } from '@quire/contracts/route';
import { ROUTES } from '@quire/contracts/routes';
import { generateMarc } from '@quire/testing/marc';
import { importEnds, instanceIds, runExport, startImport } from './src/steps.js';
import { PASSWORD, World, type Person } from './src/world.js';

const UNKNOWN = '11111111-1111-4111-8111-111111111111';
const concrete = (route: Route): string => route.path.replace(/:[A-Za-z]+/g, UNKNOWN);
const outside = ROUTES.filter((route) => !route.internal);
const closed = outside.filter((route) => route.access !== 'public');
const internal = ROUTES.filter((route) => route.internal).map(
  (route) => [`${route.method} ${route.path}`, route] as const,
);
const named = closed.map((route) => [`${route.method} ${route.path}`, route] as const);

describe('who may do what', () => {
  let world: World;
  let librarian: Person;
  let foreigner: Person;
  let operator: Person;

  beforeAll(async () => {
    world = await World.open();
    librarian = await world.as();
    operator = await world.as('supertenant');
    await operator.post<TenantDescriptor>('/_/proxy/tenants', {
      id: 'other',
      admin: { username: 'other', password: PASSWORD },
    });
    foreigner = await world.as('other', 'other');
  });

  afterAll(() => world[Symbol.asyncDispose]());

  it.each(named)('%s without a token is 401 and names its permission', async (_, route) => {
    const answer = await world.send(route.method, concrete(route), {
      headers: { 'x-okapi-tenant': 'library' },
    });
    const { permission } = route;
    const why = permission === undefined ? '' : `, access requires permission: ${permission}`;
    expect([answer.status, answer.text]).toEqual([401, `Token missing${why}`]);
  });

  it.each(named)('%s with the token of another tenant is 403', async (_, route) => {
    const headers = { ...foreigner.headers, 'x-okapi-tenant': 'library' };
    const answer = await world.send(route.method, concrete(route), { headers });
    expect([answer.status, answer.text]).toEqual([403, 'Invalid token']);
  });

  it.each(internal)('%s is between services and unknown to everybody else', async (_, route) => {
    const answer = await librarian.send(route.method, concrete(route));
    expect([answer.status, answer.text]).toEqual([
      404,
      'No suitable module found for path and tenant',
    ]);
  });

  const withPermission = named.filter(([, route]) => route.permission !== undefined);
  const forLibrarians = withPermission.filter(
    ([, route]) => !route.permission?.startsWith('okapi.'),
  );
  const forOperators = withPermission.filter(([, route]) => route.permission?.startsWith('okapi.'));

  it.each(forLibrarians)('%s without its permission is 403 and names it', async (_, route) => {
    const answer = await operator.send(route.method, concrete(route));
    expect(answer.status).toBe(403);
    expect(answer.text).toMatch(
      new RegExp(
        `^Access for user 'admin' \\([0-9a-f-]{36}\\) requires permission: ${route.permission ?? ''}$`,
      ),
    );
  });

  it.each(forOperators)('%s is for the supertenant', async (_, route) => {
    const answer = await librarian.send(route.method, concrete(route));
    expect(answer.status).toBe(403);
    expect(answer.text).toContain(`requires permission: ${route.permission ?? ''}`);
  });

  it.each(named)('%s at the port of its service, past the gateway, is 401', async (_, route) => {
    const url = world.quire.serviceUrls[route.service] ?? '';
    const answer = await world.send(route.method, url + concrete(route), {
      headers: librarian.headers,
    });
    expect([answer.status, answer.text]).toEqual([401, 'Invalid token']);
  });

  it('answers for another tenant’s records, jobs and definitions as for unknown ones', async () => {
    const jobId = await startImport(librarian, Buffer.concat([...generateMarc(3, 5)]));
    await importEnds(librarian, jobId);
    const ids = await instanceIds(librarian, jobId);
    for (const path of ['/change-manager/jobExecutions/', '/source-storage/snapshots/']) {
      const [theirs, unknown] = [
        await foreigner.send('GET', path + jobId),
        await foreigner.send('GET', path + UNKNOWN),
      ];
      expect(theirs.status).toBe(404);
      expect(theirs.text.replace(jobId, UNKNOWN)).toBe(unknown.text);
    }
    expect(await instanceIds(foreigner, jobId)).toEqual([]);
    const job = await runExport(foreigner, ids.join('\n'));
    expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 5, total: 5 } });
  });
});

describe('the description of the API', () => {
  it('names every route with its method', async () => {
    await using world = await World.open();
    const { json } = await world.send('GET', '/openapi.json');
    const api = json as { openapi: string; paths: Record<string, Record<string, unknown>> };
    expect(api.openapi).toBe('3.1.0');
    const described = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
      ),
    );
    // The descriptions themselves are what everybody starts from.
    const missing = outside
      .filter((route) => !['/openapi.json', '/asyncapi.json'].includes(route.path))
      .map((route) => `${route.method} ${route.path}`)
      .filter((route) => !described.includes(route));
    expect(missing).toEqual([]);
  });

  it('has a page to read and try it, without anything from outside', async () => {
    await using world = await World.open();
    const page = await world.send('GET', '/docs/index.html');
    expect(page.status).toBe(200);
    expect(page.text).toContain('swagger-ui');
    expect(page.text).not.toMatch(/src="https?:|href="https?:/);
  });
});
