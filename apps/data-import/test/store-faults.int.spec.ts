import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { S3Calls } from '@quire/object-store/s3-calls';
import { openS3Store, type S3Store } from '@quire/object-store/s3.store';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { lab, type EngineKind } from '@quire/testing/lab/config';
import { S3Server } from '@quire/testing/lab/s3-server';
import { marcRecord } from '@quire/testing/marc';
import { CURRENT, ImportWorld } from './import-world.js';

const RECORD = marcRecord({ fields: [['001', 'a1']] });
/** More than one part of an upload to the store. */
const PART_BYTES = 9 * 1024 * 1024;
const TRIES_MAX = 2000;
const onOwnServer = lab.engines && lab.s3 ? describe : describe.skip;

onOwnServer('uploads to an S3 server that fails', () => {
  let server: S3Server;
  let store: S3Store;
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    server = await S3Server.open(lab.engines as EngineKind);
    store = await openS3Store(server);
    database = await testDatabase();
    world = await ImportWorld.start(database.url, {}, undefined, { store });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
    store[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  const unfinished = async (): Promise<string[]> => {
    const calls = new S3Calls(server);
    const keys: string[] = [];
    for await (const { key } of calls.listUploads()) keys.push(key);
    calls.close();
    return keys;
  };
  const objects = async (): Promise<number> => {
    let count = 0;
    for await (const { bytes } of store.list('import', 'library')) count += bytes >= 0 ? 1 : 0;
    return count;
  };

  it('are refused with 503 within 10 s while it is down, and taken when it is back', async () => {
    const drafted = await world.draft();
    await server.kill();
    const began = performance.now();
    const refused = await world.upload(drafted, RECORD);
    expect((performance.now() - began) / 1000).toBeLessThan(10);
    expect(refused).toMatchObject({ status: 503, text: 'Service unavailable, retry in 5 s' });
    expect(refused.headers['retry-after']).toBe('5');

    await server.start();

    expect((await world.upload(drafted, RECORD)).status).toBe(200);
    expect(await buffer(await store.get(await world.objectOf(drafted.fileId)))).toEqual(RECORD);
    expect(await objects()).toBe(1);
    expect(await unfinished()).toEqual([]);
  });

  it('whose client goes away leave no upload open, and can be repeated', async () => {
    const drafted = await world.draft();
    const before = await objects();
    const begun = (): Promise<object[]> =>
      world.rows('select from file_upload where tenant_id = $1 and file_id = $2', [drafted.fileId]);
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(PART_BYTES, 'x');
        while ((await begun()).length === 0);
        throw new Error('the client goes away');
      })(),
    );
    await expect(world.upload(drafted, broken)).rejects.toThrow();
    const status = async (): Promise<unknown> =>
      (await world.get(`${CURRENT}/${drafted.id}`)).json.status;
    let last = await status();
    for (let tries = 0; tries < TRIES_MAX && last !== 'ERROR'; tries += 1) last = await status();
    expect(last).toBe('ERROR');
    expect(await unfinished()).toEqual([]);
    expect(await objects()).toBe(before);
    expect((await world.upload(drafted, RECORD)).status).toBe(200);
  });
});
