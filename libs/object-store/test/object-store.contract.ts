/**
 * What every adapter of the object store promises, run against whatever adapter a factory opens. An adapter adds
 * nothing but a spec file that calls `objectStoreContract` with its name and factory.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { ByteRange, ObjectStore } from '../src/object-store.js';
import { TenantKey } from '../src/tenant-key.js';
import {
  blocks,
  bytesOf,
  chunks,
  flowing,
  growthBytes,
  joined,
  keysOf,
  looked,
  newKey,
  sha256Of,
} from './object-bytes.js';

export interface ObjectStoreUnderTest {
  readonly store: ObjectStore;
  /** What is physically there besides whole objects: part files, incomplete multipart uploads. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

export type OpenObjectStore = () => Promise<ObjectStoreUnderTest>;

const MIB = 1024 * 1024;

export function objectStoreContract(name: string, open: OpenObjectStore): void {
  describe(`the object store contract, kept by ${name}`, () => {
    let opened: ObjectStoreUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    afterEach(async () => {
      expect(await opened.leftovers()).toEqual([]);
    });
    afterAll(() => opened.close());

    const store = () => opened.store;
    describe('putting', () => puttingRules(store));
    describe('committing', () => committingRules(store));
    describe('failing', () => failingRules(store));
    describe('aborting', () => abortingRules(store));
    describe('reading', () => readingRules(store));
    describe('keys', () => keyRules(store));
    describe('removing and listing', () => removingRules(store));
    describe('large objects', () => largeRules(store));
  });
}

function puttingRules(store: () => ObjectStore): void {
  it('is ready', async () => {
    await expect(store().ready()).resolves.toBeUndefined();
  });

  it('answers size and sha256, and gives back the same bytes', async () => {
    const key = newKey();
    const body = randomBytes(3 * MIB + 17);
    expect(await store().put(key, chunks(body, 10_007))).toEqual({
      bytes: body.length,
      sha256: sha256Of(body),
    });
    expect(await store().stat(key)).toBe(body.length);
    expect(body.equals(await bytesOf(store().get(key)))).toBe(true);
  });

  it.each([0, 1, MIB - 1, MIB, MIB + 1, 8 * MIB, 8 * MIB + 1])(
    'keeps an object of %d bytes',
    async (size) => {
      const key = newKey();
      const body = randomBytes(size);
      expect(await store().put(key, chunks(body, 65_536))).toEqual({
        bytes: size,
        sha256: sha256Of(body),
      });
      expect(body.equals(await bytesOf(store().get(key)))).toBe(true);
    },
  );

  it('takes chunks of every size, empty ones and ones above its own blocks', async () => {
    const key = newKey();
    const parts = [0, 1, 9 * MIB + 3, 0, 5, MIB].map((size) => randomBytes(size));
    await store().put(key, flowing(parts));
    expect((await joined(flowing(parts))).equals(await bytesOf(store().get(key)))).toBe(true);
  });

  it('lets the source use its buffer again', async () => {
    const key = newKey();
    async function* source(buffer = () => Buffer.alloc(1000)): AsyncGenerator<Buffer> {
      for (let i = 0; i < 5000; i++) yield await Promise.resolve(buffer().fill(i % 256));
    }
    const one = Buffer.alloc(1000);
    await store().put(
      key,
      source(() => one),
    );
    const expected = await joined(source());
    expect(expected.equals(await bytesOf(store().get(key)))).toBe(true);
  });
}

function committingRules(store: () => ObjectStore): void {
  it('shows nothing of an object before it is whole', async () => {
    const key = newKey();
    const seen: unknown[] = [];
    async function* source(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 3; i++) {
        yield randomBytes(6 * MIB);
        seen.push(await store().stat(key), await keysOf(store().list(key.prefix, key.tenantId)));
        await expect(store().get(key)).rejects.toMatchObject({ name: 'ObjectNotFound' });
      }
    }
    await store().put(key, source());
    expect(seen).toEqual([undefined, [], undefined, [], undefined, []]);
    expect(await store().stat(key)).toBe(18 * MIB);
  });

  it('never overwrites: the second put of a key is refused and the first object stays', async () => {
    const key = newKey();
    await store().put(key, chunks(Buffer.from('first'), 5));
    await expect(store().put(key, chunks(Buffer.from('second'), 5))).rejects.toMatchObject({
      name: 'ObjectAlreadyExists',
    });
    expect((await bytesOf(store().get(key))).toString()).toBe('first');
  });

  it('does not read the source for a key that is taken', async () => {
    const key = newKey();
    await store().put(key, flowing([]));
    let touched = false;
    async function* source(): AsyncGenerator<Buffer> {
      touched = true;
      yield await Promise.resolve(Buffer.alloc(1));
    }
    await expect(store().put(key, source())).rejects.toMatchObject({
      name: 'ObjectAlreadyExists',
      key,
    });
    expect(touched).toBe(false);
  });

  it('lets exactly one of several puts of one key win, and keeps what that one wrote', async () => {
    const key = newKey();
    const bodies = Array.from({ length: 4 }, () => randomBytes(2 * MIB));
    const puts = await Promise.allSettled(
      bodies.map((body) => store().put(key, chunks(body, 100_000))),
    );
    const won = puts.flatMap((put, index) => (put.status === 'fulfilled' ? [index] : []));
    expect(won).toHaveLength(1);
    for (const put of puts) {
      if (put.status === 'rejected')
        expect(put.reason).toMatchObject({ name: 'ObjectAlreadyExists' });
    }
    expect(bodies[won[0] as number]?.equals(await bytesOf(store().get(key)))).toBe(true);
  });

  it('keeps objects put side by side apart', async () => {
    const objects = Array.from({ length: 12 }, () => ({
      key: newKey(),
      body: randomBytes(700_000),
    }));
    await Promise.all(objects.map(({ key, body }) => store().put(key, chunks(body, 9_999))));
    for (const { key, body } of objects)
      expect(body.equals(await bytesOf(store().get(key)))).toBe(true);
  });
}

function failingRules(store: () => ObjectStore): void {
  it('throws the error of the source as it came, and leaves nothing', async () => {
    const error = new Error('client gone');
    for (const sizes of [[], [10], [6 * MIB, 6 * MIB, 1]]) {
      const key = newKey();
      const put = store().put(
        key,
        flowing(
          sizes.map((size) => randomBytes(size)),
          error,
        ),
      );
      await expect(put).rejects.toBe(error);
      expect(await store().stat(key)).toBeUndefined();
    }
  });

  it('takes a key again after a put of it has failed', async () => {
    const key = newKey();
    await expect(store().put(key, flowing([Buffer.alloc(9)], new Error('torn')))).rejects.toThrow(
      'torn',
    );
    await store().put(key, chunks(Buffer.from('whole'), 5));
    expect((await bytesOf(store().get(key))).toString()).toBe('whole');
  });

  it.each([
    ['small', 100],
    ['large', 9 * MIB],
  ])(
    'lets a %s put fail whose key is removed meanwhile, and leaves nothing',
    async (_what, size) => {
      const key = newKey();
      async function* source(): AsyncGenerator<Buffer> {
        yield randomBytes(size);
        await store().remove(key);
        yield randomBytes(size);
      }
      await expect(store().put(key, source())).rejects.toMatchObject({
        name: 'ObjectStoreUnavailable',
      });
      expect(await store().stat(key)).toBeUndefined();
    },
  );
}

function abortingRules(store: () => ObjectStore): void {
  it('ends an aborted put with the reason, also while the source is silent, and leaves nothing', async () => {
    const key = newKey();
    const stop = new AbortController();
    async function* source(): AsyncGenerator<Buffer> {
      yield randomBytes(9 * MIB);
      setImmediate(() => stop.abort(new Error('lease lost')));
      await new Promise(() => undefined);
    }
    await expect(store().put(key, source(), { signal: stop.signal })).rejects.toThrow('lease lost');
    expect(await store().stat(key)).toBeUndefined();
  });

  it('leaves nothing when the abort comes with the last byte', async () => {
    const key = newKey();
    const stop = new AbortController();
    async function* source(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from('all there is'));
      stop.abort(new Error('lease lost'));
    }
    await expect(store().put(key, source(), { signal: stop.signal })).rejects.toThrow('lease lost');
    expect(await store().stat(key)).toBeUndefined();
  });

  it('leaves nothing when the abort comes between the last byte and the commit', async () => {
    const key = newKey();
    const stop = new AbortController();
    async function* source(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(randomBytes(100));
      // Sending and syncing the last block takes more turns of the event loop than this one.
      setImmediate(() => stop.abort(new Error('lease lost')));
    }
    await expect(store().put(key, source(), { signal: stop.signal })).rejects.toThrow('lease lost');
    expect(await store().stat(key)).toBeUndefined();
  });

  it('does not touch the source when the abort came before', async () => {
    let touched = false;
    async function* source(): AsyncGenerator<Buffer> {
      touched = true;
      yield await Promise.resolve(Buffer.alloc(1));
    }
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(store().put(newKey(), source(), { signal })).rejects.toThrow('too late');
    expect(touched).toBe(false);
  });
}

function readingRules(store: () => ObjectStore): void {
  const key = newKey();
  const empty = newKey();
  const body = randomBytes(2 * MIB);
  beforeAll(async () => {
    await store().put(key, chunks(body, 65_536));
    await store().put(empty, flowing([]));
  });

  it.each([
    ['the first byte', 0, 1],
    ['the middle', MIB - 5, MIB + 5],
    ['more than one block', 1000, 2 * MIB - 1000],
    ['the last byte', 2 * MIB - 1, 2 * MIB],
    ['everything', 0, 2 * MIB],
    ['nothing at the start', 0, 0],
    ['nothing in the middle', 77, 77],
    ['nothing at the end', 2 * MIB, 2 * MIB],
  ])('reads %s', async (_what, start, end) => {
    const read = await bytesOf(store().get(key, { start, end }));
    expect(body.subarray(start, end).equals(read)).toBe(true);
  });

  it('reads an empty object, whole and as a range', async () => {
    expect(await bytesOf(store().get(empty))).toHaveLength(0);
    expect(await bytesOf(store().get(empty, { start: 0, end: 0 }))).toHaveLength(0);
    expect(await store().stat(empty)).toBe(0);
  });

  it.each<[string, ByteRange]>([
    ['ends behind the object', { start: 0, end: 2 * MIB + 1 }],
    ['begins behind the object', { start: 2 * MIB + 1, end: 2 * MIB + 1 }],
    ['begins before it', { start: -1, end: 5 }],
    ['runs backwards', { start: 6, end: 5 }],
    ['is no whole number', { start: 0.5, end: 5 }],
    ['is no number', { start: 0, end: NaN }],
  ])('refuses a range that %s', async (_what, range) => {
    await expect(store().get(key, range)).rejects.toMatchObject({ name: 'ObjectRangeRefused' });
  });

  it('says that an object is missing before it hands out a stream', async () => {
    const missing = newKey();
    await expect(store().get(missing)).rejects.toMatchObject({
      name: 'ObjectNotFound',
      key: missing,
    });
    await expect(store().get(missing, { start: 0, end: 1 })).rejects.toMatchObject({
      name: 'ObjectNotFound',
    });
    expect(await store().stat(missing)).toBeUndefined();
  });

  it('serves many readers of one object, and lets each stop when it likes', async () => {
    const readers = Array.from({ length: 8 }, async (_, index) => {
      let bytes = 0;
      for await (const chunk of await store().get(key)) {
        bytes += chunk.length;
        if (index % 2 === 0) break;
      }
      return bytes;
    });
    const read = await Promise.all(readers);
    expect(read.filter((bytes) => bytes === body.length)).toHaveLength(4);
  });
}

function keyRules(store: () => ObjectStore): void {
  it('keeps tenants and prefixes apart although the uuid is the same', async () => {
    const uuid = randomUUID();
    const keys = [
      TenantKey.of('export', 'a', uuid),
      TenantKey.of('export', 'b', uuid),
      TenantKey.of('records', 'a', uuid),
    ];
    for (const key of keys) await store().put(key, chunks(Buffer.from(key.toString()), 9));
    for (const key of keys)
      expect((await bytesOf(store().get(key))).toString()).toBe(key.toString());
    expect(await store().stat(TenantKey.of('import', 'a', uuid))).toBeUndefined();
    for (const key of keys) await store().remove(key);
  });

  it('knows no tenant by a name that is none', async () => {
    for (const tenant of ['..', '', 'A', 'a/b', 'é']) {
      await expect(keysOf(store().list('export', tenant))).rejects.toMatchObject({
        name: 'InvalidTenantKey',
      });
    }
  });
}

function removingRules(store: () => ObjectStore): void {
  it('removes an object, and does not mind when it is not there', async () => {
    const key = newKey();
    await store().put(key, chunks(Buffer.from('x'), 1));
    await store().remove(key);
    expect(await store().stat(key)).toBeUndefined();
    await store().remove(key);
    await store().remove(newKey());
  });

  it('lists the objects of one tenant under one prefix with their sizes', async () => {
    const mine = newKey();
    const other = TenantKey.of(mine.prefix, mine.tenantId, randomUUID());
    const elsewhere = TenantKey.of('import', mine.tenantId, randomUUID());
    for (const [index, key] of [mine, other, elsewhere].entries()) {
      await store().put(key, flowing([Buffer.alloc(index + 1)]));
    }
    const listed: Record<string, number> = {};
    for await (const { key, bytes } of store().list(mine.prefix, mine.tenantId))
      listed[key.toString()] = bytes;
    expect(listed).toEqual({ [mine.toString()]: 1, [other.toString()]: 2 });
  });

  it('lists every one of many objects, and lets the reader remove what it sees', async () => {
    const { prefix, tenantId } = newKey();
    const keys = Array.from({ length: 60 }, () => TenantKey.of(prefix, tenantId, randomUUID()));
    await Promise.all(keys.map((key) => store().put(key, flowing([Buffer.alloc(1)]))));
    expect(await keysOf(store().list(prefix, tenantId))).toEqual(keys.map(String).sort());
    for await (const { key } of store().list(prefix, tenantId)) await store().remove(key);
    expect(await keysOf(store().list(prefix, tenantId))).toEqual([]);
  });

  it('lists nothing for a tenant it never saw', async () => {
    expect(await keysOf(store().list('export', 'nobody'))).toEqual([]);
  });
}

function largeRules(store: () => ObjectStore): void {
  it('streams 64 MiB in and out in flat memory', async () => {
    const warm = newKey();
    await store().put(warm, blocks(16 * MIB));
    await bytesOf(store().get(warm));
    const key = newKey();
    const grown = await growthBytes(async (look) => {
      await store().put(key, looked(blocks(64 * MIB), look));
      let bytes = 0;
      for await (const chunk of looked(await store().get(key), look)) {
        bytes += chunk.length;
        await turn();
      }
      expect(bytes).toBe(64 * MIB);
    });
    expect(grown).toBeLessThan(40 * MIB);
    await store().remove(key);
  });
}
