import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { TenantSweeps } from '../src/usecases/sweeps.js';
import {
  ImportWorld,
  OTHER_TENANT,
  PROFILE_ID,
  TENANT,
  USER_ID,
  violationOf,
  type Answer,
} from './import-world.js';

let copies = 0;
const record = (): Buffer => marcRecord({ fields: [['001', `record ${(copies += 1)}`]] });

describe('a dry run', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const dryRun = (id: string, body: object = {}): Promise<Answer> =>
    world.ask('POST', `/data-import/uploadDefinitions/${id}/dryRun`, {
      body: { jobProfileInfo: { id: PROFILE_ID }, ...body },
    });
  const started = async (id: string, body?: object): Promise<string> => {
    const answer = await dryRun(id, body);
    expect(answer.status).toBe(202);
    expect(Object.keys(answer.json as object)).toEqual(['jobExecutionId']);
    return (answer.json as { jobExecutionId: string }).jobExecutionId;
  };
  const one = async (jobId: string): Promise<ChunkReadyPayload> =>
    (await world.sent.of(jobId, 1))[0]!;
  const listed = async (): Promise<string[]> => {
    const { json } = await world.get('/metadata-provider/jobExecutions?limit=1000');
    return (json.jobExecutions as { id: string }[]).map(({ id }) => id);
  };

  it('says what an import would do, and leaves definition and jobs as they are', async () => {
    const drafted = await world.draft('spring.mrc');
    await world.upload(drafted, Buffer.concat([record(), record(), record()]));
    await world.isolated.settled();
    const before = [await world.read(drafted.id), await world.job(drafted.jobId)];
    const jobId = await started(drafted.id, { options: { strict: true } });
    const chunk = await one(jobId);
    expect(chunk).toMatchObject({
      jobExecutionId: jobId,
      frames: [0, expect.any(Number), 0, expect.any(Number), 0, expect.any(Number)],
      options: { dryRun: true, strict: true, on999ff: 'reject' },
    });
    const counts = {
      created: 1,
      updated: 0,
      unchanged: 1,
      failed: 1,
      warned: 1,
      byType: { B: 3 },
      warnings: { INDICATOR: 1 },
    };
    const errors = [{ o: 1, at: 10, len: 5, c: 'STORE' }];
    await world.saved(chunk, { counts, errors });
    expect(await world.details(jobId)).toMatchObject({
      result: 'PARTIAL',
      counts: { total: 3, created: 1, unchanged: 1, failed: 1 },
      byType: { MARC_BIB: 3 },
      warnings: { INDICATOR: 1 },
      source: { fileName: 'spring.mrc' },
      options: { dryRun: true },
    });
    const log = await world.get(`/metadata-provider/jobLogEntries/${jobId}?errorsOnly=true`);
    expect(log.json.totalRecords).toBe(1);
    expect([await world.read(drafted.id), await world.job(drafted.jobId)]).toEqual(before);
    expect((await world.process(drafted)).status).toBe(204);
    await world.saved(await one(drafted.jobId));
    expect((await world.job(drafted.jobId)).status).toBe('COMMITTED');
  });

  it('is listed nowhere, and nobody hears of it', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, record());
    const jobId = await started(drafted.id);
    await world.saved(await one(jobId));
    expect((await world.job(jobId)).status).toBe('COMMITTED');
    await world.isolated.settled();
    expect(world.sent.toldOf.has(drafted.jobId)).toBe(true);
    expect(world.sent.toldOf.has(jobId)).toBe(false);
    expect(await listed()).toContain(drafted.jobId);
    expect(await listed()).not.toContain(jobId);
  });

  it('may be repeated, and does not make a file known', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, record());
    for (const jobId of [await started(drafted.id), await started(drafted.id)])
      await world.saved(await one(jobId));
    await world.process(drafted);
    expect((await world.details(drafted.jobId)).messages).toEqual([]);
    await world.saved(await one(drafted.jobId));
    const jobId = await started(drafted.id);
    expect((await world.details(jobId)).messages).toMatchObject([{ code: 'DUPLICATE_FILE' }]);
    await world.saved(await one(jobId));
  });

  it('reads all uploaded files of the definition one after the other, and gives their failed records back', async () => {
    const definition = await world.create('a.mrc', 'b.mrc', 'later.mrc', 'c.mrc');
    const [a, b, , c] = definition.fileDefinitions as { id: string }[];
    const contents = [Buffer.concat([record(), record()]), gzipSync(record()), record()];
    for (const [index, file] of [a!, b!, c!].entries())
      await world.uploadTo(definition.id, file.id, contents[index]!);
    const jobId = await started(definition.id);
    const chunks = await world.sent.of(jobId, 2);
    expect(chunks.map(({ chunkNo, firstOrder, count }) => [chunkNo, firstOrder, count])).toEqual([
      [0, 0, 2],
      [1, 2, 1],
    ]);
    for (const chunk of chunks) await world.rejected(chunk, 'STORE');
    expect(await world.job(jobId)).toMatchObject({
      fileName: 'a.mrc and 2 more',
      status: 'ERROR',
      result: 'FAILED',
      progress: { current: 3, total: 3 },
    });
    expect((await world.details(jobId)).messages).toContainEqual(
      expect.objectContaining({ code: 'COMPRESSED' }),
    );
    const failed = await world.get(`/data-import/jobExecutions/${jobId}/failedRecords.mrc`);
    expect(failed.bytes.equals(Buffer.concat([contents[0]!, contents[2]!]))).toBe(true);
  });

  it('says at once what is wrong with a file of which nothing can be imported', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, Buffer.from('dear library'));
    const jobId = await started(drafted.id);
    expect(await world.job(jobId)).toMatchObject({
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      progress: { current: 0, total: 0 },
    });
    expect((await world.details(jobId)).messages).toContainEqual(
      expect.objectContaining({ code: 'EMPTY_FILE' }),
    );
    expect((await world.job(drafted.jobId)).status).toBe('FILE_UPLOADED');
  });

  it('cannot be retried: there is nothing that it has not saved', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, record());
    const jobId = await started(drafted.id);
    await world.rejected(await one(jobId), 'STORE');
    const target = `/data-import/jobExecutions/${jobId}/retry`;
    expect(await world.ask('POST', target, { body: {} })).toMatchObject({
      status: 400,
      text: `JobExecution ${jobId} is a dry run: import its file instead`,
    });
  });

  it('is forgotten after a week; other jobs are not', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, record());
    const jobId = await started(drafted.id);
    await world.saved(await one(jobId));
    await world.process(drafted);
    await world.saved(await one(drafted.jobId));
    const sweeps = world.isolated.services.get('data-import')!.app.get(TenantSweeps);
    const sweep = (): Promise<void> => sweeps.sweep({ tenantId: TENANT, actorId: USER_ID });
    await sweep();
    expect((await world.get(`/data-import/jobExecutions/${jobId}/details`)).status).toBe(200);
    await world.change(
      `update job_execution set completed_at = now() - interval '8 days' where tenant_id = $1 and id = any ($2)`,
      [[jobId, drafted.jobId]],
    );
    await sweep();
    expect((await world.get(`/data-import/jobExecutions/${jobId}/details`)).status).toBe(404);
    expect((await world.job(drafted.jobId)).status).toBe('COMMITTED');
  });

  it('needs an uploaded file, a known definition and profile, and the permission', async () => {
    const drafted = await world.draft();
    expect(await dryRun(drafted.id)).toMatchObject({
      status: 400,
      text: `No uploaded files in uploadDefinition ${drafted.id}`,
    });
    const unknown = randomUUID();
    expect(await dryRun(unknown)).toMatchObject({
      status: 404,
      text: `Upload definition not found by id: ${unknown}`,
    });
    expect((await dryRun('x')).status).toBe(400);
    const answer = await dryRun(drafted.id, { jobProfileInfo: { id: unknown } });
    expect(violationOf(answer)).toMatchObject({
      message: `JobProfile with id '${unknown}' was not found`,
      parameters: [{ key: 'jobProfileInfo.id', value: unknown }],
    });
    const wrong = await dryRun(drafted.id, { options: { strict: 'perhaps' } });
    expect(violationOf(wrong)).toMatchObject({ parameters: [{ key: 'options.strict' }] });
    const target = `/data-import/uploadDefinitions/${drafted.id}/dryRun`;
    const body = { jobProfileInfo: { id: PROFILE_ID } };
    expect((await world.ask('POST', target, { body, permissions: [] })).status).toBe(403);
    expect((await world.ask('POST', target, { body, tenant: OTHER_TENANT })).status).toBe(404);
  });
});
