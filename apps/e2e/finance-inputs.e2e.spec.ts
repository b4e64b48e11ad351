import { asked, FINANCE, GFFY, makeGffy, makeReferences, type Gffys } from './src/finance.js';
import { fetchOnce, World, type Answer, type Person, type Sent } from './src/world.js';

const UNKNOWN = '11111111-1111-4111-8111-111111111111';
const TRIPLE = { groupId: UNKNOWN, fundId: UNKNOWN, fiscalYearId: UNKNOWN };
const JSON_TYPE = { 'content-type': 'application/json' };

interface Violation {
  readonly message: string;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
}

/** What people send to finance-storage: the rows of reliability 18.1 to 18.4, through the gateway. */
describe('whoever sends to finance-storage', () => {
  let world: World;
  let person: Person;

  beforeAll(async () => {
    world = await World.open({ QUIRE_SAMPLE: 'true' });
    person = await world.as();
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const send = (body: string | Uint8Array, headers: Sent['headers'] = JSON_TYPE): Promise<Answer> =>
    person.send('POST', GFFY, { body, headers });
  const post = (json: unknown): Promise<Answer> => person.send('POST', GFFY, { json });
  const violations = (answer: Answer): readonly Violation[] =>
    (answer.json as { errors?: Violation[] } | undefined)?.errors ?? [];
  const keys = (answer: Answer): readonly (string | undefined)[] =>
    violations(answer).map(({ parameters }) => parameters[0]?.key);
  /** The body is read without fault: only its references are unknown. */
  const READ = {
    status: 400,
    text: `Cannot set group_fund_fiscal_year.groupid = ${UNKNOWN} because it does not exist in groups.id.`,
  };

  it.each([
    ['{', '1:2'],
    ['{"groupId":"x",}', '1:16'],
    ['{}{}', '1:3'],
    ['{"_version":NaN}', '1:13'],
    ["{'groupId':1}", '1:2'],
    ['{\n "groupId": }', '2:13'],
  ])('J1: malformed JSON %j is 400 and says where', async (body, at) => {
    for (const [verb, method, path] of [
      ['add', 'POST', GFFY],
      ['update', 'PUT', `${GFFY}/${UNKNOWN}`],
    ] as const)
      expect(await person.send(method, path, { body, headers: JSON_TYPE })).toMatchObject({
        status: 400,
        text: `unable to ${verb} group-fund-fiscal-year -- malformed JSON at ${at}`,
      });
  });

  it('J2: an empty body is 400', async () => {
    expect(await send('')).toMatchObject({
      status: 400,
      text: 'HV000116: The object to be validated must not be null.',
    });
  });

  it.each(['null', '[]', '"x"', '1'])('J3: %s in place of the object is 422', async (body) => {
    expect((await send(body)).status).toBe(422);
  });

  it.each([
    ['funds', { code: {}, name: 1, fundStatus: 'Open', ledgerId: 'x' }, 4],
    ['fiscal-years', { code: 'a', name: 'a', periodStart: 'soon', periodEnd: '2026-13-01' }, 2],
    ['budgets', { name: 'a', budgetStatus: 'Open', fundId: [], fiscalYearId: UNKNOWN }, 2],
    ['groups', { code: 'a', name: 'a', status: 'Active', acqUnitIds: 'x' }, 1],
  ])('J4: wrong types, enums and dates in %s are 422, all at once', async (path, json, count) => {
    const answer = await person.send('POST', `${FINANCE}/${path}`, { json });
    expect([answer.status, violations(answer).length]).toEqual([422, count]);
  });

  it('J5: each missing property is named', async () => {
    const answer = await post({ groupId: null });
    expect(answer.status).toBe(422);
    expect([...keys(answer)].sort()).toEqual(['fiscalYearId', 'fundId', 'groupId']);
  });

  it.each([
    ['funds', { code: 'a:b', name: 'a', fundStatus: 'Active', ledgerId: UNKNOWN }, 'code'],
    ['budgets', { name: 'a', allowableEncumbrance: -1 }, 'allowableEncumbrance'],
    ['budgets', { name: 'a', initialAllocation: 1.23456 }, 'initialAllocation'],
    ['group-fund-fiscal-years', { ...TRIPLE, _version: 2_147_483_648 }, '_version'],
  ])('J6: what is out of pattern or range in %s is 422: %j', async (path, json, key) => {
    const answer = await person.send('POST', `${FINANCE}/${path}`, { json });
    expect([answer.status, keys(answer)]).toEqual([422, expect.arrayContaining([key])]);
  });

  it.each([
    'toString',
    'hasOwnProperty',
    'then',
    '__proto__',
    'constructor',
    'prototype',
    'tenantId',
  ])('J7, J8: the unknown property %s is 422 and changes no prototype', async (name) => {
    const answer = await send(
      JSON.stringify(TRIPLE).replace('}', `,${JSON.stringify(name)}:{"polluted":1}}`),
    );
    expect([answer.status, keys(answer)]).toEqual([422, [name]]);
    expect(violations(answer)[0]?.message).toContain(`Unrecognized field "${name}"`);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('J9: what is the server’s own is dropped, and a version is ours to give', async () => {
    const group = await person.post<Record<string, unknown>>(`${FINANCE}/groups`, {
      code: 'J9',
      name: 'J9',
      status: 'Active',
      _version: 7,
      metadata: { createdDate: '2001-01-01T00:00:00Z' },
    });
    expect(group).toMatchObject({ _version: 1 });
    expect(JSON.stringify(group['metadata'])).not.toContain('2001');
  });

  it('J10: nesting deeper than 64 is 400', async () => {
    const deep = `{"groupId":${'['.repeat(65)}${']'.repeat(65)}}`;
    expect(await send(deep)).toMatchObject({
      status: 400,
      text: 'JSON is nested deeper than 64',
    });
  });

  it('J11, J12: more than the limit is 413, and what is long below it is told as 422', async () => {
    const long = (count: number): string =>
      JSON.stringify({ ...TRIPLE, budgetId: 'x'.repeat(count) });
    expect((await send(long(1024 * 1024))).status).toBe(413);
    expect((await send(long(1000 * 1024))).status).toBe(422);
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`k${at}`, at]));
    expect((await post({ ...TRIPLE, ...many })).status).toBe(422);
  });

  it('J13, J14: JSON is what has no type or one of JSON, and nothing else', async () => {
    const body = Buffer.from(JSON.stringify(TRIPLE));
    for (const type of ['application/json; charset=utf-8', 'application/vnd.x+json', 'text/json'])
      expect(await send(body, { 'content-type': type })).toMatchObject(READ);
    expect(await send(body, {})).toMatchObject(READ);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded'])
      expect(await send(body, { 'content-type': type })).toMatchObject({
        status: 400,
        text: `Content-type header must be ["application/json"] but it is "${type}"`,
      });
    const charset = { 'content-type': 'application/json; charset=utf-16' };
    expect(await send(body, charset)).toMatchObject({
      status: 400,
      text: 'Charset must be UTF-8 but it is "utf-16"',
    });
  });

  it('J15: an Accept of anything else is served all the same', async () => {
    const answer = await person.send('GET', GFFY, { headers: { accept: 'text/plain' } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('application/json'),
    ]);
  });

  it.each(['gzip', 'br', 'deflate'])('J16: nothing is inflated: %s is 415', async (encoding) => {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding };
    // Which seed 003 does not declare.
    const answer = await fetchOnce(world.url + GFFY, {
      method: 'POST',
      headers: { ...person.headers, ...headers },
      body: '{}',
    });
    await answer.arrayBuffer();
    expect(answer.status).toBe(415);
  });

  it('J17: of a key that comes twice the last counts', async () => {
    const body = JSON.stringify(TRIPLE).replace('{', '{"groupId":"x",');
    expect(await send(body)).toMatchObject(READ);
  });

  it('J18: a byte order mark is skipped, broken UTF-8 is 400, U+0000 and half characters are 422', async () => {
    const body = JSON.stringify(TRIPLE);
    expect(await send(`\ufeff${body}`)).toMatchObject(READ);
    const broken = Buffer.from(body.replace('1', '\xff'), 'latin1');
    expect((await send(broken)).status).toBe(400);
    for (const escape of ['\\u0000', '\\ud800']) {
      const group = `{"code":"a${escape}","name":"a","status":"Active"}`;
      const answer = await person.send('POST', `${FINANCE}/groups`, {
        body: group,
        headers: JSON_TYPE,
      });
      expect([answer.status, keys(answer)]).toEqual([422, ['code']]);
    }
  });

  it.each(['1e400', '9007199254740993', '1.5'])('J19: the version %s is 422', async (version) => {
    const body = JSON.stringify(TRIPLE).replace('{', `{"_version":${version},`);
    expect([(await send(body)).status]).toEqual([422]);
  });

  it('J20, J21: methods and paths', async () => {
    const wrong = await person.send('PATCH', GFFY);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([
      405,
      expect.stringContaining('POST'),
    ]);
    expect((await person.send('GET', GFFY.toUpperCase())).status).toBe(404);
    expect((await person.send('GET', `/${GFFY}`)).status).toBe(200);
    expect((await person.send('GET', `${GFFY}/`)).status).toBe(200);
    const head = await person.send('HEAD', GFFY);
    expect([head.status, head.text]).toEqual([200, '']);
    const tenant = { 'x-okapi-tenant': 'library' };
    expect((await world.send('HEAD', GFFY, { headers: tenant })).status).toBe(401);
  });

  it('H4, H7, H8, H12: headers that contradict the token', async () => {
    const answers = async (headers: Record<string, string>) =>
      (await person.send('GET', GFFY, { headers })).status;
    expect(await answers({ 'x-okapi-tenant': 'supertenant' })).toBe(403);
    expect(await answers({ 'x-okapi-tenant': 'nowhere' })).toBe(400);
    expect(await answers({ 'x-okapi-user-id': UNKNOWN })).toBe(403);
    expect(await answers({ 'x-okapi-token': 'x.y.z' })).toBe(401);
  });

  it.each([
    'x',
    '11111111-1111-7111-8111-111111111111',
    '00000000-0000-0000-0000-000000000000',
    `{${UNKNOWN}}`,
  ])('Q1: the id %s is unknown to GET and malformed to the others', async (id) => {
    const path = `${GFFY}/${encodeURIComponent(id)}`;
    expect(await person.send('GET', path)).toMatchObject({ status: 404, text: 'Not found' });
    const malformed = {
      status: 400,
      text: 'Invalid UUID format of id, should be xxxxxxxx-xxxx-Mxxx-Nxxx-xxxxxxxxxxxx where M is 1-5 and N is 8, 9, a, b, A or B and x is 0-9, a-f or A-F.',
    };
    expect(await person.send('PUT', path, { json: TRIPLE })).toMatchObject(malformed);
    expect(await person.send('DELETE', path)).toMatchObject(malformed);
  });

  it('Q1: an id in upper case is the same id', async () => {
    const row = await makeGffy(person);
    expect(await person.get(`${GFFY}/${row.id.toUpperCase()}`)).toEqual(row);
    const next = await makeReferences(person);
    const upper = { ...next, groupId: next.groupId.toUpperCase() };
    expect(await person.post(GFFY, upper)).toMatchObject(next);
  });

  it.each([
    ...['-1', '2147483648', 'abc', '', '1e3', '0x10', '%201'].flatMap((value) => [
      [`limit=${value}`, 'limit'],
      [`offset=${value}`, 'offset'],
    ]),
    ['limit=1&limit=2', 'limit'],
    ['query=id=*&query=id=*', 'query'],
    ['totalRecords=foo', 'totalRecords'],
  ])('Q2, Q5: ?%s is 400 and names %s', async (parameters, name) => {
    const { status, text } = await person.send('GET', `${GFFY}?${parameters}`);
    expect([status, text]).toEqual([
      400,
      expect.stringMatching(new RegExp(`^'${name}' parameter is incorrect\\. parameter `)),
    ]);
  });

  it('Q4: the last offset of all is an empty page', async () => {
    const page = await person.get<Gffys>(`${GFFY}?offset=2147483647`);
    expect(page.groupFundFiscalYears).toEqual([]);
  });

  it.each(['query[a]=b', '__proto__[x]=1', 'lang=english', 'perPage=3'])(
    'Q6, Q7: ?%s is not looked at',
    async (parameter) => {
      expect((await person.get<Gffys>(`${GFFY}?${parameter}`)).groupFundFiscalYears).toHaveLength(
        10,
      );
    },
  );

  it.each([
    ['group.name ==', 14],
    ['group.name == "History', undefined],
    ['(group.name == History', 23],
    ['group.name == a and and b', 21],
    ['sortby', undefined],
    ['group.colour == red', 1],
    ['tenant_id == library', 1],
    ['fund.tenant_id == library', 1],
    ['pg_sleep == 5', 1],
    ['group.name prox History', undefined],
    [`${'('.repeat(51)}id=*${')'.repeat(51)}`, undefined],
    ['('.repeat(7000), undefined],
    [Array.from({ length: 201 }, () => 'id=*').join(' or '), undefined],
    [`group.name == "${'x'.repeat(8000)}"`, undefined],
  ])('C1, C2, C4, C8, C9: %.30s is 400 and says where', async (query, column) => {
    const { status, text } = await person.send('GET', asked(GFFY, query));
    expect([status, text]).toEqual([
      400,
      expect.stringMatching(
        new RegExp(
          `^unable to list group-fund-fiscal-years -- malformed parameter 'query', syntax error at column ${column ?? '\\d+'}: `,
        ),
      ),
    ]);
  });

  it('C2: an unknown key of sorting is skipped', async () => {
    const page = await person.get<Gffys>(asked(GFFY, 'cql.allRecords=1 sortBy colour'));
    expect(page.groupFundFiscalYears).toHaveLength(10);
  });

  it.each([
    `group.name=="x' OR 1=1 --"`,
    'group.name=="$$"',
    'group.name=="%"',
    'group.name=="_______"',
    'group.name=="His\\\\tory"',
    'group.name==*a*a*a*a*a*a*a*a*a*a*a*',
    'group.name=="\u202eyrotsiH"',
    'group.name==📚',
    'fund.code==H-AFR and group.name=="\'); drop table fund; --"',
  ])('C3, C6, C7: %s is taken literally', async (query) => {
    expect(await person.get(asked(GFFY, query))).toMatchObject({ totalRecords: 0 });
  });

  it('C7: U+0000 in a query is 400', async () => {
    expect((await person.send('GET', asked(GFFY, 'group.name=="a\0"'))).status).toBe(400);
  });

  it('C10: a query with `or` stays within the library', async () => {
    const everything = await person.get<Gffys>(asked(GFFY, 'id=* or cql.allRecords=1'));
    expect(everything.totalRecords).toBe((await person.get<Gffys>(`${GFFY}?limit=0`)).totalRecords);
  });

  it('C11: any bytes at all are 200 or 400', async () => {
    const signs = [
      '"',
      '\\',
      '(',
      ')',
      '=',
      '<',
      '>',
      '/',
      '*',
      '?',
      '^',
      ' ',
      'and',
      'not',
      'a',
      '\t',
    ];
    let state = 7;
    const next = (): number => (state = (state * 48_271) % 2_147_483_647);
    for (let round = 0; round < 200; round += 1) {
      const query = Array.from({ length: 12 }, () => signs[next() % signs.length]).join('');
      const { status } = await person.send('GET', asked(GFFY, query));
      expect([query, [200, 400].includes(status)]).toEqual([query, true]);
    }
  });
});
