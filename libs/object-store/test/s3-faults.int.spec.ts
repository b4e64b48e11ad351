import { randomBytes } from 'node:crypto';
import { lab, type EngineKind, type S3Address } from '@quire/testing/lab/config';
import { S3Server } from '@quire/testing/lab/s3-server';
import { S3Calls } from '../src/s3-calls.js';
import { openS3Store, S3Store } from '../src/s3.store.js';
import type { TenantKey } from '../src/tenant-key.js';
import { FaultProxy, type Rule, type SeenRequest } from './fault-proxy.js';
import { bytesOf, chunks, flowing, keysOf, newKey, sha256Of } from './object-bytes.js';
import { settingsOf, uploadsOf } from './s3-under-test.js';

const MIB = 1024 * 1024;
const unavailable = { name: 'ObjectStoreUnavailable', kind: 'unavailable' };
const s3 = lab.s3 as S3Address;
const onS3 = lab.s3 ? describe : describe.skip;
const onOwnServer = lab.engines && lab.s3 ? describe : describe.skip;

const isPart = (number: number) => (one: SeenRequest) =>
  one.query.get('partNumber') === String(number);
const isCommit = (one: SeenRequest) =>
  one.query.get('partNumber') === null && ['PUT', 'POST'].includes(one.method);

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work;
  return (performance.now() - began) / 1000;
}

