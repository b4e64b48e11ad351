import { gunzipSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { World, type Ask_ } from './world.js';

const ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
const JOB = `/data-export/job-executions/${ID}`;
const READ = 'data-export.job-executions.collection.get';

interface Echo {
  readonly caller: Record<string, unknown>;
  readonly headers: Record<string, string>;
  readonly url: string;
}

describe('the public door', () => {
  let world: World;
  let token: string;

  beforeAll(async () => {
    world = await World.start(await testDatabase(), testClock(new Date()), {
      corsOrigins: ['https://folio.example'],
    });
    token = await world.login();
  });

  afterAll(() => world.stop());

  const ask = (target: string, { headers = {}, ...rest }: Ask_ = {}) =>
    world.ask(target, {
      headers: { 'x-okapi-tenant': 'library', 'x-okapi-token': token, ...headers },
      ...rest,
    });
  const echo = async (headers: Ask_['headers'] = {}, target = JOB): Promise<Echo> =>
    JSON.parse((await ask(target, { headers })).text) as Echo;

  describe('with a token', () => {
    it.each<[string, () => Record<string, string>]>([
      ['X-Okapi-Token', () => ({ 'x-okapi-token': token })],
      ['a bearer', () => ({ authorization: `Bearer ${token}` })],
      [
        'both, when they are the same',
        () => ({ 'X-OKAPI-TOKEN': token, authorization: `bearer ${token}` }),
      ],
      ['a cookie without blanks', () => ({ cookie: `a=b;folioAccessToken=${token};c=d` })],
    ])('in %s lets pass', async (_, headers) => {
      expect((await world.ask(JOB, { headers: headers() })).status).toBe(200);
    });

    it('tells the service who calls, and no credentials', async () => {
      const { caller, headers, url } = await echo(
        { cookie: 'a=b', authorization: `Bearer ${token}` },
        `${JOB}?x=1&q="a"(b)<c>`,
      );
      expect(caller).toMatchObject({
        tenantId: 'library',
        username: 'admin',
        permissions: [READ],
        publicUrl: `http://127.0.0.1:${world.port}`,
      });
      expect(url).toBe(`${JOB}?x=1&q="a"(b)<c>`);
      for (const name of ['cookie', 'authorization', 'x-okapi-token'])
        expect(headers[name]).toBeUndefined();
    });

    it('tells the service which of the further rights of a route the caller has', async () => {
      const answer = await ask('/data-export/job-profiles', { method: 'POST', body: '{}' });
      const { caller } = JSON.parse(answer.text) as { caller: { permissions: string[] } };
      expect(caller.permissions).toEqual([
        'data-export.job-profiles.item.post',
        'data-export.job-profiles.item.lock.execute',
      ]);
    });

    it('in two places that differ is 400', async () => {
      expect(await ask(JOB, { headers: { authorization: 'Bearer other' } })).toMatchObject({
        status: 400,
        text: 'Different tokens in Authentication and X-Okapi-Token. Use only one of them',
      });
    });

    it('of another tenant or user than the headers say is 403', async () => {
      await createTenant('academy');
      expect(await ask(JOB, { headers: { 'x-okapi-tenant': 'academy' } })).toMatchObject({
        status: 403,
        text: 'Invalid token',
      });
      expect(await ask(JOB, { headers: { 'x-okapi-user-id': ID } })).toMatchObject({
        status: 403,
        text: 'Invalid token',
      });
    });

    it('without the permission is 403, naming user and permission', async () => {
      const answer = await ask('/_/proxy/tenants', { method: 'POST', body: '{}' });
      expect(answer.status).toBe(403);
      expect(answer.text).toMatch(
        /^Access for user 'admin' \([0-9a-f-]{36}\) requires permission: okapi\.proxy\.tenants\.post$/,
      );
    });
  });

  it('without a token is 401 and names the permission', async () => {
    expect(await world.ask(JOB, { headers: { 'x-okapi-tenant': 'library' } })).toMatchObject({
      status: 401,
      text: `Token missing, access requires permission: ${READ}`,
    });
  });

  it.each<[string, Record<string, string | string[]>, string]>([
    ['no tenant at all', {}, 'Unable to process request Tenant must be set'],
    [
      'two tenants',
      { 'x-okapi-tenant': ['library', 'academy'] },
      'X-Okapi-Tenant must have one value',
    ],
    [
      'a list of tenants',
      { 'x-okapi-tenant': 'library,library' },
      'X-Okapi-Tenant must have one value',
    ],
    [
      'a malformed tenant',
      { 'x-okapi-tenant': 'Lib' },
      "Invalid tenant id, may only contain a-z and 0-9 and must match '[a-z][a-z0-9]{0,30}' but it is Lib",
    ],
    ['an unknown tenant', { 'x-okapi-tenant': 'x' }, 'No such Tenant x'],
  ])('with %s is 400', async (_, headers, text) => {
    expect(await world.ask(JOB, { headers })).toMatchObject({ status: 400, text });
  });

  it('refuses an unknown dialect and passes a known one on', async () => {
    expect(await ask(JOB, { headers: { 'x-quire-dialect': '1999' } })).toMatchObject({
      status: 400,
      text: 'Unknown dialect 1999',
    });
    expect((await echo({ 'x-quire-dialect': '2020' })).caller).toMatchObject({ dialect: '2020' });
  });

  it('drops the headers that a client must not set', async () => {
    const { caller, headers } = await echo({
      'x-internal-assertion': 'forged',
      'x-internal-client-address': '1.2.3.4',
      'x-okapi-permissions': '["all"]',
      'x-okapi-permissions-required': 'x',
      'x-okapi-module-tokens': 'x',
      'x-okapi-url': 'http://10.0.0.1',
      forwarded: 'host=evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-okapi-odd': 'kept',
    });
    expect(
      Object.keys(headers).filter((name) => /permissions|module|url|forward|client/.test(name)),
    ).toEqual([]);
    expect(headers['x-internal-assertion']).not.toBe('forged');
    expect(headers['x-okapi-odd']).toBe('kept');
    expect(caller['publicUrl']).toBe(`http://127.0.0.1:${world.port}`);
  });

  it('takes a request id or makes one, and answers with it', async () => {
    expect(
      (await ask(JOB, { headers: { 'x-okapi-request-id': '123/data-export' } })).headers[
        'x-okapi-request-id'
      ],
    ).toBe('123/data-export');
    expect((await echo({ 'x-request-id': 'abc' })).caller).toMatchObject({ requestId: 'abc' });
    expect(
      (await ask('/nothing', { headers: { 'x-okapi-request-id': 'x'.repeat(257) } })).headers[
        'x-okapi-request-id'
      ],
    ).toMatch(/^[0-9a-f-]{36}$/);
  });

  describe('and paths', () => {
    it.each([`//data-export//job-executions/${ID}/`, `/_/invoke/tenant/library${JOB}`])(
      '%s is the same path',
      async (target) => {
        const headers = { 'x-okapi-token': token };
        expect(JSON.parse((await world.ask(target, { headers })).text)).toMatchObject({ url: JOB });
      },
    );

    it.each([
      `/data-export/%2e%2e/x`,
      '/data-export/..',
      `${JOB}%00`,
      `${JOB};a=1`,
      '/data-export/%zz',
      '/data-export/%ff',
    ])('%s is 400', async (target) => {
      expect(await ask(target)).toMatchObject({ status: 400, text: 'Invalid path' });
    });

    it('unknown ones are 404, unknown methods 405 with Allow', async () => {
      for (const target of ['/nothing', '/Data-Export/job-executions', '/internal/tenant']) {
        expect(await ask(target)).toMatchObject({
          status: 404,
          text: 'No suitable module found for path and tenant',
        });
      }
      const wrong = await ask(JOB, { method: 'DELETE' });
      expect([wrong.status, wrong.text, wrong.headers.allow]).toEqual([
        405,
        'Method not allowed',
        'GET, HEAD, OPTIONS',
      ]);
    });

    it('HEAD needs what GET needs', async () => {
      expect((await ask(JOB, { method: 'HEAD' })).status).toBe(200);
      expect(
        (await world.ask(JOB, { method: 'HEAD', headers: { 'x-okapi-tenant': 'library' } })).status,
      ).toBe(401);
    });

    it('a bad body is answered by the service', async () => {
      const json = { 'content-type': 'application/json' };
      expect(
        await ask('/data-export/export', { method: 'POST', headers: json, body: '{"a":' }),
      ).toMatchObject({
        status: 400,
        text: 'unable to add export -- malformed JSON at 1:6',
      });
      expect(
        (
          await ask('/data-export/export', {
            method: 'POST',
            headers: json,
            body: `{"fileDefinitionId":"${ID}","jobProfileId":"${ID}"}`,
          })
        ).status,
      ).toBe(204);
      const big = await ask('/data-export/export', {
        method: 'POST',
        headers: json,
        body: Buffer.alloc(3_000_000, ' '),
      });
      expect([big.status, big.text, big.headers.connection]).toEqual([
        413,
        'Request body is too large: limit is 1048576 bytes',
        'close',
      ]);
    });
  });

  describe('and other origins', () => {
    it('answers a preflight for an allowed one', async () => {
      const { status, headers } = await world.ask(JOB, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://folio.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-okapi-new, evil, if-match',
        },
      });
      expect(status).toBe(204);
      expect(headers).toMatchObject({
        'access-control-allow-origin': 'https://folio.example',
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '86400',
        vary: 'Origin',
      });
      expect(headers['access-control-allow-headers']).toMatch(/x-okapi-new/);
      expect(headers['access-control-allow-headers']).not.toMatch(/evil/);
    });

    it('says nothing to others', async () => {
      for (const method of ['OPTIONS', 'GET']) {
        const { headers } = await ask(JOB, { method, headers: { origin: 'https://evil.example' } });
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
      expect(
        (await ask(JOB, { headers: { origin: 'https://folio.example' } })).headers[
          'access-control-expose-headers'
        ],
      ).toMatch(/X-Okapi-Request-Id/);
    });

    it('refuses a write by cookie from a foreign page', async () => {
      const send = (origin: string | undefined, more: Record<string, string> = {}) =>
        world.ask('/data-export/export', {
          method: 'POST',
          headers: {
            cookie: `folioAccessToken=${token}`,
            'content-type': 'application/json',
            ...(origin ? { origin } : {}),
            ...more,
          },
          body: '{}',
        });
      expect(await send('https://evil.example')).toMatchObject({
        status: 403,
        text: 'Origin not allowed',
      });
      for (const origin of [undefined, 'https://folio.example', `http://127.0.0.1:${world.port}`])
        expect((await send(origin)).status).toBe(422);
      expect((await send('https://evil.example', { 'x-okapi-token': token })).status).toBe(422);
      expect(
        await world.ask('/authn/refresh', {
          method: 'POST',
          headers: { cookie: 'folioRefreshToken=x', origin: 'https://evil.example' },
        }),
      ).toMatchObject({ status: 403 });
    });
  });

  it('adds the headers that protect, and compresses JSON only when asked', async () => {
    const list = '/data-export/job-executions';
    const plain = await ask(list);
    expect(plain.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(plain.headers['content-encoding']).toBeUndefined();
    const zipped = await new Promise<Buffer[]>((resolve) => {
      const headers = { 'x-okapi-token': token, 'accept-encoding': 'gzip' };
      httpRequest({ port: world.port, path: list, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        expect(response.headers['content-encoding']).toBe('gzip');
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(chunks));
      }).end();
    });
    expect(gunzipSync(Buffer.concat(zipped)).toString()).toBe(plain.text);
  });

  it('needs nothing for health, version, description and its page', async () => {
    expect(await world.ask('/_/proxy/health')).toMatchObject({ status: 200, text: '[]' });
    expect(await world.ask('/_/version')).toMatchObject({ status: 200, text: '0.1.0' });
    expect(
      await world.ask('/admin/health', { headers: { 'x-okapi-tenant': 'Bad,' } }),
    ).toMatchObject({ status: 200, text: 'OK' });
    expect(JSON.parse((await world.ask('/health/ready')).text)).toMatchObject({ status: 'UP' });
    const api = JSON.parse((await world.ask('/openapi.json')).text) as {
      openapi: string;
      paths: Record<string, Record<string, object>>;
    };
    expect(api.openapi).toBe('3.1.0');
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining(['/authn/login', '/data-export/export', '/_/proxy/tenants']),
    );
    const upload = api.paths['/data-export/file-definitions/{id}/upload']?.['post'];
    expect(upload).toMatchObject({
      parameters: [{ name: 'id', in: 'path', required: true }],
      requestBody: { content: { 'application/octet-stream': {} } },
    });
    const events = await world.ask('/asyncapi.json');
    expect(JSON.parse(events.text)).toMatchObject({
      asyncapi: '3.0.0',
      channels: { 'quire.data-export.job.v1': { messages: { ExportCompleted: {} } } },
    });
    expect(events.text).not.toContain('SliceReady');
    expect(await world.ask('/docs')).toMatchObject({
      status: 302,
      headers: { location: '/docs/index.html' },
    });
    expect((await world.ask('/docs/index.html')).text).toMatch(/Quire API/);
    expect((await world.ask('/docs/swagger-initializer.js')).text).toMatch(/openapi\.json/);
    expect((await world.ask('/docs/swagger-ui-bundle.js')).status).toBe(200);
    expect((await world.ask('/docs/nothing.js')).status).toBe(404);
  });

  const asSuper = async (body: object) =>
    world.ask('/_/proxy/tenants', {
      method: 'POST',
      headers: {
        'x-okapi-token': await world.login('supertenant'),
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
  const createTenant = (id: string, admin?: object) =>
    asSuper({ id, name: id, ...(admin ? { admin } : {}) });

  describe('making a tenant', () => {
    it('makes it with its first user and tells the services', async () => {
      const made = await createTenant('college', {
        username: 'dean',
        password: 'correct horse',
        personal: { lastName: 'Dean', firstName: 'Ada' },
      });
      expect([made.status, made.headers.location, JSON.parse(made.text)]).toEqual([
        201,
        '/_/proxy/tenants/college',
        { id: 'college', name: 'college' },
      ]);
      const dean = await world.login('college', 'dean');
      const { caller } = JSON.parse(
        (await world.ask(JOB, { headers: { 'x-okapi-token': dean } })).text,
      ) as Echo;
      expect(caller).toMatchObject({
        tenantId: 'college',
        username: 'dean',
        firstName: 'Ada',
        lastName: 'Dean',
      });
      const known: unknown = await world.isolated.sources
        .get('data-export')
        ?.query('select tenant_id from tenant order by 1');
      expect(known).toEqual(
        expect.arrayContaining([{ tenant_id: 'college' }, { tenant_id: 'library' }]),
      );
    });

    it('refuses a taken id, another form and a short password, and changes nothing', async () => {
      await createTenant('taken');
      expect(
        await createTenant('taken', { username: 'intruder', password: 'correct horse' }),
      ).toMatchObject({ status: 400, text: 'Duplicate tenant id taken' });
      await expect(world.login('taken', 'intruder')).rejects.toThrow('422');
      expect((await createTenant('No-Id')).text).toMatch(/^Invalid tenant id, may only contain/);
      const short = await createTenant('short', { username: 'x', password: 'short' });
      expect([short.status, JSON.parse(short.text)]).toMatchObject([
        422,
        {
          errors: [
            { message: 'size must be between 8 and 1024', parameters: [{ key: 'admin.password' }] },
          ],
        },
      ]);
    });

    it('makes an id when none is given', async () => {
      const made = await asSuper({ name: 'nameless' });
      expect((JSON.parse(made.text) as { id: string }).id).toMatch(/^[a-z][a-z0-9]{0,30}$/);
    });
  });

  it('serves every route of the contract, and writes down whom it refused', async () => {
    expect(world.running('gateway').unserved).toEqual([]);
    const source = world.isolated.sources.get('gateway');
    if (!source) throw new Error('no source');
    const scope = { tenantId: 'library', actorId: SYSTEM_USER_ID };
    const rows = await readTenant(source, scope, (tx) =>
      tx.query<{ action: string; subject: string }>(
        'select distinct action, subject from audit where tenant_id = $1',
        [tx.tenantId],
      ),
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { action: 'denied', subject: 'okapi.proxy.tenants.post' },
        { action: 'foreign-token', subject: 'academy' },
        { action: 'tenant-created', subject: 'library' },
      ]),
    );
  });

  it('direct calls to a service are 401, however good their headers', async () => {
    const service = new URL(world.running('data-export').url);
    const status = await new Promise((resolve) => {
      const headers = {
        'x-okapi-token': token,
        'x-okapi-tenant': 'library',
        'x-okapi-user-id': SYSTEM_USER_ID,
      };
      httpRequest({ port: service.port, path: JOB, headers, agent: false }, (response) =>
        resolve(response.statusCode),
      ).end();
    });
    expect(status).toBe(401);
  });
});
