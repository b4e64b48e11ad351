import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { neighbourOf, type NearRequest } from '@quire/service/neighbours';
import { passNear } from '../src/near.js';
import { World, type Answer, type Ask_ } from './world.js';

const ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
const JOB = `/data-export/job-executions/${ID}`;
const FILE = `/data-export/files/${ID}?bytes=200000`;

describe('an answer', () => {
  let near: World;
  let far: World;

  beforeAll(async () => {
    const clock = testClock(new Date());
    near = await World.start(await testDatabase(), clock, {}, true);
    far = await World.start(await testDatabase(), clock);
  });

  afterAll(async () => {
    await near.stop();
    await far.stop();
  });

  const shape = ({ status, headers, text }: Answer): object => {
    const { date, 'x-okapi-request-id': id, ...others } = headers;
    const told = /^{"caller"/.test(text);
    // What the stand-in was told is of another length where the request had a signature.
    const answer = told ? { told: asTold(text) } : { text, length: others['content-length'] };
    delete others['content-length'];
    return { status, others, ...answer, sent: [date, id].every((one) => one !== undefined) };
  };

  it.each<readonly [string, string, Ask_]>([
    ['of one piece', JOB, {}],
    ['of one piece to a HEAD', '/data-export/job-executions', { method: 'HEAD' }],
    ['that asks for another path', '/data-export/nowhere', {}],
    ['without a token', JOB, { headers: { 'x-okapi-token': '' } }],
    ['with a parameter that is none', `${JOB}?query=%`, {}],
    ['of a list', '/data-export/job-executions', {}],
    [
      'of a list, compressed',
      '/data-export/job-executions',
      { headers: { 'accept-encoding': 'gzip' } },
    ],
    [
      'of a list, for a browser',
      '/data-export/job-executions',
      { headers: { origin: 'http://127.0.0.1' } },
    ],
    ['of a stream', FILE, {}],
    ['of a stream to a HEAD', FILE, { method: 'HEAD' }],
    ['of an empty stream', `/data-export/files/${ID}`, {}],
    ['of a body that a GET brings', JOB, { body: 'x' }],
  ])('%s is the same from a service of the same process', async (_, target, asked) => {
    const answers: object[] = [];
    for (const world of [near, far]) {
      const token = await world.login();
      const headers = { 'x-okapi-tenant': 'library', 'x-okapi-token': token, ...asked.headers };
      const answer = await world.ask(target, { ...asked, headers });
      answers.push(shape(answer));
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  it('to a request that brings a signature of its own names the caller whom the gateway knows', async () => {
    const token = await near.login();
    const headers = { 'x-okapi-token': token, 'x-internal-assertion': 'a.b.c' };
    const { status, text } = await near.ask(JOB, { headers });
    expect([status, text]).toEqual([200, expect.not.stringContaining('a.b.c')]);
    expect(JSON.parse(text)).toMatchObject({ caller: { tenantId: 'library', username: 'admin' } });
  });
});

/** Without what differs from one gateway to the other, and what belongs to a connection. */
function asTold(text: string): object {
  const told = JSON.parse(text) as Record<'caller' | 'headers', Record<string, unknown>>;
  for (const name of ['actorId', 'requestId', 'publicUrl']) delete told.caller[name];
  for (const name of [
    'x-internal-assertion',
    'x-okapi-token',
    'x-okapi-request-id',
    'host',
    'connection',
  ])
    delete told.headers[name];
  return told;
}

describe('the way to a service of the same process', () => {
  const open: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  /** A door before a service that behaves as `serve` says. */
  async function before(serve: Parameters<typeof neighbourOf>[0], windowMs?: number) {
    const failures: unknown[] = [];
    const caller = {
      issuer: 'gateway',
      tenantId: 'library',
      actorId: ID,
      username: 'admin',
      permissions: [],
      requestId: 'r',
      publicUrl: '',
    } as const;
    const door = createServer((request, response) => {
      const { method = '', url: target = '', headers } = request;
      const call = { method, target, headers, caller };
      const passage = { neighbour: neighbourOf(serve), call, answerHeaders: {} };
      passNear(request, response, passage, windowMs).catch((error: unknown) => {
        failures.push(error);
        response.destroy();
      });
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    open.push(async () => {
      door.closeAllConnections();
      door.close();
      await once(door, 'close');
    });
    const { port } = door.address() as AddressInfo;
    const ask = () =>
      new Promise<string>((resolve, reject) => {
        const request = httpRequest({ port, agent: false }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('error', reject).on('end', () => resolve(text));
        });
        request.on('error', reject);
        request.end();
      });
    return { port, ask, failures };
  }

  it('tells the service who calls and what is asked', async () => {
    const there = await before((request, response) => {
      const { caller } = request as NearRequest;
      response.end(`${request.method} ${request.url} ${caller.tenantId}`);
    });
    expect(await there.ask()).toBe('GET / library');
  });

  it('gives up on a service that stays silent', async () => {
    const there = await before(() => undefined, 50);
    await expect(there.ask()).rejects.toThrow('socket hang up');
    expect(there.failures).toMatchObject([
      { kind: 'unavailable', details: { retryAfterSeconds: 5 } },
    ]);
  });

  it('is 503 when the service gives up before its answer', async () => {
    const there = await before((_, response) => void response.destroy(new Error('broken')));
    await expect(there.ask()).rejects.toThrow('socket hang up');
    expect(there.failures).toMatchObject([{ kind: 'unavailable', cause: { message: 'broken' } }]);
  });

  it('cuts an answer that stands still', async () => {
    const there = await before((_, response) => void response.write('half'), 50);
    await expect(there.ask()).rejects.toThrow('aborted');
    expect(there.failures).toEqual([]);
  });

  it('cuts an answer that the service gives up', async () => {
    const there = await before((_, response) => {
      response.write('half');
      setImmediate(() => response.destroy(new Error('broken')));
    });
    await expect(there.ask()).rejects.toThrow('aborted');
  });

  it('lasts as long as an answer moves', async () => {
    const there = await before((_, response) => {
      let sent = 0;
      const timer = setInterval(() => {
        response.write('x');
        sent += 1;
        if (sent < 20) return;
        clearInterval(timer);
        response.end('y');
      }, 20);
    }, 200);
    expect(await there.ask()).toBe(`${'x'.repeat(20)}y`);
  });

  it('lets go of a service when the client has gone before the answer', async () => {
    const asked = Promise.withResolvers<undefined>();
    const gone = Promise.withResolvers<undefined>();
    const there = await before((_, response) => {
      response.on('close', () => gone.resolve(undefined));
      asked.resolve(undefined);
    });
    const socket = connect(there.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await asked.promise;
    socket.destroy();
    await gone.promise;
  });
});