onS3('an S3 store on a faulty way', () => {
  let proxy: FaultProxy;
  let store: S3Store;
  beforeEach(async () => {
    proxy = await FaultProxy.open(s3.url);
    store = await openS3Store(settingsOf(s3, proxy.url));
    proxy.seen.length = 0;
  });
  afterEach(async () => {
    store[Symbol.dispose]();
    await proxy[Symbol.asyncDispose]();
  });

  /** Puts random bytes while the rule spoils requests, and looks at what became of them when it does no more. */
  async function put(bytes: number, rule: Rule) {
    const key = newKey();
    const body = randomBytes(bytes);
    proxy.rule = rule;
    const [result] = await Promise.allSettled([store.put(key, chunks(body, 65_536))]);
    proxy.rule = () => undefined;
    return { key, body, result };
  }

  async function expectWhole({ key, body, result }: Awaited<ReturnType<typeof put>>) {
    expect(result).toEqual({
      status: 'fulfilled',
      value: { bytes: body.length, sha256: sha256Of(body) },
    });
    expect(body.equals(await bytesOf(store.get(key)))).toBe(true);
    expect(await uploadsOf(settingsOf(s3), key.toString())).toEqual([]);
  }

  async function expectNothing({ key, result }: Awaited<ReturnType<typeof put>>) {
    expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
    expect(await store.stat(key)).toBeUndefined();
    expect(await uploadsOf(settingsOf(s3), key.toString())).toEqual([]);
  }

  it.each<[string, Rule]>([
    ['the connection breaks in it', (one) => (one.before < 2 ? { resetAfterBytes: MIB } : {})],
    ['the store wants it slower', (one) => (one.before < 2 ? { status: 503 } : {})],
    ['its answer is lost', (one) => (one.before < 2 ? { answerLost: true } : {})],
    ['its ETag is another', (one) => (one.before < 2 ? { headers: { etag: '"0"' } } : {})],
  ])('sends a part again when %s', async (_what, fault) => {
    const done = await put(17 * MIB, (one) => (isPart(2)(one) ? fault(one) : {}));
    await expectWhole(done);
    expect(proxy.count('PUT', isPart(2))).toBe(3);
    expect(proxy.count('PUT', isPart(1))).toBe(1);
  });

  it('gives a part up after five tries, and leaves nothing', async () => {
    const failed = await put(17 * MIB, (one) => (isPart(2)(one) ? { status: 503 } : {}));
    await expectNothing(failed);
    expect(proxy.count('PUT', isPart(2))).toBe(5);
  });

  it.each<[string, Rule]>([
    ['the connection breaks in it', () => ({ resetAfterBytes: 1 })],
    ['the store wants it slower', () => ({ status: 503 })],
    ['its ETag is another', () => ({ headers: { etag: '"0"' } })],
  ])('writes a small object again when %s', async (_what, fault) => {
    const done = await put(MIB, (one) => (isCommit(one) && one.before < 2 ? fault(one) : {}));
    await expectWhole(done);
    expect(proxy.count('PUT')).toBe(3);
  });

  it.each([
    ['small', MIB],
    ['large', 17 * MIB],
  ])('knows a %s object for its own when the answer to the commit is lost', async (_what, size) => {
    const done = await put(size, (one) =>
      isCommit(one) && !one.query.has('uploads') ? { answerLost: true } : {},
    );
    await expectWhole(done);
  });

  it('knows its object also when it only saw it after another try', async () => {
    const done = await put(MIB, (one) => {
      if (one.method === 'PUT' && one.before === 0) return { answerLost: true };
      return one.method === 'HEAD' && one.before === 1 ? { status: 404 } : undefined;
    });
    await expectWhole(done);
    expect(proxy.count('PUT')).toBe(2);
  });

  it('writes a small object again that came out short', async () => {
    // The store is looked at before the put and after it.
    const short = (one: SeenRequest) => one.method === 'HEAD' && one.before === 1;
    const done = await put(MIB, (one) =>
      short(one) ? { headers: { 'content-length': '5' } } : {},
    );
    await expectWhole(done);
    expect(proxy.count('PUT')).toBe(2);
    expect(proxy.count('DELETE')).toBe(1);
  });

  it.each([
    ['small', MIB],
    ['large', 17 * MIB],
  ])('never takes a %s object for whole that is short, and leaves nothing', async (_what, size) => {
    const short = { headers: { 'content-length': '5' } };
    await expectNothing(
      await put(size, (one) => (one.method === 'HEAD' && one.before > 0 ? short : {})),
    );
  });

  it('never takes a large object for whole whose ETag is another', async () => {
    const other = { headers: { etag: '"0123456789abcdef0123456789abcdef-3"' } };
    await expectNothing(
      await put(17 * MIB, (one) => (one.method === 'HEAD' && one.before > 0 ? other : {})),
    );
  });

  it('takes no ETag for a proof where the store encrypts with keys of its own', async () => {
    const hidden = { 'x-amz-server-side-encryption': 'aws:kms', etag: '"not-md5"' };
    for (const size of [MIB, 17 * MIB]) {
      await expectWhole(
        await put(size, (one) =>
          isPart(1)(one) || isPart(2)(one) || isPart(3)(one) ? {} : { headers: hidden },
        ),
      );
    }
  });

  it('does not take what somebody else put there for its own', async () => {
    const key = newKey();
    const other = await openS3Store(settingsOf(s3));
    let refused = 0;
    proxy.rule = (one) => {
      if (!isCommit(one) || refused > 0) return undefined;
      refused += 1;
      return { status: 503 };
    };
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from('ours');
      await other.put(key, flowing([Buffer.from('theirs')]));
    }
    await expect(store.put(key, source())).rejects.toMatchObject({ name: 'ObjectAlreadyExists' });
    expect((await bytesOf(other.get(key))).toString()).toBe('theirs');
    other[Symbol.dispose]();
  });

  it('goes on reading at the same byte when the connection breaks', async () => {
    const { key, body } = await put(6 * MIB, () => undefined);
    proxy.rule = (one) => (one.before < 3 ? { answerCutAfterBytes: MIB } : {});
    expect(body.equals(await bytesOf(store.get(key)))).toBe(true);
    expect(proxy.count('GET')).toBe(4);
    proxy.seen.length = 0;
    const range = { start: MIB + 1, end: 5 * MIB };
    const read = await bytesOf(store.get(key, range));
    expect(body.subarray(range.start, range.end).equals(read)).toBe(true);
    expect(proxy.count('GET')).toBe(4);
  });

  it('asks for the rest when an answer ends early', async () => {
    const { key, body } = await put(MIB, () => undefined);
    proxy.rule = (one) => (one.before === 0 ? { answerShortBy: 1000 } : undefined);
    expect(body.equals(await bytesOf(store.get(key, { start: 0, end: MIB })))).toBe(true);
    expect(proxy.count('GET')).toBe(2);
  });

  it('fails a reading that gets no further, and never ends it early', async () => {
    const { key } = await put(2 * MIB, () => undefined);
    proxy.rule = (one) => (one.before === 0 ? { answerCutAfterBytes: MIB } : { status: 503 });
    await expect(bytesOf(store.get(key))).rejects.toMatchObject(unavailable);
  });

  it('answers within 10 s when the store is silent', async () => {
    const { key } = await put(10, () => undefined);
    proxy.rule = () => ({ silent: true });
    const calls = [
      store.put(newKey(), flowing([Buffer.from('x')])),
      store.get(key),
      store.stat(key),
      store.remove(key),
      keysOf(store.list(key.prefix, key.tenantId)),
      store.ready(),
    ];
    const seconds = await secondsOf(
      Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(unavailable))),
    );
    expect(seconds).toBeLessThan(10);
  });
});

