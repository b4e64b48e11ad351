import { dataField } from '@quire/marc/iso2709/write';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DEFAULT_PROFILE, ExportWorld, idOf, idsOf, recordOf, stored } from './export-world.js';

const HOLDINGS_PROFILE = '5e9835fc-0e51-44c8-8a47-f7b8fce35da7';
const AUTHORITY_PROFILE = '56944b1c-f3f9-475b-bed0-7387c33620ce';
const DELETED_AUTHORITY_PROFILE = '2c9be114-6d35-4408-adac-9ead35f51a27';
const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';

const textOf = (...ids: readonly string[]): string =>
  ids.map((id) => recordOf(id).toString()).join('');

describe('an export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  const start = (body: unknown) => world.ask('POST', '/data-export/export', { body });
  const quick = (body: unknown) => world.ask('POST', '/data-export/quick-export', { body });

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    world.has(idsOf(10));
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  describe('of a file', () => {
    it('puts every line into one class and says why some failed', async () => {
      const [a, b, unknown] = [idOf(0), idOf(1), idOf(9999)];
      const job = await world.exported(`${a}\njunk\n\n${b}\n${a}\n${unknown}\n${a}\n`);
      expect(job).toMatchObject({
        status: 'COMPLETED_WITH_ERRORS',
        progress: { exported: 2, failed: 4, total: 6 },
      });
      expect(await world.logs(job.id)).toEqual([
        { code: 'error.invalidUuidFormat', level: 'ERROR', values: ['junk'] },
        { code: 'error.duplicatedIds', level: 'ERROR', values: [a, '3'] },
        { code: 'error.uuidsNotFound', level: 'ERROR', values: [unknown] },
        { code: 'error.someRecordsFailed', level: 'ERROR', values: ['4'] },
      ]);
      expect((await world.file(job)).toString()).toBe(textOf(a, b));
      const parts = (await world.job(job.id, { dialect: '2024' })).progress;
      expect(parts).toEqual({
        exported: 2,
        failed: 4,
        total: 6,
        duplicatedSrs: 0,
        readIds: 6,
        invalid: 1,
        duplicated: 2,
        notFound: 1,
        faulty: 0,
      });
    });

    it.each([
      ['one good id', [0], { exported: 1, failed: 0, total: 1 }, 'COMPLETED'],
      ['one record that is too long', [500], { exported: 0, failed: 1, total: 1 }, 'FAIL'],
      ['both', [500, 0], { exported: 1, failed: 1, total: 2 }, 'COMPLETED_WITH_ERRORS'],
      ['only unknown ids', [9998], { exported: 0, failed: 1, total: 1 }, 'FAIL'],
    ])('%s ends as section 5.3 says', async (_, numbers, progress, status) => {
      const filler = dataField('500', '  ', [['a', 'x'.repeat(9000)]]);
      world.has([idOf(500)], (id) =>
        recordOf(
          id,
          Array.from({ length: 12 }, () => filler),
        ),
      );
      const job = await world.exported(numbers.map(idOf).join('\n'));
      expect(job).toMatchObject({ progress, status });
      expect(job['completedDate']).toBeDefined();
    });

    it('names the record of which no MARC could be made', async () => {
      const id = idOf(501);
      world.has([id], () =>
        stored([
          dataField('245', '10', [['a', 'Long']]),
          dataField('500', '  ', [['a', 'x'.repeat(9995)]]),
        ]),
      );
      const job = await world.exported(`${idOf(0)}\n${id}`);
      expect(await world.logs(job.id)).toContainEqual({
        code: 'error.messagePlaceholder',
        level: 'ERROR',
        values: [
          'Record has field that is too long to be a valid MARC binary record. The maximum length for a field counting all of the sub-fields is 9999 bytes.',
        ],
        affected: { id, title: 'Long', recordType: 'INSTANCE' },
      });
    });

    it('gives only the lines that are none when no id is good (X7)', async () => {
      const job = await world.exported('uuid\nnonsense');
      expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 2, total: 2 } });
      expect(await world.logs(job.id)).toEqual([
        { code: 'error.invalidUuidFormat', level: 'ERROR', values: ['uuid,nonsense'] },
        { code: 'error.binaryFile.notGenerated', level: 'ERROR', values: [] },
      ]);
    });

    it.each(['', '\ufeff', '\n \r\n\t'])('fails at once without a line: %j (X5)', async (text) => {
      const { id } = await world.uploaded(text);
      const started = await start({ fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE });
      expect(started.status).toBe(204);
      const job = await world.job(started.headers.get('x-job-execution-id') ?? '');
      expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 0, total: 0 } });
      expect((await world.logs(job.id))[0]?.code).toBe('error.readingFromInputFile');
    });

    it('warns of several source records for one id and exports it once', async () => {
      const id = idOf(600);
      const others = [idOf(601), idOf(602)];
      world.sources.records.set(`library:${id}`, { bytes: recordOf(id), others });
      const job = await world.exported(id);
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 1, total: 1 } });
      expect(await world.logs(job.id)).toEqual([
        { code: 'error.duplicateSRS', level: 'WARNING', values: [id, [id, ...others].join(', ')] },
      ]);
      const parts = (await world.job(job.id, { dialect: '2024' })).progress;
      expect(parts['duplicatedSrs']).toBe(2);
    });

    it('asks for the kind of ids that were uploaded', async () => {
      world.sources.requests.length = 0;
      await world.exported(idOf(0), { idType: 'holding', jobProfileId: HOLDINGS_PROFILE });
      await world.exported(idOf(0), { recordType: 'HOLDINGS', jobProfileId: HOLDINGS_PROFILE });
      await world.exported(idOf(0), { jobProfileId: AUTHORITY_PROFILE }, { idType: 'authority' });
      expect(world.sources.requests.map((one) => one.idType)).toEqual([
        'HOLDINGS',
        'HOLDINGS',
        'AUTHORITY',
      ]);
    });

    it('keeps deleted authorities and live ones apart', async () => {
      const [live, deleted] = [idOf(700), idOf(701)];
      world.has([live]);
      world.sources.records.set(`library:${deleted}`, { bytes: recordOf(deleted), deleted: true });
      const request = { idType: 'authority', jobProfileId: AUTHORITY_PROFILE };
      const ordinary = await world.exported(`${live}\n${deleted}`, request);
      expect(ordinary.progress).toEqual({ exported: 1, failed: 1, total: 2 });
      expect((await world.logs(ordinary.id)).map((log) => log.code)).toEqual([
        'error.setToDeletion',
        'error.profileUsedToNonDeleted',
        'error.someRecordsFailed',
      ]);
      const other = { ...request, jobProfileId: DELETED_AUTHORITY_PROFILE };
      const dead = await world.exported(`${live}\n${deleted}`, other);
      expect((await world.file(dead)).toString()).toBe(recordOf(deleted).toString());
    });

    it.each([
      [{ idType: 'authority' }, 'error.messagePlaceholder'],
      [{ jobProfileId: DELETED_AUTHORITY_PROFILE }, 'error.onlyForSetToDeletion'],
    ])('ends by a rule of its start: %j', async (request, code) => {
      const job = await world.exported(idOf(0), request);
      expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 0, total: 0 } });
      expect((await world.logs(job.id)).map((log) => log.code)).toEqual([code]);
      expect(job.exportedFiles).toHaveLength(1);
    });

    it('finds no item without an inventory, not even one with the id of an instance', async () => {
      world.sources.requests.length = 0;
      const job = await world.exported(idsOf(3).join('\n'), { recordType: 'ITEM' });
      expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 3, total: 3 } });
      expect((await world.logs(job.id)).map((log) => log.code)).toEqual([
        'error.uuidsNotFound',
        'error.binaryFile.notGenerated',
      ]);
      expect(world.sources.requests).toEqual([]);
    });
  });

  describe('asked for again', () => {
    it('runs once while it runs and after it completed, and refuses other parameters (X13)', async () => {
      const { id, jobExecutionId } = await world.uploaded(idsOf(3).join('\n'));
      const body = { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE };
      const answers = await Promise.all([start(body), start(body), start(body)]);
      expect(answers.map((one) => one.status)).toEqual([204, 204, 204]);
      const jobs = new Set(answers.map((one) => one.headers.get('x-job-execution-id')));
      expect([...jobs]).toEqual([jobExecutionId]);
      await world.ended(jobExecutionId);
      const after = await start(body);
      expect(after.headers.get('x-job-execution-id')).toBe(jobExecutionId);
      const other = await start({ ...body, idType: 'holding' });
      expect(other).toMatchObject({
        status: 400,
        text: `Export has already been started for file definition with id ${id}`,
      });
      expect((await world.job(jobExecutionId)).progress['exported']).toBe(3);
    });

    it('makes a new job after FAIL', async () => {
      const later = idOf(800);
      const { id, jobExecutionId } = await world.uploaded(later);
      const body = { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE };
      await start(body);
      const failed = await world.ended(jobExecutionId);
      expect(failed.status).toBe('FAIL');
      world.has([later]);
      const again = (await start(body)).headers.get('x-job-execution-id') ?? '';
      expect(again).not.toBe(jobExecutionId);
      const job = await world.ended(again);
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 1, total: 1 } });
      expect(job.hrId).toBeGreaterThan(failed.hrId);
      expect(job.exportedFiles?.[0]?.fileId).not.toBe(failed.exportedFiles?.[0]?.fileId);
      const definition = await world.ask('GET', `/data-export/file-definitions/${id}`);
      expect(definition.json.jobExecutionId).toBe(again);
      expect((await world.job(jobExecutionId)).status).toBe('FAIL');
    });

    it('gives the same bytes in another job', async () => {
      const text = idsOf(10).toReversed().join('\n');
      const [one, two] = [await world.exported(text), await world.exported(text)];
      expect(await world.file(one)).toEqual(await world.file(two));
    });
  });

  describe('that cannot start', () => {
    it('says what is missing (X12)', async () => {
      const { id } = await world.uploaded(idOf(0));
      const body = { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE };
      expect(await start({ ...body, fileDefinitionId: UNKNOWN })).toMatchObject({
        status: 400,
        text: `File definition not found with id ${UNKNOWN}`,
      });
      expect(await start({ ...body, jobProfileId: UNKNOWN })).toMatchObject({
        status: 400,
        text: `JobProfile not found with id ${UNKNOWN}`,
      });
      const made = await world.ask('POST', '/data-export/file-definitions', {
        body: { fileName: 'x.csv' },
      });
      expect(await start({ ...body, fileDefinitionId: made.json.id })).toMatchObject({
        status: 400,
        text: `File is not uploaded for file definition with id ${made.json.id}`,
      });
    });

    it.each([
      ['{', 400],
      ['', 400],
      ['[]', 422],
      ['null', 422],
      ['{}', 422],
    ])('answers %j with %i', async (text, status) => {
      expect((await start(text)).status).toBe(status);
    });

    it('names each violation of its body', async () => {
      const answer = await start({ jobProfileId: 'x', tenantId: 'other' });
      expect(answer.status).toBe(422);
      expect(answer.json.errors[0]).toEqual({
        message: 'may not be null',
        type: '1',
        code: '-1',
        parameters: [{ key: 'fileDefinitionId', value: 'null' }],
      });
      expect(answer.json.total_records).toBe(3);
    });

    it('needs the permission', async () => {
      const answer = await world.ask('POST', '/data-export/export', { body: {}, permissions: [] });
      expect(answer.status).toBe(403);
    });
  });

  describe('of ids in the request', () => {
    it('starts at once and is called after its file name (X14)', async () => {
      const uuids = [idOf(1), idOf(0), idOf(1)];
      const request = { type: 'uuid', recordType: 'INSTANCE', uuids, fileName: 'dir/may.mrc' };
      const answer = await quick(request);
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.json)).toEqual(['jobExecutionId', 'jobExecutionHrId']);
      const job = await world.ended(answer.json.jobExecutionId);
      expect(job).toMatchObject({
        hrId: answer.json.jobExecutionHrId,
        status: 'COMPLETED_WITH_ERRORS',
        jobProfileId: DEFAULT_PROFILE,
        progress: { exported: 2, failed: 1, total: 3 },
      });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`may-${job.hrId}.mrc`);
      expect((await world.file(job)).toString()).toBe(textOf(idOf(1), idOf(0)));
    });

    it('starts once however often it is sent with one Idempotency-Key', async () => {
      const body = { type: 'uuid', recordType: 'INSTANCE', uuids: [idOf(2)] };
      const headers = { 'idempotency-key': 'once' };
      const send = () => world.ask('POST', '/data-export/quick-export', { body, headers });
      const [first, again] = [await send(), await send()];
      expect([again.status, again.text]).toEqual([200, first.text]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect((await world.ended(first.json.jobExecutionId)).progress.exported).toBe(1);
      const third = await world.ask('POST', '/data-export/quick-export', { body });
      expect(third.json.jobExecutionHrId).toBe(first.json.jobExecutionHrId + 1);
    });

    it.each([
      [{ type: 'uuid', uuids: [] }, 'error.readingFromInputFile'],
      [{ type: 'cql', criteria: ' ' }, 'error.readingFromInputFile'],
      [{ type: 'cql', criteria: '((' }, 'error.invalidCqlSyntax'],
    ])('%j ends FAIL', async (request, code) => {
      const answer = await quick({ recordType: 'INSTANCE', ...request });
      expect(answer.status).toBe(200);
      const job = await world.job(answer.json.jobExecutionId);
      expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 0, total: 0 } });
      expect((await world.logs(job.id)).map((log) => log.code)).toEqual([code]);
    });

    it.each([
      [{ recordType: 'INSTANCE' }, 'type'],
      [{ type: 'uuid', uuids: [] }, 'recordType'],
      [{ type: 'uuid', recordType: 'INSTANCE', criteria: 'a' }, 'uuids'],
      [{ type: 'cql', recordType: 'INSTANCE', uuids: [] }, 'criteria'],
      [{ type: 'uuid', recordType: 'INSTANCE', uuids: ['x'] }, 'uuids[0]'],
      [{ type: 'uuid', recordType: 'X', uuids: [] }, 'recordType'],
      [{ type: 'uuid', recordType: 'INSTANCE', uuids: 'x' }, 'uuids'],
    ])('%j is 422 for %s', async (request, key) => {
      const answer = await quick(request);
      expect(answer.status).toBe(422);
      expect(answer.json.errors[0].parameters[0].key).toBe(key);
    });

    it('takes 200,000 ids and not one more', async () => {
      const of = (count: number) => ({
        type: 'uuid',
        recordType: 'INSTANCE',
        uuids: Array.from({ length: count }, () => idOf(0)),
      });
      expect((await quick(of(200_001))).status).toBe(422);
      const answer = await quick(of(200_000));
      expect(answer.status).toBe(200);
      const job = await world.ended(answer.json.jobExecutionId);
      expect(job.progress).toEqual({ exported: 1, failed: 199_999, total: 200_000 });
    });

    it('refuses an unknown profile', async () => {
      const request = { type: 'uuid', recordType: 'INSTANCE', uuids: [], jobProfileId: UNKNOWN };
      expect(await quick(request)).toMatchObject({
        status: 400,
        text: `JobProfile not found with id ${UNKNOWN}`,
      });
    });
  });

  describe('with a profile of ones own', () => {
    it('leaves out 999 ff and the tags it names', async () => {
      const mapping = await world.ask('POST', '/data-export/mapping-profiles', {
        body: { name: 'Bare', recordTypes: ['SRS'], suppress999ff: true, fieldsSuppression: '001' },
      });
      expect(mapping.status).toBe(201);
      const profile = await world.ask('POST', '/data-export/job-profiles', {
        body: { name: 'Bare job', mappingProfileId: mapping.json.id },
      });
      expect(profile.status).toBe(201);
      const job = await world.exported(idOf(0), { jobProfileId: profile.json.id });
      expect(job).toMatchObject({ status: 'COMPLETED', jobProfileName: 'Bare job' });
      const text = (await world.file(job)).toString();
      expect(text).toContain('Title of');
      expect(text).not.toContain(idOf(0));
      expect(text.slice(0, 5)).toBe(String(text.length).padStart(5, '0'));
    });

    it('generates nothing without an inventory, and says so', async () => {
      const mapping = await world.ask('POST', '/data-export/mapping-profiles', {
        body: { name: 'Generated', recordTypes: ['INSTANCE'] },
      });
      const profile = await world.ask('POST', '/data-export/job-profiles', {
        body: { name: 'Generated job', mappingProfileId: mapping.json.id },
      });
      const job = await world.exported(idOf(0), { jobProfileId: profile.json.id });
      expect(job.status).toBe('FAIL');
      expect((await world.logs(job.id))[0]?.code).toBe('error.callingUri');
    });
  });
});
