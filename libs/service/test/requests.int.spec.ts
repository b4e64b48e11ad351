import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { Body, Controller, Get, HttpCode, Module, Post, Put, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AssertionVerifier, signAssertion } from '@quire/auth/assertion';
import { loadKeys, type KeyRing } from '@quire/auth/keys';
import { CallerOf, Permissions, Public } from '@quire/auth/permissions';
import { tooLarge } from '@quire/contracts/failure';
import { Int, Nested, OneOf, Text, Uuid } from '@quire/contracts/fields';
import type { Query } from '@quire/contracts/paging';
import { JSON_BODY_BYTES_MAX, type Route } from '@quire/contracts/route';
import type { Caller } from '@quire/contracts/scope';
import type { FastifyRequest } from 'fastify';
import { BodyInterrupted } from '../src/bodies.js';
import { randomIds, systemClock } from '../src/clock.js';
import { createHttpApp } from '../src/http-app.js';
import { openLog } from '../src/log.js';
import { PathId, QueryOf, queryOf } from '../src/queries.js';
import { ServiceClient, type ServiceAnswer, type ServiceCall } from '../src/service-client.js';

const route = (line: string, extra: Partial<Route> = {}): Route => {
  const [method = '', path = ''] = line.split(' ');
  return {
    service: 'data-export',
    method: method as Route['method'],
    path,
    access: 'permission',
    permission: 'crates.item.any',
    bodyBytesMax: JSON_BODY_BYTES_MAX,
    upload: false,
    issuers: ['gateway'],
    internal: false,
    ...extra,
  };
};
const crates = {
  create: route('POST /crates'),
  read: route('GET /crates/:id'),
  update: route('PUT /crates/:id'),
  fill: route('POST /crates/:id/content', { upload: true }),
  peek: route('GET /peek', { access: 'public', reason: 'a test' }),
  fail: route('GET /fail', { access: 'public', reason: 'a test' }),
};

class Lid {
  @Text({ optional: true }) readonly colour?: string;
}

class Crate {
  @Uuid({ optional: true }) readonly id?: string;
  @Text({ min: 1, max: 10 }) readonly name: string;
  @Int({ optional: true, max: 5 }) readonly size?: number;
  @OneOf(['small', 'large'], { optional: true }) readonly kind?: string;
  @Nested(() => Lid, { optional: true }) readonly lid?: Lid;
}

const late = { arrived: Promise.withResolvers<void>(), read: Promise.withResolvers<Buffer>() };

@Controller()
class CratesController {
  @Post('crates')
  @Permissions(crates.create)
  create(@Body() crate: Crate): Crate {
    return crate;
  }

  @Get('crates/:id')
  @Permissions(crates.read)
  read(
    @PathId({ name: 'id', notFound: (id) => `There is no crate ${id}` }) id: string,
    @QueryOf() query: Query,
    @CallerOf() caller: Caller,
  ): object {
    return { id, query, tenant: caller.tenantId };
  }

  @Put('crates/:id')
  @HttpCode(204)
  @Permissions(crates.update)
  update(@PathId({ name: 'id', notFound: String }) _id: string, @Body() _box: Crate): void {
    return;
  }

  @Post('crates/:id/content')
  @HttpCode(200)
  @Permissions(crates.fill)
  async fill(@Req() request: FastifyRequest): Promise<object> {
    let bytes = 0;
    if (queryOf(request)['late'] !== undefined) return this.fillLate(request);
    const most = Number(queryOf(request)['most'] ?? Infinity);
    for await (const chunk of request.body as Readable) {
      bytes += (chunk as Buffer).length;
      if (bytes > most) throw tooLarge('Too much');
    }
    return { bytes, type: request.sentContentType };
  }

  /** Reads only when its client is gone. */
  private async fillLate({ raw, body }: FastifyRequest): Promise<object> {
    late.arrived.resolve();
    if (!raw.closed) await new Promise((resolve) => raw.once('close', resolve));
    await turn();
    late.read.resolve(buffer(body as Readable));
    return {};
  }

  @Get('peek')
  @Public(crates.peek)
  peek(@CallerOf() caller: Caller): object {
    return { tenant: caller.tenantId };
  }

  @Get('fail')
  @Public(crates.fail)
  fail(): never {
    throw new Error('select secret from vault');
  }
}

@Module({ controllers: [CratesController] })
class CratesModule {}

