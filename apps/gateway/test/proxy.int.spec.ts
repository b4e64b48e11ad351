import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { keptBytes } from '@quire/testing/memory';
import { Proxy } from '../src/proxy.js';
import { seen, World } from './world.js';

const ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
const UPLOAD = `/data-export/file-definitions/${ID}/upload`;
const JOB = `/data-export/job-executions/${ID}`;
/** At what is kept, on each way; each takes some seconds beside a heap of a gigabyte. */
const LOOKS = 4;
const MEGABYTES_200 = 200 * 1024 * 1024;

/** Waits for what another party does in its own time. */
async function until(true_: () => boolean): Promise<void> {
  for (let look = 0; look < 500; look += 1) {
    if (true_()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('It did not happen in 5 s.');
}

function* megabytes(count: number): Generator<Buffer> {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  for (let sent = 0; sent < count; sent += 1) yield chunk;
}

describe.each([
  { of: 'a service of its own process', near: false },
  { of: 'a service of the same process', near: true },
])('a body on its way through the gateway, from and to $of', ({ near }) => {
  let world: World;
  let token: string;

  beforeAll(async () => {
    world = await World.start(await testDatabase(), testClock(new Date()), {}, near);
    token = await world.login();
  });

  afterAll(() => world.stop());

  const headers = () => ({ 'x-okapi-token': token, 'content-type': 'application/octet-stream' });

  function open(target: string, options: object = {}): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        { port: world.port, path: target, headers: headers(), agent: false, ...options },
        resolve,
      );
      sent.on('error', reject);
      sent.end();
    });
  }

  it('of 200 MB passes up and down without being kept', async () => {
    const before = keptBytes();
    let most = 0;
    const look = (): void => void (most = Math.max(most, keptBytes()));
    function* looked(): Generator<Buffer> {
      for (let part = 0; part < LOOKS; part += 1) {
        yield* megabytes(200 / LOOKS);
        look();
      }
    }
    const up = await world.ask(UPLOAD, {
      method: 'POST',
      headers: headers(),
      body: Readable.from(looked()),
    });
    expect([up.status, up.text]).toEqual([200, `{"bytes":${MEGABYTES_200}}`]);
    const down = await open(`/data-export/files/${ID}?bytes=${MEGABYTES_200}`);
    let bytes = 0;
    for await (const chunk of down) {
      const passed = bytes;
      bytes += (chunk as Buffer).length;
      const part = MEGABYTES_200 / LOOKS;
      if (passed === 0 || Math.floor(bytes / part) > Math.floor(passed / part)) look();
    }
    expect([down.statusCode, bytes, down.headers['content-length']]).toEqual([
      200,
      MEGABYTES_200,
      String(MEGABYTES_200),
    ]);
    // Client, gateway and service share this process; a body kept would add 200.
    expect((most - before) / 1024 / 1024).toBeLessThan(50);
  });

  it('is not read faster than the client reads', async () => {
    const down = await open(`/data-export/files/${ID}?bytes=${2 * MEGABYTES_200}`);
    const cut = seen.downloadsCut;
    down.pause();
    const before = keptBytes();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((keptBytes() - before) / 1024 / 1024).toBeLessThan(30);
    down.destroy();
    await until(() => seen.downloadsCut > cut);
  });

  it('that the client breaks off breaks off at the service', async () => {
    const { aborted, uploadsBegun } = seen;
    const socket = connect(world.port, '127.0.0.1');
    socket.write(
      `POST ${UPLOAD} HTTP/1.1\r\nhost: x\r\nx-okapi-token: ${token}\r\ncontent-length: 1000000\r\n\r\nsome bytes`,
    );
    await until(() => seen.uploadsBegun > uploadsBegun);
    socket.destroy();
    await until(() => seen.aborted > aborted);
  });

  it('that the service breaks off ends without looking whole', async () => {
    const down = await open(`/data-export/files/${ID}?bytes=${MEGABYTES_200}&cut=1000000`);
    await expect(down.resume().toArray()).rejects.toThrow('aborted');
    expect(down.complete).toBe(false);
  });

  it('is refused before it is read, and the refusal arrives', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answer = await world.ask(UPLOAD, {
        method: 'POST',
        headers: { 'x-okapi-tenant': 'library' },
        body: Readable.from(megabytes(3)),
      });
      expect([answer.status, answer.headers.connection]).toEqual([401, 'close']);
    }
  });

  it('that the service refuses on the way is answered', async () => {
    for (let round = 0; round < 5; round += 1) {
      const json = { 'x-okapi-token': token, 'content-type': 'application/json' };
      const answer = await world.ask('/data-export/export', {
        method: 'POST',
        headers: json,
        body: Readable.from(megabytes(30)),
      });
      expect([answer.status, answer.headers.connection]).toEqual([413, 'close']);
    }
  });

  it('is one of four of a tenant at a time', async () => {
    const begun = Array.from({ length: 4 }, () => {
      const socket = connect(world.port, '127.0.0.1');
      socket.write(
        `POST ${UPLOAD} HTTP/1.1\r\nhost: x\r\nx-okapi-token: ${token}\r\ncontent-length: 100\r\n\r\nx`,
      );
      return socket;
    });
    let fifth = await world.ask(UPLOAD, { method: 'POST', headers: headers(), body: 'x' });
    for (let look = 0; look < 100 && fifth.status !== 429; look += 1) {
      fifth = await world.ask(UPLOAD, { method: 'POST', headers: headers(), body: 'x' });
    }
    expect([fifth.status, fifth.headers['retry-after']]).toEqual([429, '5']);
    for (const socket of begun) socket.destroy();
    let next = fifth;
    for (let look = 0; look < 500 && next.status !== 200; look += 1) {
      next = await world.ask(UPLOAD, { method: 'POST', headers: headers(), body: 'x' });
    }
    expect(next.status).toBe(200);
  });

  it('for a service that is away is 503 with Retry-After', async () => {
    const { urls } = world.isolated;
    const real = urls['data-export'];
    urls['data-export'] = 'http://127.0.0.1:1';
    // Reads from the same process need no address.
    for (const method of near ? ['POST'] : ['GET', 'POST']) {
      const answer = await world.ask(method === 'GET' ? JOB : UPLOAD, {
        method,
        headers: headers(),
      });
      expect([answer.status, answer.text, answer.headers['retry-after']]).toEqual([
        503,
        'Service unavailable, retry in 5 s',
        '5',
      ]);
    }
    if (real) urls['data-export'] = real;
    expect((await world.ask(JOB, { headers: headers() })).status).toBe(200);
  });
});

