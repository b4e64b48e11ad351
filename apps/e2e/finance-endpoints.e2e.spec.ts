import {
  financeBatchRoutes,
  financeBulkRoutes,
  financeRoutes,
} from '@quire/contracts/finance-routes';
import type { Route } from '@quire/contracts/route';
import { fetchOnce, World, type Person } from './src/world.js';

/**
 * The rows of reliability 18.1 to 18.4 that have the same answer everywhere, held against every endpoint of finance-storage,
 * through the gateway. What is particular to one of them is in `finance-inputs.e2e.spec.ts`.
 */
const UNKNOWN = '11111111-1111-4111-8111-111111111111';
const BAD_ID =
  'Invalid UUID format of id, should be xxxxxxxx-xxxx-Mxxx-Nxxx-xxxxxxxxxxxx where M is 1-5 and N is 8, 9, a, b, A or B and x is 0-9, a-f or A-F.';
const JSON_TYPE = { 'content-type': 'application/json' };

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const filled = ({ path }: Route, id = UNKNOWN): string => path.replaceAll(/:\w+/g, id);
const segmentsOf = ({ path }: Route): readonly string[] =>
  path.split('/').filter((segment) => segment !== '' && !segment.startsWith(':'));

/** All that read a body; one of them may do without. */
const writing = financeRoutes.filter(({ method }) => method === 'POST' || method === 'PUT');
const needing = writing.filter((route) => route !== financeBulkRoutes.putByKey);
const reading = financeRoutes.filter(({ method, path }) => method === 'GET' && !path.includes(':'));
const named = financeRoutes.filter(({ path }) => path.includes(':'));
const large = new Set<Route>([...Object.values(financeBatchRoutes), financeBulkRoutes.bulk]);

/** Of a PUT: without fault. */
function bodyOf(route: Route): string {
  if (route === financeBulkRoutes.putByKey) return '{}';
  const names = { code: 'a', name: 'a' };
  const pair = { fundId: UNKNOWN, fiscalYearId: UNKNOWN };
  const bodies: Readonly<Record<string, object>> = {
    'group-fund-fiscal-years': { groupId: UNKNOWN, ...pair },
    groups: { ...names, status: 'Active' },
    'fiscal-years': { ...names, periodStart: '2026-01-01', periodEnd: '2026-12-31' },
    ledgers: { ...names, ledgerStatus: 'Active', fiscalYearOneId: UNKNOWN },
    'fund-types': { name: 'a' },
    funds: { ...names, fundStatus: 'Active', ledgerId: UNKNOWN },
    budgets: { name: 'a', budgetStatus: 'Active', ...pair },
  };
  return JSON.stringify(bodies[segmentsOf(route).at(-1) ?? '']);
}

interface Said {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

describe('every endpoint of finance-storage', () => {
  let world: World;
  let person: Person;
  let operator: Person;

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    operator = await world.as('supertenant');
  });

  afterAll(() => world[Symbol.asyncDispose]());