/** Buffers of 100 kB, one after the other. */
function* manyBytes(count: number): Generator<Buffer> {
  for (let made = 0; made < count; made += 1) yield Buffer.alloc(100_000);
}

const ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';

describe('a request to a service', () => {
  let dir: string;
  let ring: KeyRing;
  let app: NestFastifyApplication;
  let client: ServiceClient;
  let port: number;
  const logged: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quire-keys-'));
    ring = await loadKeys(dir);
    const log = openLog({ level: 'silent' });
    log.error = (facts: { err: Error }) => logged.push(facts.err.message);
    ({ app } = await createHttpApp(CratesModule, {
      service: 'data-export',
      verifier: new AssertionVerifier('data-export', ring.of('data-export').pairs),
      clock: systemClock,
      log,
    }));
    await app.listen(0, '127.0.0.1');
    port = Number(new URL(await app.getUrl()).port);
    const urls = { 'data-export': `http://127.0.0.1:${port}` };
    client = new ServiceClient('gateway', urls, ring.of('gateway').pairs, systemClock, randomIds);
  });

  afterAll(async () => {
    client.close();
    await app.close();
    await rm(dir, { recursive: true });
  });

  async function ask(
    call: Partial<ServiceCall>,
  ): Promise<{ status: number; text: string; headers: ServiceAnswer['headers'] }> {
    const answer = await client.call({
      to: 'data-export',
      method: 'GET',
      target: '/peek',
      scope: { tenantId: 'library', actorId: ID },
      claims: { permissions: ['crates.item.any'], username: 'ada' },
      ...call,
    });
    let text = '';
    for await (const chunk of answer.body) text += String(chunk);
    return { status: answer.status, text, headers: answer.headers };
  }

  const post = (bytes: string | Buffer, headers: Record<string, string> = {}) =>
    ask({ method: 'POST', target: '/crates', bytes: Buffer.from(bytes), headers });

  /** Sends exactly this and returns everything that comes back until the connection closes. */
  async function raw(request: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.end(request);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  }

  it('is answered with the checked body', async () => {
    const { status, text } = await post(
      '{"name":"a","size":"3","id":"7D3C9A52-0B5E-4F5C-8A53-1F2F7B1D9A10","lid":null}',
    );
    expect([status, JSON.parse(text)]).toEqual([201, { id: ID, name: 'a', size: 3 }]);
  });

  it.each([
    ['{"name":"a",}', '1:13'],
    ['{"name":"a"}{}', '1:13'],
    ['{"name":\n  NaN}', '2:3'],
    ["{'name':1}", '1:2'],
    ['{"name":"a"', '1:12'],
    ['[1,2', '1:5'],
    ['{"name":"é€😀" x}', '1:15'],
    ['{"name":"a\nb"}', '1:11'],
    ['{"a":01}', '1:7'],
    ['{"a":"\\x"}', '1:8'],
    ['tru', '1:4'],
    ['{"a":1\uFEFF}', '1:7'],
    [Buffer.from('7b226122 3a22 ff 22 7d'.replaceAll(' ', ''), 'hex'), '1:7'],
  ])('with malformed JSON %j says where: %s', async (body, position) => {
    const { status, text, headers } = await post(body);
    expect([status, text]).toEqual([400, `unable to add crate -- malformed JSON at ${position}`]);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('with PUT says update', async () => {
    const { text } = await ask({ method: 'PUT', target: `/crates/${ID}`, bytes: Buffer.from('{') });
    expect(text).toBe('unable to update crate -- malformed JSON at 1:2');
  });

  it('may begin with a byte order mark and repeat a key', async () => {
    const { status, text } = await post('\uFEFF{"name":"a","name":"b"}');
    expect([status, text]).toEqual([201, '{"name":"b"}']);
  });

  it('without a body that is needed is 400', async () => {
    for (const body of ['']) {
      const { status, text } = await post(body);
      expect([status, text]).toEqual([
        400,
        'HV000116: The object to be validated must not be null.',
      ]);
    }
  });

  it.each(['null', '[]', '"x"', '1'])('with %s in place of an object is 422', async (body) => {
    const { status, text } = await post(body);
    expect(status).toBe(422);
    expect(JSON.parse(text)).toEqual({
      errors: [
        {
          message: 'must be an object',
          type: '1',
          code: '-1',
          parameters: [{ key: '', value: body === '"x"' ? 'x' : body }],
        },
      ],
      total_records: 1,
    });
  });

  it('reports every violation together, unknown and dangerous names too', async () => {
    const { status, text } = await post(
      '{"size":9,"kind":"huge","__proto__":{"x":1},"toString":2,"lid":{"constructor":3}}',
    );
    const { errors, total_records } = JSON.parse(text) as {
      errors: { message: string; parameters: { key: string }[] }[];
      total_records: number;
    };
    expect([status, total_records]).toEqual([422, 6]);
    expect(errors.map((error) => error.parameters[0]?.key)).toEqual([
      'name',
      'size',
      'kind',
      'lid.constructor',
      '__proto__',
      'toString',
    ]);
    expect(errors.at(-1)?.message).toBe(
      'Unrecognized field "toString", not marked as ignorable (5 known properties: "id", "name", "size", "kind", "lid")',
    );
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('nested 64 deep is read, 65 deep is refused', async () => {
    const deep = (levels: number) => `{"name":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect((await post(deep(64))).status).toBe(422);
    const { status, text } = await post(deep(65));
    expect([status, text]).toEqual([400, 'JSON is nested deeper than 64']);
    expect((await post('['.repeat(100_000))).text).toBe('JSON is nested deeper than 64');
  });

  it('of the limit is read, one byte more is 413, and the connection is of further use', async () => {
    const body = (bytes: number) => `{"name":"a"${' '.repeat(bytes - 12)}}`;
    expect((await post(body(JSON_BODY_BYTES_MAX))).status).toBe(201);
    const { status, text } = await post(body(JSON_BODY_BYTES_MAX + 1));
    expect([status, text]).toEqual([413, 'Request body is too large: limit is 1048576 bytes']);
    const chunked = await ask({
      method: 'POST',
      target: '/crates',
      bytes: Readable.from(manyBytes(200)),
    });
    expect(chunked.status).toBe(413);
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/vnd.api+json',
    'text/json',
    'APPLICATION/JSON;charset="UTF-8"',
  ])('may be of type %s', async (type) => {
    expect((await post('{"name":"a"}', { 'content-type': type })).status).toBe(201);
  });

  it.each([
    ['text/plain', 'Content-type header must be ["application/json"] but it is "text/plain"'],
    [
      'application/x-www-form-urlencoded',
      'Content-type header must be ["application/json"] but it is "application/x-www-form-urlencoded"',
    ],
    ['odd', 'Content-type header must be ["application/json"] but it is "odd"'],
    ['application/json; charset=latin1', 'Charset must be UTF-8 but it is "latin1"'],
  ])('of type %s is 400', async (type, expected) => {
    const { status, text } = await post('{"name":"a"}', { 'content-type': type });
    expect([status, text]).toEqual([400, expected]);
  });

  it.each(['gzip', 'br', 'deflate', 'identity, gzip'])(
    'encoded with %s is 415',
    async (encoding) => {
      const { status, text } = await post('{"name":"a"}', { 'content-encoding': encoding });
      expect([status, text]).toEqual([415, 'Content-Encoding is not supported']);
    },
  );

  it('takes an upload as bytes of any type and size', async () => {
    const { status, text } = await ask({
      method: 'POST',
      target: `/crates/${ID}/content`,
      bytes: Readable.from([Buffer.alloc(2_000_000), Buffer.alloc(2_000_000)]),
      headers: { 'content-type': 'text/csv' },
    });
    expect([status, JSON.parse(text)]).toEqual([200, { bytes: 4_000_000, type: 'text/csv' }]);
    const empty = await ask({
      method: 'POST',
      target: `/crates/${ID}/content`,
      bytes: Buffer.alloc(0),
    });
    expect([empty.status, empty.text]).toEqual([200, '{"bytes":0}']);
  });

  it('whose upload is given up early is answered all the same', async () => {
    const target = `/crates/${ID}/content?most=100000`;
    for (let round = 0; round < 5; round += 1) {
      const bytes = Readable.from(manyBytes(300));
      expect(await ask({ method: 'POST', target, bytes })).toMatchObject({
        status: 413,
        text: 'Too much',
      });
    }
  });

  const assertion = (method: string, target: string) =>
    signAssertion(
      {
        issuer: 'gateway',
        audience: 'data-export',
        method,
        target,
        requestId: 'r',
        tenantId: 'library',
        actorId: ID,
        permissions: ['crates.item.any'],
      },
      ring.of('gateway').pairs,
      systemClock.now(),
    );

  it('that breaks off before anybody reads its body ends nothing but itself', async () => {
    const target = `/crates/${ID}/content?late`;
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST ${target} HTTP/1.1\r\nhost: x\r\nx-internal-assertion: ${assertion('POST', target)}\r\ncontent-length: 1000\r\n\r\nten bytes!`,
    );
    await late.arrived.promise;
    socket.destroy();
    await expect(late.read.promise).rejects.toThrow(BodyInterrupted);
    expect((await ask({ target: '/peek' })).status).toBe(200);
  });

  it('given up early leaves the connection to the next one', async () => {
    const target = `/crates/${ID}/content?most=10`;
    const head = `POST ${target} HTTP/1.1\r\nhost: x\r\nx-internal-assertion: ${assertion('POST', target)}\r\ncontent-length: 3000000\r\n\r\n`;
    const next = `GET /peek HTTP/1.1\r\nhost: x\r\nx-internal-assertion: ${assertion('GET', '/peek')}\r\nconnection: close\r\n\r\n`;
    const socket = connect(port, '127.0.0.1');
    socket.write(head);
    socket.write(Buffer.alloc(3_000_000));
    socket.write(next);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  it('reads names of parameters in any case and knows no prototype', async () => {
    const { text } = await ask({
      target: `/crates/${ID}?Name=a+b%20c&__proto__[x]=1&list[]=1&list=2&q="(x)<y>`,
    });
    expect((JSON.parse(text) as { query: unknown }).query).toEqual(
      JSON.parse('{"name":"a b c","__proto__[x]":"1","list":["1","2"],"q":"\\"(x)<y>"}'),
    );
  });

  it('for a path id that is no UUID is 404 on GET and 400 on PUT, and takes capitals', async () => {
    for (const id of [
      'x',
      '00000000-0000-0000-0000-000000000000',
      `{${ID}}`,
      '018f3c9a-0b5e-7f5c-8a53-1f2f7b1d9a10',
    ]) {
      expect(await ask({ target: `/crates/${id}` })).toMatchObject({
        status: 404,
        text: `There is no crate ${id}`,
      });
      const put = await ask({ method: 'PUT', target: `/crates/${id}`, body: { name: 'a' } });
      expect([put.status, put.text.slice(0, 32)]).toEqual([
        400,
        'Invalid UUID format of id, shoul',
      ]);
    }
    expect(JSON.parse((await ask({ target: `/crates/${ID.toUpperCase()}` })).text)).toMatchObject({
      id: ID,
    });
  });

  it.each([
    '/crates/%2e%2e/x',
    '/crates/..',
    '/crates/./x',
    '/crates/a%00',
    '/crates/a;b=1',
    '/crates/%zz',
    '/crates/%c3',
    '/crates/..%2fx',
  ])('for the path %s is 400', async (target) => {
    expect(await ask({ target })).toMatchObject({ status: 400, text: 'Invalid path' });
  });

  it('for slashes too many finds the route', async () => {
    expect((await ask({ target: `//crates//${ID}/` })).status).toBe(200);
  });

  it('with another method is 405 with Allow, for another path or case 404', async () => {
    const wrong = await ask({ method: 'DELETE', target: `/crates/${ID}` });
    expect([wrong.status, wrong.text, wrong.headers.allow]).toEqual([
      405,
      'Method not allowed',
      'GET, PUT, HEAD, OPTIONS',
    ]);
    for (const target of ['/nothing', '/Peek']) {
      expect(await ask({ target })).toMatchObject({
        status: 404,
        text: 'No suitable module found for path and tenant',
      });
    }
  });

  it('without the permission is 403, without a tenant 401 unless the route is public', async () => {
    const call = { target: `/crates/${ID}`, claims: { username: 'ada', permissions: ['other'] } };
    expect(await ask(call)).toMatchObject({
      status: 403,
      text: `Access for user 'ada' (${ID}) requires permission: crates.item.any`,
    });
    const nobody = { scope: { tenantId: '', actorId: '' } };
    expect(await ask({ target: `/crates/${ID}`, ...nobody })).toMatchObject({
      status: 401,
      text: 'Invalid token',
    });
    expect(await ask(nobody)).toMatchObject({ status: 200 });
  });

  it('that a fault of ours ends says nothing about it', async () => {
    expect(await ask({ target: '/fail' })).toMatchObject({
      status: 500,
      text: 'Internal server error, contact administrator',
    });
    expect(logged).toContain('select secret from vault');
  });

  describe('whose assertion', () => {
    const now = () => systemClock.now();
    const good = {
      issuer: 'gateway',
      audience: 'data-export',
      method: 'GET',
      target: '/peek',
      requestId: 'r',
      tenantId: 'library',
      actorId: ID,
    } as const;
    const withToken = (token: string, method = 'GET') =>
      raw(
        `${method} /peek HTTP/1.1\r\nhost: x\r\nx-okapi-tenant: library\r\nx-internal-assertion: ${token}\r\nconnection: close\r\n\r\n`,
      );
    const sign = (change: object = {}, at = now()) =>
      signAssertion({ ...good, ...change }, ring.of('gateway').pairs, at);

    it('is right is served, also with HEAD', async () => {
      expect(await withToken(sign())).toMatch(/^HTTP\/1.1 200 /);
      const head = await withToken(sign({ method: 'HEAD' }), 'HEAD');
      expect(head).toMatch(/^HTTP\/1.1 200 /);
      expect(head).toMatch(/\r\n\r\n$/);
    });

    it.each<[string, () => string]>([
      ['is missing', () => ''],
      ['is not three parts', () => 'a.b'],
      ['is for another service', () => sign({ audience: 'data-import' })],
      [
        'names another service, though signed with the right key',
        () =>
          signAssertion(
            { ...good, audience: 'data-import' },
            { keyFor: () => ring.of('gateway').pairs.keyFor('gateway', 'data-export') },
            now(),
          ),
      ],
      ['is for another method', () => sign({ method: 'POST' })],
      ['is for another query', () => sign({ target: '/peek?x=1' })],
      ['is over a minute old', () => sign({}, new Date(now().getTime() - 66_000))],
      ['is from the future', () => sign({}, new Date(now().getTime() + 20_000))],
      ['has another signature', () => `${sign().slice(0, -4)}AAAA`],
      ['has no algorithm', () => withHeader(sign(), { alg: 'none', kid: 'x' })],
      ['has an unknown key', () => withHeader(sign(), { alg: 'HS256', kid: 'x' })],
      [
        'is by a service that may not call here',
        () =>
          signAssertion(
            { ...good, issuer: 'data-import' },
            { keyFor: () => ring.of('gateway').pairs.keyFor('gateway', 'data-export') },
            now(),
          ),
      ],
    ])('%s is 401', async (_, token) => {
      expect(await withToken(token())).toMatch(/^HTTP\/1.1 401 [^]*\r\n\r\nInvalid token$/);
    });

    it('was used for a write is good no second time', async () => {
      const token = sign({ method: 'POST', target: '/crates', permissions: ['crates.item.any'] });
      const send = () =>
        raw(
          `POST /crates HTTP/1.1\r\nhost: x\r\nx-internal-assertion: ${token}\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{"name":"a"}`,
        );
      expect(await send()).toMatch(/^HTTP\/1.1 201 /);
      expect(await send()).toMatch(/^HTTP\/1.1 401 /);
    });

    it('is missing is found before the body is read', async () => {
      const head = 'POST /crates HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n{';
      expect(await raw(head)).toMatch(/^HTTP\/1.1 401 /);
      await turn();
    });
  });
});

function withHeader(token: string, header: object): string {
  return [
    Buffer.from(JSON.stringify(header)).toString('base64url'),
    ...token.split('.').slice(1),
  ].join('.');
}

describe('a controller', () => {
  const log = openLog({ level: 'silent' });
  const rules = {
    service: 'data-export',
    verifier: new AssertionVerifier('data-export', { keyFor: () => undefined }),
    clock: systemClock,
    log,
  } as const;

  it('with a route that names no entry does not start', async () => {
    @Controller('x')
    class Undeclared {
      @Get()
      read(): string {
        return 'x';
      }
    }
    @Module({ controllers: [Undeclared] })
    class UndeclaredModule {}
    await expect(createHttpApp(UndeclaredModule, rules)).rejects.toThrow(
      'Undeclared.read serves GET /x and declares nothing',
    );
  });

  it('whose path is not that of its entry does not start', async () => {
    @Controller('x')
    class Misplaced {
      @Get('y')
      @Permissions(crates.read)
      read(): string {
        return 'x';
      }
    }
    @Module({ controllers: [Misplaced] })
    class MisplacedModule {}
    await expect(createHttpApp(MisplacedModule, rules)).rejects.toThrow(
      'serves GET /x/y and declares GET /crates/:id',
    );
  });

  it('cannot call a protected route public', () => {
    expect(() => Public(crates.read)).toThrow('GET /crates/:id is not public in the routes.');
  });
});