describe('a request the parser refuses', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start(await testDatabase(), testClock(new Date()));
  });

  afterAll(() => world.stop());

  const get = (lines: string) => world.raw(`GET /admin/health HTTP/1.1\r\nhost: x\r\n${lines}\r\n`);

  it('is served when it is right', async () => {
    expect(await get('connection: close\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    [
      'length and chunks',
      'POST /authn/logout HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two lengths',
      'POST /authn/logout HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello',
    ],
    ['a bare line feed', 'GET /admin/health HTTP/1.1\nhost: x\n\n'],
    ['a folded header', 'GET /admin/health HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n'],
    [
      'a blank before the colon',
      'GET /admin/health HTTP/1.1\r\nhost: x\r\nx-okapi-tenant : a\r\n\r\n',
    ],
    ['NUL in a header', 'GET /admin/health HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n'],
    ['CR in a header', 'GET /admin/health HTTP/1.1\r\nhost: x\r\na: b\rc\r\n\r\n'],
    ['no host', 'GET /admin/health HTTP/1.1\r\n\r\n'],
    [
      'odd chunks',
      'POST /authn/logout HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ],
    [
      'another encoding last',
      'POST /authn/logout HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    ],
  ])('for %s is 400 and the end of the connection', async (_, request) => {
    const answer = await world.raw(request);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it('is 408 when its headers are not whole after 10 s', async () => {
    const began = performance.now();
    const socket = connect(world.port, '127.0.0.1');
    socket.write('GET /admin/health HTTP/1.1\r\nhost: x\r\na: b');
    let answer = '';
    for await (const bytes of socket) answer += String(bytes);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    const seconds = (performance.now() - began) / 1000;
    expect(seconds).toBeGreaterThan(9);
    // The failure would be that it never ends.
    expect(seconds).toBeLessThan(30);
  });

  it('has limits of its own for the target and for headers', async () => {
    const at = (length: number) =>
      world.raw(`GET /${'a'.repeat(length - 1)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(await at(16_384)).toMatch(/^HTTP\/1.1 404 /);
    for (const length of [16_385, 80_000]) expect(await at(length)).toMatch(/^HTTP\/1.1 414 /);
    const lines = (count: number) =>
      get(
        `${Array.from({ length: count - 2 }, (_, at) => `a${at}: b\r\n`).join('')}connection: close\r\n`,
      );
    expect(await lines(100)).toMatch(/^HTTP\/1.1 200 /);
    for (const count of [101, 3000]) expect(await lines(count)).toMatch(/^HTTP\/1.1 431 /);
    const bytes = (count: number) => get(`a: ${'b'.repeat(count)}\r\nconnection: close\r\n`);
    expect(await bytes(16_000)).toMatch(/^HTTP\/1.1 200 /);
    for (const count of [16_400, 90_000]) expect(await bytes(count)).toMatch(/^HTTP\/1.1 431 /);
  });
});

describe('the proxy', () => {
  const open: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  /** A service of ours that behaves as `serve` says, and a proxy before it. */
  async function between(
    serve: Parameters<typeof createServer>[1],
    windowMs?: number,
    before: readonly string[] = [],
  ) {
    const service = createServer(serve).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const proxy = new Proxy(windowMs);
    const failures: unknown[] = [];
    const left: string[] = [];
    const door = createServer((request, response) => {
      const { method, headers } = request;
      delete headers.connection;
      proxy
        .pass(request, response, {
          addresses: [...before, url],
          target: request.url ?? '',
          headers: { ...headers, 'x-method': method },
          answerHeaders: {},
          onLeave: (address) => left.push(address),
        })
        .catch((error: unknown) => {
          failures.push(error);
          response.destroy();
        });
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    const port = (door.address() as AddressInfo).port;
    const ask = (method = 'GET', body?: string) =>
      new Promise<number>((resolve, reject) => {
        const request = httpRequest({ port, method, agent: false }, (response) => {
          response.resume();
          response.on('error', reject).on('end', () => resolve(response.statusCode ?? 0));
        });
        request.on('error', reject);
        request.end(body);
      });
    const close = async () => {
      proxy.close();
      for (const server of [door, service]) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
    };
    open.push(close);
    return { port, ask, failures, left, url };
  }

  it('repeats a GET whose connection was reset, and never a POST', async () => {
    let asked = 0;
    const there = await between((request, response) => {
      asked += 1;
      if (asked % 2 === 1) request.socket.resetAndDestroy();
      else response.end('fine');
    });
    expect(await there.ask('GET')).toBe(200);
    expect(asked).toBe(2);
    await expect(there.ask('POST', 'x')).rejects.toThrow('socket hang up');
    expect(asked).toBe(3);
    expect(there.failures).toMatchObject([{ kind: 'unavailable' }]);
  });

  it('tries another address for any request while nobody takes the connection', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const refused = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    gone.close();
    await once(gone, 'close');
    const bodies: string[] = [];
    const there = await between(
      (request, response) => {
        let body = '';
        request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        request.on('end', () => {
          bodies.push(body);
          response.end();
        });
      },
      undefined,
      [refused, refused],
    );
    expect(await there.ask('GET')).toBe(200);
    expect(await there.ask('POST', 'x'.repeat(300_000))).toBe(200);
    expect(bodies.map((body) => body.length)).toEqual([0, 300_000]);
  });

  it('writes over a fresh connection, which no restart can have closed', async () => {
    const ports = new Set<number | undefined>();
    const there = await between((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume().on('end', () => response.end());
    });
    for (const method of ['GET', 'GET', 'GET']) await there.ask(method);
    expect(ports.size).toBe(1);
    for (const method of ['POST', 'POST']) await there.ask(method, 'x');
    expect(ports.size).toBe(3);
  });

  it('notes which service says that it leaves', async () => {
    const there = await between((request, response) => {
      request.resume();
      if (request.headers['x-method'] === 'POST') response.setHeader('connection', 'close');
      response.end();
    });
    await there.ask('GET');
    expect(there.left).toEqual([]);
    await there.ask('POST', 'x');
    expect(there.left).toEqual([there.url]);
  });

  it('passes on the date that the service says: streams of records tell by it when to ask next', async () => {
    const date = 'Wed, 01 Jan 2020 00:00:00 GMT';
    const there = await between((_request, response) => response.writeHead(200, { date }).end());
    const answer = await fetch(`http://127.0.0.1:${there.port}/`);
    expect(answer.headers.get('date')).toBe(date);
  });

  it('gives up on a service that stays silent', async () => {
    const there = await between(() => undefined, 50);
    await expect(there.ask()).rejects.toThrow('socket hang up');
    expect(there.failures).toMatchObject([
      { kind: 'unavailable', details: { retryAfterSeconds: 5 } },
    ]);
  });

  it('gives up on a client that sends too slowly', async () => {
    const there = await between((request) => void request.resume(), 50);
    const socket = connect(there.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx');
    await until(() => there.failures.length > 0);
    expect(there.failures).toMatchObject([{ name: 'HttpRefusal', status: 408 }]);
    socket.destroy();
  });

  it('gives up on a client that never stops, but sends a byte now and then', async () => {
    const there = await between((request) => void request.resume(), 200);
    const socket = connect(there.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n');
    const drip = setInterval(() => socket.write('x'), 20);
    await until(() => there.failures.length > 0);
    clearInterval(drip);
    expect(there.failures).toMatchObject([{ name: 'HttpRefusal', status: 408 }]);
    socket.destroy();
  });

  it('lets go of a service when the client has gone before the answer', async () => {
    let gone = false;
    let asked = false;
    const there = await between((request) => {
      asked = true;
      request.socket.on('close', () => (gone = true));
    });
    const socket = connect(there.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => asked);
    socket.destroy();
    await until(() => gone);
  });

  it('cuts an answer that stands still', async () => {
    const there = await between((_request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half');
    }, 1000);
    await expect(there.ask()).rejects.toThrow('aborted');
  });
});