onOwnServer('an S3 store whose server is killed', () => {
  let server: S3Server;
  let store: S3Store;
  beforeAll(async () => {
    server = await S3Server.open(lab.engines as EngineKind);
    store = await openS3Store(settingsOf(server));
  });
  afterAll(async () => {
    store[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  /** Kills the server in the middle of a put and tells how long the put took to fail. */
  async function failedPut(key: TenantKey): Promise<number> {
    let killedAt = 0;
    async function* source(): AsyncGenerator<Buffer> {
      yield randomBytes(9 * MIB);
      yield randomBytes(9 * MIB);
      await server.kill();
      killedAt = performance.now();
      for (let part = 0; part < 3; part++) yield randomBytes(9 * MIB);
    }
    await expect(store.put(key, source())).rejects.toMatchObject(unavailable);
    return (performance.now() - killedAt) / 1000;
  }

  it('fails puts within 10 s, shows nothing of them, and clears what is left with their keys', async () => {
    const key = newKey();
    expect(await failedPut(key)).toBeLessThan(10);
    expect(
      await secondsOf(expect(store.put(newKey(), flowing([]))).rejects.toMatchObject(unavailable)),
    ).toBeLessThan(10);
    await expect(store.ready()).rejects.toMatchObject(unavailable);

    await server.start();

    await store.ready();
    expect(await store.stat(key)).toBeUndefined();
    expect(await uploadsOf(settingsOf(server), key.toString())).toHaveLength(1);
    await store.remove(key);
    expect(await uploadsOf(settingsOf(server), key.toString())).toEqual([]);
  });

  it('keeps what it acknowledged, and reads on when the server is back', async () => {
    const key = newKey();
    const body = randomBytes(24 * MIB);
    await store.put(key, chunks(body, MIB));
    const read: Buffer[] = [];
    for await (const chunk of await store.get(key)) {
      if (read.length === 3) {
        await server.kill();
        await server.start();
      }
      read.push(chunk);
    }
    expect(Buffer.concat(read).equals(body)).toBe(true);
  });

  it('sweeps what dead processes left, by age, and spares what is not ours', async () => {
    const calls = new S3Calls(settingsOf(server));
    const key = newKey().toString();
    for (const name of [key, 'export/diku/notes', 'elsewhere']) await calls.beginUpload(name);
    const uploads = () => uploadsOf(settingsOf(server), '');
    expect(await store.sweepIncomplete(60_000)).toBe(0);
    expect(await store.sweepIncomplete(60_000, new Date(Date.now() + 61_000))).toBe(1);
    expect((await uploads()).sort()).toEqual(['elsewhere', 'export/diku/notes']);
    calls.close();
  });

  it('is opened while the server is down, and works when it is back', async () => {
    await server.kill();
    const early = await openS3Store(settingsOf(server));
    await expect(early.ready()).rejects.toMatchObject(unavailable);
    await server.start();
    await early.ready();
    early[Symbol.dispose]();
  });

  it('makes its bucket when it is opened, also when several are opened at once', async () => {
    const settings = { ...settingsOf(server), bucket: 'quire-new' };
    const stores = await Promise.all([1, 2, 3].map(() => openS3Store(settings)));
    for (const one of stores) {
      await one.ready();
      one[Symbol.dispose]();
    }
  });

  it('is unavailable, not empty, without its bucket', async () => {
    const bare = new S3Store(new S3Calls({ ...settingsOf(server), bucket: 'never-made' }));
    const key = newKey();
    await expect(bare.ready()).rejects.toMatchObject(unavailable);
    await expect(bare.stat(key)).rejects.toMatchObject(unavailable);
    await expect(bare.get(key)).rejects.toMatchObject(unavailable);
    await expect(bare.remove(key)).rejects.toMatchObject(unavailable);
    await expect(keysOf(bare.list(key.prefix, key.tenantId))).rejects.toMatchObject(unavailable);
    await expect(bare.put(key, flowing([]))).rejects.toMatchObject(unavailable);
    bare[Symbol.dispose]();
  });

  it('is not opened with keys that the server refuses, and says what to check', async () => {
    const settings = { ...settingsOf(server), secretAccessKey: 'wrong' };
    await expect(openS3Store(settings)).rejects.toThrow(
      /refuses the bucket "quire" \(AccessDenied\)\. Check S3_BUCKET/,
    );
  });
});
