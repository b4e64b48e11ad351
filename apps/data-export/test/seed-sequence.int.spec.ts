import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DEFAULT_PROFILE, ExportWorld, idsOf, recordOf, USER } from './export-world.js';

describe('the six steps of seed 004', () => {
  let database: TestDatabase;
  let world: ExportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('give the records of the file in the order of its lines', async () => {
    const ids = idsOf(25);
    world.has(ids);
    const profiles = await world.ask('GET', '/data-export/job-profiles', { dialect: '2020' });
    expect(profiles.json.jobProfiles[0]).toMatchObject({
      id: DEFAULT_PROFILE,
      name: 'Default job profile',
      description: 'Default job profile',
      destination: 'fileSystem',
      userInfo: { firstName: 'System', lastName: 'Process', userName: 'system_process' },
    });
    const made = await world.ask('POST', '/data-export/file-definitions', {
      body: { fileName: 'test.csv' },
    });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ fileName: 'test.csv', status: 'NEW' });
    expect(made.json.metadata).toMatchObject({ createdByUserId: USER });
    const id = made.json.id as string;
    expect(made.headers.get('location')).toBe(`/api/data-export/file-definitions/${id}`);

    const sent = await world.ask('POST', `/data-export/file-definitions/${id}/upload`, {
      bytes: ids.join('\r\n'),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(sent.status).toBe(200);
    expect(sent.json).toMatchObject({
      id,
      fileName: 'test.csv',
      status: 'COMPLETED',
      sourcePath: `./storage/files/${id}/test.csv`,
    });
    const jobId = sent.json.jobExecutionId as string;
    expect((await world.job(jobId)).progress).toEqual({ exported: 0, failed: 0, total: 25 });

    const started = await world.ask('POST', '/data-export/export', {
      body: { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE },
    });
    expect(started.status).toBe(204);
    expect(started.text).toBe('');
    expect(started.headers.get('x-job-execution-id')).toBe(jobId);

    await world.ended(jobId);
    const listed = await world.ask(
      'GET',
      `/data-export/job-executions?query=${encodeURIComponent(`id=="${jobId}"`)}`,
      { dialect: '2020' },
    );
    expect(listed.headers.get('x-quire-dialect')).toBe('2020');
    const [job] = listed.json.jobExecutions;
    expect(listed.json.totalRecords).toBe(1);
    expect(job).toMatchObject({
      id: jobId,
      hrId: '1',
      jobProfileId: DEFAULT_PROFILE,
      progress: { exported: 25, failed: 0, total: '25' },
      runBy: { firstName: '', lastName: 'Admin', userId: USER },
      status: 'SUCCESS',
    });
    expect(job.completedDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    expect(job.exportedFiles[0].fileName).toBe('test-1.mrc');
    const { fileId } = job.exportedFiles[0];

    const link = await world.ask('GET', `/data-export/job-executions/${jobId}/download/${fileId}`);
    expect(link.json.fileId).toBe(fileId);
    expect(link.json.link).toMatch(`https://library.example/api/data-export/files/${fileId}?t=`);
    const file = await world.follow(link.json.link);
    expect(file.status).toBe(200);
    const expected = ids.map((one) => recordOf(one).toString()).join('');
    expect(await file.text()).toBe(expected);
  });
});
