import type { Route } from '@quire/contracts/route';
import { ROUTES } from '@quire/contracts/routes';
import {
  operationOf,
  queryParametersOf,
  sampleOf,
  UNKNOWN_ID,
  wrongFor,
  type ApiParameter,
  type OpenApi,
} from './src/openapi.js';
import { QueryReads } from './src/query-reads.js';
import { SEED_PARAMETERS } from './src/seed-oracle.js';
import { fetchOnce, World, type Person } from './src/world.js';

/** The descriptions themselves stand in no description. */
const DESCRIPTIONS = ['/openapi.json', '/asyncapi.json'];
const routes = ROUTES.filter((route) => !route.internal && !DESCRIPTIONS.includes(route.path))
  // A session that has ended can ask no more.
  .sort((a, b) => Number(a.path.startsWith('/authn/')) - Number(b.path.startsWith('/authn/')))
  .map((route) => [`${route.method} ${route.path}`, route] as const);

/** Where the smallest body that the description allows is refused, for it does not say how long a list must be. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /finance-storage/group-fund-fiscal-years/bulk': { operations: [{ op: 'add' }] },
};

type Values = Readonly<Record<string, string>>;

interface Asked {
  readonly status: number;
  readonly text: string;
}

/**
 * Every route is asked twice: with what the description requires, and with all that it has. The services run in this process, so
 * that it is seen which parameters they look at.
 */
describe('the description of query parameters', () => {
  let world: World;
  let api: OpenApi;
  let people: { readonly librarian: Person; readonly operator: Person };
  let reads: QueryReads;
  const refused: string[] = [];

  beforeAll(async () => {
    world = await World.open();
    await logIn();
    api = (await world.send('GET', '/openapi.json')).json as OpenApi;
    reads = new QueryReads();
    for (const [call, route] of routes) {
      for (const query of [leastOf(route), valuesOf(describedOf(route))]) {
        const { status, text } = await ask(route, query);
        if (status === 401 || text.includes('requires permission'))
          refused.push(`${call}: ${text}`);
      }
    }
    // The last of them was to log out.
    await logIn();
  });

  async function logIn(): Promise<void> {
    people = { librarian: await world.as(), operator: await world.as('supertenant') };
  }

  afterAll(async () => {
    reads[Symbol.dispose]();
    await world[Symbol.asyncDispose]();
  });

  async function ask(route: Route, query: Values): Promise<Asked> {
    const { method, path } = route;
    const person = path.startsWith('/_/proxy/') ? people.operator : people.librarian;
    const target = `${path.replace(/:\w+/g, UNKNOWN_ID)}?${new URLSearchParams(query).toString()}`;
    const body = bodyOf(route);
    const answer = await fetchOnce(world.url + target, {
      method,
      headers: { ...person.headers, ...(body ? { 'content-type': body.type } : {}) },
      ...(body ? { body: body.text } : {}),
    });
    return { status: answer.status, text: await answer.text() };
  }

  const describedOf = ({ method, path }: Route): readonly ApiParameter[] =>
    queryParametersOf(operationOf(api, method, path));

  const valuesOf = (parameters: readonly ApiParameter[]): Values =>
    Object.fromEntries(
      parameters.map(({ name, schema }) => [name, String(sampleOf(api, schema.items ?? schema))]),
    );

  const leastOf = (route: Route): Values =>
    valuesOf(describedOf(route).filter((one) => one.required === true));

  function bodyOf({ method, path }: Route): { type: string; text: string } | undefined {
    const content = operationOf(api, method, path)?.requestBody?.content ?? {};
    const [type, media] = Object.entries(content)[0] ?? [];
    if (type === undefined || !media) return undefined;
    if (type === 'application/octet-stream') return { type, text: '' };
    const body = BODIES[`${method} ${path}`] ?? sampleOf(api, media.schema ?? {});
    return { type, text: JSON.stringify(body) };
  }

  it('is tried with requests that are let in', () => {
    expect(refused).toEqual([]);
  });

  it('is of operations that have ids of their own', () => {
    const ids = Object.values(api.paths)
      .flatMap((calls) => Object.values(calls))
      .map(({ operationId }) => operationId);
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids.length).toBeGreaterThan(100);
  });

  it.each(routes)('%s: what is read is described, what is described is read', (call, route) => {
    const read = reads.of(call);
    expect(read).toBeDefined();
    const names = [...(read?.names ?? [])];
    // Else the body has kept the method from being called.
    if (read?.taken === true) expect(names).not.toEqual([]);
    const described = describedOf(route).map((one) => one.name.toLowerCase());
    expect(names.sort()).toEqual(described.sort());
  });

  it.each(routes)('%s refuses the values that its description does not allow', async (_, route) => {
    for (const { name, schema } of describedOf(route)) {
      const wrong = wrongFor(schema);
      if (wrong === undefined) continue;
      const { status, text } = await ask(route, { ...leastOf(route), [name]: wrong });
      expect([name, status, text]).toEqual([
        name,
        400,
        expect.stringMatching(new RegExp(`^'${name}' parameter is incorrect`)),
      ]);
    }
  });

  it.each(SEED_PARAMETERS)('$call: $name is described as its seed prints it', (seed) => {
    const { required = false, pattern, ...schema } = seed.parameter;
    const [method = '', path = ''] = seed.call.split(' ');
    const described = queryParametersOf(operationOf(api, method, path));
    const found = described.find((one) => one.name === seed.name);
    expect(found).toMatchObject({ required, schema });
    // A choice is easier to make from a list than from a pattern.
    const allowed = found?.schema.enum?.join('|') ?? found?.schema.pattern?.replace(/^\^|\$$/g, '');
    if (pattern !== undefined) expect(allowed).toBe(pattern);
  });
});
