import { createHash } from 'node:crypto';
import { dataField } from '@quire/marc/iso2709/write';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { SaxesParser } from 'saxes';
import {
  DEFAULT_PROFILE,
  ExportWorld,
  idOf,
  idsOf,
  recordOf,
  TENANT,
  type Job,
} from './export-world.js';

const OPEN =
  '<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="http://www.loc.gov/MARC21/slim">\n';
const CLOSE = '</collection>\n';
const AUTHORITY_PROFILE = '56944b1c-f3f9-475b-bed0-7387c33620ce';

/** Records in well-formed MARCXML. @throws when it is none */
function recordsIn(xml: string): number {
  let records = 0;
  const parser = new SaxesParser({ xmlns: true });
  parser.on('opentag', ({ local, uri }) => {
    if (uri !== 'http://www.loc.gov/MARC21/slim') throw new Error(`Namespace ${uri}`);
    if (local === 'record') records += 1;
  });
  parser.write(xml).close();
  return records;
}

describe('the output of an export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  const ids = idsOf(3);
  const long = idOf(900);

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    world.has(ids);
    const filler = dataField('500', '  ', [['a', 'x'.repeat(9000)]]);
    const many = Array.from({ length: 12 }, () => filler);
    world.has([long], (id) => recordOf(id, many));
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const parts = (job: Job) =>
    world.rows<{
      object_key: string | null;
      bytes: string;
      sha256: Buffer;
      oversize_records: number;
    }>(
      `select object_key, bytes, sha256, oversize_records from slice where job_id = '${job.id}' order by slice_no`,
    );

  it.each([
    ['MARC', 'mrc', 'application/marc'],
    ['MARCXML', 'xml', 'application/marcxml+xml'],
    ['MARC_JSON', 'jsonl', 'application/x-ndjson'],
  ])('in %s is called .%s and served as %s', async (outputFormat, extension, type) => {
    const job = await world.exported(ids.join('\n'), { outputFormat });
    expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 3, total: 3 } });
    expect(job.exportedFiles).toEqual([
      { fileId: expect.any(String) as string, fileName: `test-${job.hrId}.${extension}` },
    ]);
    const answer = await world.download(job);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('content-disposition')).toContain(`.${extension}"`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.length).toBeGreaterThan(0);
    const [part] = await parts(job);
    expect(Number(part?.bytes)).toBe(bytes.length);
    expect(part?.sha256).toEqual(createHash('sha256').update(bytes).digest());
  });

  it('takes the format of its profile when the request names none', async () => {
    const jobProfileId = await world.profile({ outputFormat: 'MARC_JSON' });
    const job = await world.exported(ids.join('\n'), { jobProfileId });
    const lines = (await world.file(job)).toString().trimEnd().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
      ids.map(() => ['leader', 'fields']),
    );
    const other = await world.exported(ids.join('\n'), { jobProfileId, outputFormat: 'MARC' });
    expect((await world.file(other)).toString()).toBe(ids.map((id) => recordOf(id)).join(''));
  });

  it('in MARCXML is one collection over several slices, well formed though records fail', async () => {
    const many = idsOf(20_500, 50_000);
    const some = [many[0], many[10_001], many[20_499]] as string[];
    world.has(some);
    world.sources.records.set(`${TENANT}:${many[1] ?? ''}`, 'no content');
    const job = await world.exported(many.join('\n'), { outputFormat: 'MARCXML' });
    expect(job).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      progress: { exported: 3, failed: 20_497, total: 20_500 },
    });
    expect(await parts(job)).toHaveLength(3);
    const xml = (await world.file(job)).toString();
    expect(recordsIn(xml)).toBe(3);
    expect(xml.startsWith(OPEN) && xml.endsWith(CLOSE)).toBe(true);
    const found = some.map((id) => xml.indexOf(id));
    expect(found).toEqual(found.toSorted((one, other) => one - other));
  });

  it('is refused with options that are none', async () => {
    const { id } = await world.uploaded(idOf(0));
    for (const option of [{ outputFormat: 'PDF' }, { encoding: 'UTF-16' }, { oversize: 'drop' }]) {
      const body = { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE, ...option };
      expect((await world.ask('POST', '/data-export/export', { body })).status).toBe(422);
    }
  });

  it('is another with other options: the same upload gives it only once', async () => {
    const { id, jobExecutionId } = await world.uploaded(idOf(0));
    const body = { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE, outputFormat: 'MARCXML' };
    const start = (more: object = {}) =>
      world.ask('POST', '/data-export/export', { body: { ...body, ...more } });
    expect((await start()).status).toBe(204);
    await world.ended(jobExecutionId);
    expect((await start()).headers.get('x-job-execution-id')).toBe(jobExecutionId);
    expect(await start({ outputFormat: 'MARC' })).toMatchObject({
      status: 400,
      text: `Export has already been started for file definition with id ${id}`,
    });
  });

  it('is in MARC-8 when the request asks for it', async () => {
    const id = idOf(902);
    world.has([id], (one) => recordOf(one, [dataField('500', '  ', [['a', 'é']])]));
    const job = await world.exported(id, { encoding: 'MARC-8' });
    expect(job.exportedFiles?.[0]?.fileName).toBe(`test-${job.hrId}.mrc`);
    const bytes = await world.file(job);
    expect(bytes[9]).toBe(0x20);
    expect(bytes.toString('latin1')).toContain('\x1fa\xe2e');
    const one = await world.open(
      'GET',
      `/data-export/download-record/${id}?idType=INSTANCE&utf=false`,
    );
    expect(one.headers.get('content-disposition')).toContain(`filename="${id}-marc8.mrc"`);
    expect(Buffer.from(await one.arrayBuffer())).toEqual(bytes);
  });

  describe('without room for a record', () => {
    const lines = () => [ids[0], long, ids[1]].join('\n');

    it('lacks it by default', async () => {
      const job = await world.exported(lines());
      expect(job).toMatchObject({
        status: 'COMPLETED_WITH_ERRORS',
        progress: { exported: 2, failed: 1, total: 3 },
      });
      expect(job.exportedFiles).toHaveLength(1);
    });

    it('has a second file for it when the job wants one, and the line is exported', async () => {
      const job = await world.exported(lines(), { oversize: 'sidecar' });
      expect(job).toMatchObject({
        status: 'COMPLETED',
        progress: { exported: 3, failed: 0, total: 3 },
      });
      expect(job.exportedFiles?.map((file) => file.fileName)).toEqual([
        `test-${job.hrId}.mrc`,
        `test-${job.hrId}-oversize.xml`,
      ]);
      const expected = [ids[0], ids[1]].map((id) => recordOf(id ?? '')).join('');
      expect((await world.file(job)).toString()).toBe(expected);
      const besides = await world.download(job, 1);
      expect(besides.headers.get('content-type')).toBe('application/marcxml+xml');
      const xml = await besides.text();
      expect(recordsIn(xml)).toBe(1);
      expect(xml).toContain(long);
      expect(await world.logs(job.id)).toMatchObject([
        {
          code: 'error.messagePlaceholder',
          level: 'WARNING',
          values: [expect.stringMatching(/^Record is too long to be a valid MARC binary record/)],
          affected: { id: long },
        },
      ]);
      expect((await parts(job))[0]?.oversize_records).toBe(1);
      const fileId = job.exportedFiles?.[1]?.fileId ?? '';
      const query = encodeURIComponent(`exportedFiles.fileId==${fileId}`);
      const found = await world.ask('GET', `/data-export/job-executions?query=${query}`);
      expect(found.json).toMatchObject({ jobExecutions: [{ id: job.id }], totalRecords: 1 });
    });

    it('has no second file when nothing went into it', async () => {
      const job = await world.exported(ids.join('\n'), { oversize: 'sidecar' });
      expect(job.status).toBe('COMPLETED');
      expect(job.exportedFiles).toHaveLength(1);
    });

    it('has one well-formed second file over several slices', async () => {
      const many = [...idsOf(10_000, 50_000), long, ...idsOf(10_000, 60_000)];
      const job = await world.exported(many.join('\n'), { oversize: 'sidecar' });
      expect(await parts(job)).toHaveLength(3);
      expect(recordsIn(await (await world.download(job, 1)).text())).toBe(1);
    });

    it('does as the tenant has set', async () => {
      await world.change(
        `insert into setting (tenant_id, key, value) values ('${TENANT}', 'oversize', '"sidecar"')`,
      );
      const job = await world.exported(lines());
      const strict = await world.exported(lines(), { oversize: 'fail' });
      await world.change(`delete from setting where key = 'oversize'`);
      expect(job.exportedFiles).toHaveLength(2);
      expect(strict.progress['failed']).toBe(1);
    });

    it.each(['MARCXML', 'MARC_JSON'])('is not %s', async (outputFormat) => {
      const job = await world.exported(lines(), { outputFormat, oversize: 'sidecar' });
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 3, total: 3 } });
      expect(job.exportedFiles).toHaveLength(1);
      expect((await world.file(job)).toString()).toContain(long);
    });
  });

  describe('of one record', () => {
    const get = (id: string, query: string) =>
      world.ask('GET', `/data-export/download-record/${id}?${query}`);

    it('is the record as it is stored, under its own name', async () => {
      const id = ids[0] ?? '';
      const answer = await get(id, 'idType=INSTANCE');
      expect(answer).toMatchObject({ status: 200, text: recordOf(id).toString() });
      expect(answer.headers.get('content-type')).toBe('application/octet-stream');
      expect(answer.headers.get('content-disposition')).toContain(
        `attachment; filename="${id}-utf.mrc"`,
      );
    });

    it('is made afresh, and may leave out 999 ff', async () => {
      const id = idOf(901);
      world.has([id]);
      expect((await get(id, 'idType=INSTANCE')).text).toContain(id);
      const without = await get(id.toUpperCase(), 'idType=authority&suppress999ff=true');
      expect(without.status).toBe(200);
      expect(without.text).not.toContain(id);
      world.sources.records.delete(`${TENANT}:${id}`);
      expect((await get(id, 'idType=INSTANCE')).status).toBe(404);
    });

    it.each([
      ['INSTANCE', idOf(999), `Couldn't find instance in db for ID: ${idOf(999)}`],
      ['AUTHORITY', idOf(999), `Couldn't find authority in db for ID: ${idOf(999)}`],
      ['INSTANCE', 'nonsense', `Couldn't find instance in db for ID: nonsense`],
    ])('of type %s that is not there is 404: %s', async (idType, id, text) => {
      expect(await get(id, `idType=${idType}`)).toMatchObject({ status: 404, text });
    });

    it.each([
      ['utf=true', "'idType' parameter is incorrect"],
      ['idType=ITEM', "'idType' parameter is incorrect"],
      ['idType=INSTANCE&utf=perhaps', "'utf' parameter is incorrect"],
      ['idType=INSTANCE&suppress999ff=2', "'suppress999ff' parameter is incorrect"],
    ])('is refused with the query %j', async (query, text) => {
      const answer = await get(ids[0] ?? '', query);
      expect(answer.status).toBe(400);
      expect(answer.text.slice(0, text.length)).toBe(text);
    });

    it('says why MARC cannot hold it', async () => {
      expect(await get(long, 'idType=INSTANCE')).toMatchObject({
        status: 422,
        text: expect.stringMatching(/^Record is too long/) as string,
      });
    });
  });

  it('warns of authorities that are deleted, once for the job', async () => {
    const dead = idsOf(2, 910);
    for (const id of dead)
      world.sources.records.set(`${TENANT}:${id}`, { bytes: recordOf(id), deleted: true });
    const request = { idType: 'authority', jobProfileId: AUTHORITY_PROFILE };
    const job = await world.exported([...dead, ids[0]].join('\n'), request);
    expect((await world.logs(job.id)).map((log) => log.code)).toEqual([
      'error.setToDeletion',
      'error.setToDeletion',
      'error.profileUsedToNonDeleted',
      'error.someRecordsFailed',
    ]);
  });
});
