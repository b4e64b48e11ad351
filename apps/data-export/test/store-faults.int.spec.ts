import { openS3Store, type S3Store } from '@quire/object-store/s3.store';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { lab, type EngineKind } from '@quire/testing/lab/config';
import { S3Server } from '@quire/testing/lab/s3-server';
import { DEFAULT_PROFILE, ExportWorld, idsOf, recordOf, until } from './export-world.js';

const onOwnServer = lab.engines && lab.s3 ? describe : describe.skip;

onOwnServer('an export to an S3 server that fails', () => {
  let server: S3Server;
  let store: S3Store;
  let database: TestDatabase;
  let world: ExportWorld;

  beforeAll(async () => {
    server = await S3Server.open(lab.engines as EngineKind);
    store = await openS3Store(server);
    database = await testDatabase();
    world = await ExportWorld.start(database.url, {}, undefined, { store });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
    store[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  it('waits while it is down, goes on when it is back, and is whole', async () => {
    const ids = idsOf(500);
    world.has(ids);
    const { id } = await world.uploaded(ids.join('\n'));
    await server.kill();
    const started = await world.ask('POST', '/data-export/export', {
      body: { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE },
    });
    const jobId = started.headers.get('x-job-execution-id') ?? '';
    const waits = () => world.rows<{ waits: number }>('select waits from slice where waits > 0');
    await until(async () => (await waits()).length > 0);
    expect((await world.job(jobId)).status).toBe('IN_PROGRESS');

    await server.start();

    const job = await world.ended(jobId);
    expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 500, failed: 0 } });
    const expected = ids.map((one) => recordOf(one).toString()).join('');
    expect((await world.file(job)).toString() === expected).toBe(true);
  });

  it('is not downloaded while it is down: 503, and the bytes when it is back', async () => {
    const ids = idsOf(3, 1000);
    world.has(ids);
    const job = await world.exported(ids.join('\n'));
    const fileId = job.exportedFiles?.[0]?.fileId ?? '';
    const link = await world.ask('GET', `/data-export/job-executions/${job.id}/download/${fileId}`);
    await server.kill();
    const away = await world.follow(link.json.link);
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
    await server.start();
    expect((await world.file(job)).toString()).toBe(ids.map((one) => recordOf(one)).join(''));
  });
});