  interface Sent {
    readonly method?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  }
  /** Past the oracle: seed 003 does not declare every answer. */
  async function send(route: Route, sent: Sent = {}): Promise<Said> {
    const { method = route.method, path = filled(route), headers, body } = sent;
    const response = await fetchOnce(world.url + path, {
      method,
      headers: headers ?? { ...person.headers, ...(body === undefined ? {} : JSON_TYPE) },
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  /** Each route must give this answer. */
  async function expectEach(
    routes: readonly Route[],
    sent: (route: Route) => Sent,
    wanted: (route: Route) => readonly [status: number, text: unknown],
  ): Promise<void> {
    expect(routes.length).toBeGreaterThan(0);
    for (const route of routes) {
      const { status, text } = await send(route, sent(route));
      expect([nameOf(route), status, text]).toEqual([nameOf(route), ...wanted(route)]);
    }
  }
  const keyed = (key: string): unknown => expect.stringContaining(`{"key":${JSON.stringify(key)}`);
  const anything: unknown = expect.any(String);

  it('H1: needs a token, and says for which permission', async () => {
    await expectEach(
      financeRoutes,
      () => ({ headers: { 'x-okapi-tenant': 'library' } }),
      ({ permission }) => [401, `Token missing, access requires permission: ${permission ?? ''}`],
    );
  });

  it('H12: needs its permission, and says which', async () => {
    await expectEach(
      financeRoutes,
      () => ({ headers: operator.headers }),
      ({ permission }) => [
        403,
        expect.stringMatching(
          `^Access for user 'admin' \\(.{36}\\) requires permission: ${permission ?? ''}$`,
        ),
      ],
    );
  });

  it.each([
    ['H2', { 'x-okapi-token': 'x.y.z' }, 401, 'Invalid token'],
    ['H4', { 'x-okapi-tenant': 'supertenant' }, 403, 'Invalid token'],
    [
      'H6',
      { 'x-okapi-tenant': 'No' },
      400,
      `Invalid tenant id, may only contain a-z and 0-9 and must match '[a-z][a-z0-9]{0,30}' but it is No`,
    ],
    ['H7', { 'x-okapi-tenant': 'nowhere' }, 400, 'No such Tenant nowhere'],
    ['H8', { 'x-okapi-user-id': UNKNOWN }, 403, 'Invalid token'],
    ['H16', { 'x-quire-dialect': 'x' }, 400, 'Unknown dialect x'],
  ])('%s: refuses the header %j', async (_, header, status, text) => {
    const headers = (): Sent => ({ headers: { ...person.headers, ...header } });
    await expectEach(financeRoutes, headers, () => [status, text]);
  });

  it('J1: says where JSON is malformed', async () => {
    await expectEach(
      writing,
      () => ({ body: '{"groupId":"x",}' }),
      (route) => {
        const item = (segmentsOf(route).at(-1) ?? '').replace(/s$/, '');
        const verb = route.method === 'POST' ? 'add' : 'update';
        return [400, `unable to ${verb} ${item} -- malformed JSON at 1:16`];
      },
    );
  });

  it('J2: refuses an empty body', async () => {
    await expectEach(
      needing,
      () => ({ body: '' }),
      () => [400, 'HV000116: The object to be validated must not be null.'],
    );
  });

  it.each(['null', '[]', '"x"', '1'])('J3: refuses %s in place of an object', async (body) => {
    await expectEach(
      needing,
      () => ({ body }),
      () => [422, expect.stringContaining('"message":"must be an object","type":"1","code":"-1"')],
    );
  });

  it.each(['toString', 'then', '__proto__', 'constructor', 'prototype', 'tenantId'])(
    'J7, J8: knows no property %s',
    async (name) => {
      const body = `{${JSON.stringify(name)}:{"polluted":1}}`;
      await expectEach(
        writing,
        () => ({ body }),
        () => [422, keyed(name)],
      );
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );

  it('J10: refuses JSON nested deeper than 64', async () => {
    const body = `{"a":${'['.repeat(65)}${']'.repeat(65)}}`;
    await expectEach(
      writing,
      () => ({ body }),
      () => [400, 'JSON is nested deeper than 64'],
    );
  });

  it('J11: has a limit for its body, 1 MiB or 32 MiB', async () => {
    const MIB = 1024 * 1024;
    await expectEach(
      writing,
      (route) => ({ body: `{"a":"${'x'.repeat(large.has(route) ? 32 * MIB : MIB)}"}` }),
      (route) => [
        413,
        `Request body is too large: limit is ${large.has(route) ? 32 * MIB : MIB} bytes`,
      ],
    );
  }, 60_000);

  it.each(['text/plain', 'application/x-www-form-urlencoded'])(
    'J14: takes %s for no JSON',
    async (type) => {
      const headers = (): Sent => ({
        headers: { ...person.headers, 'content-type': type },
        body: '{}',
      });
      await expectEach(writing, headers, () => [
        400,
        expect.stringContaining(`but it is "${type}"`),
      ]);
    },
  );

  it('J13, J18: takes what has no type for JSON, skips a byte order mark and refuses broken UTF-8', async () => {
    const bytes = (text: string, encoding: BufferEncoding): Sent => ({
      headers: person.headers,
      body: Buffer.from(text, encoding),
    });
    await expectEach(
      writing,
      () => bytes('\ufeff{"x":1}', 'utf8'),
      () => [422, keyed('x')],
    );
    await expectEach(
      writing,
      () => bytes('{"x":"\xff"}', 'latin1'),
      () => [400, expect.stringContaining('-- malformed JSON at 1:7')],
    );
  });

  it('J16: inflates nothing', async () => {
    await expectEach(
      writing,
      () => ({
        headers: { ...person.headers, ...JSON_TYPE, 'content-encoding': 'gzip' },
        body: '{}',
      }),
      () => [415, 'Content-Encoding is not supported'],
    );
  });

  it('J20: names its methods to another one, and is found as it is written', async () => {
    for (const route of financeRoutes) {
      const { status, headers } = await send(route, { method: 'PATCH' });
      expect([nameOf(route), status, headers.get('allow')]).toEqual([
        nameOf(route),
        405,
        expect.stringContaining(route.method),
      ]);
    }
    const shouted = (route: Route): Sent => ({ path: filled(route).toUpperCase() });
    await expectEach(financeRoutes, shouted, () => [
      404,
      'No suitable module found for path and tenant',
    ]);
    for (const odd of ['%00', ';a=1', '%zz'])
      await expectEach(
        financeRoutes,
        (route) => ({ path: `${filled(route)}/${odd}` }),
        () => [400, 'Invalid path'],
      );
  });

  it.each([
    'x',
    '11111111-1111-7111-8111-111111111111',
    '00000000-0000-0000-0000-000000000000',
    `{${UNKNOWN}}`,
  ])('Q1: knows nothing of the id %s, and what writes calls it malformed', async (id) => {
    await expectEach(
      named,
      (route) => ({
        path: filled(route, encodeURIComponent(id)),
        ...(route.method === 'PUT' ? { body: bodyOf(route) } : {}),
      }),
      (route) => (route.method === 'GET' ? [404, 'Not found'] : [400, BAD_ID]),
    );
  });

  /** A matrix wants a fiscal year. */
  const listed = (route: Route, parameters: string): Sent => ({
    path: `${route.path}?fiscalYearId=${UNKNOWN}&${parameters}`,
  });

  it.each([
    ...['-1', '2147483648', 'abc', '', '1e3', '0x10', '%201'].flatMap((value) => [
      [`limit=${value}`, 'limit'],
      [`offset=${value}`, 'offset'],
    ]),
    ['limit=1&limit=2', 'limit'],
    ['query=id=*&query=id=*', 'query'],
    ['totalRecords=foo', 'totalRecords'],
  ])('Q2, Q5: that lists refuses ?%s and names %s', async (parameters, name) => {
    await expectEach(
      reading,
      (route) => listed(route, parameters),
      () => [400, expect.stringMatching(`^'${name}' parameter is incorrect\\. parameter `)],
    );
  });

  it.each(['query[a]=b', '__proto__[x]=1', 'lang=english', 'offset=2147483647'])(
    'Q4, Q6, Q7: that lists answers ?%s',
    async (parameters) => {
      await expectEach(
        reading.filter((route) => route !== financeBulkRoutes.matrix),
        (route) => listed(route, parameters),
        () => [200, expect.stringContaining('"totalRecords":0}')],
      );
    },
  );

  it.each([
    ['id ==', 6],
    ['(id == x', 9],
    ['id=* and and id=*', 10],
    ['sortby', undefined],
    ['colour == red', 1],
    ['tenant_id == library', 1],
    ['pg_sleep == 5', 1],
    ['id prox x', undefined],
    [`${'('.repeat(51)}id=*${')'.repeat(51)}`, undefined],
    ['('.repeat(7000), undefined],
    [Array.from({ length: 201 }, () => 'id=*').join(' or '), undefined],
    [`id == "${'x'.repeat(8000)}"`, undefined],
    ['id=="a\0"', undefined],
  ])('C1, C2, C4, C7 to C9: that lists refuses query %# and says where', async (query, column) => {
    await expectEach(
      reading,
      (route) => listed(route, `query=${encodeURIComponent(query)}`),
      (route) => [
        400,
        expect.stringMatching(
          `^unable to list ${segmentsOf(route).at(-1) ?? ''} -- malformed parameter 'query', syntax error at column ${column ?? '\\d+'}: `,
        ),
      ],
    );
  });

  it('C2, C3, C10: that lists takes signs literally, and skips an unknown key of sorting', async () => {
    for (const query of [
      `id=="x' OR 1=1 --" or id=="'); drop table fund; --"`,
      'id=="$$" or id=="%"',
      'id==📚 or id=="\u202eyrotsiH"',
      'cql.allRecords=1 sortBy colour',
      'id=* or cql.allRecords=1',
    ])
      await expectEach(
        reading.filter((route) => route !== financeBulkRoutes.matrix),
        (route) => listed(route, `query=${encodeURIComponent(query)}`),
        () => [200, expect.stringContaining('"totalRecords":0}')],
      );
  });

  it('HEAD is GET without its body, OPTIONS tells browsers alone', async () => {
    for (const route of reading) {
      const head = await send(route, { method: 'HEAD', headers: { 'x-okapi-tenant': 'library' } });
      expect([nameOf(route), head.status]).toEqual([nameOf(route), 401]);
      const got = await send(route, { ...listed(route, ''), method: 'HEAD' });
      const wanted = route === financeBulkRoutes.matrix ? 404 : 200;
      expect([nameOf(route), got.status, got.text]).toEqual([nameOf(route), wanted, '']);
    }
    await expectEach(
      financeRoutes,
      () => ({ method: 'OPTIONS' }),
      () => [204, anything],
    );
  });
});
