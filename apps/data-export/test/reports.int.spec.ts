import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { dataField } from '@quire/marc/iso2709/write';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  DEFAULT_PROFILE,
  ExportWorld,
  idsOf,
  recordOf,
  TENANT,
  USER,
  type Answer,
  type Job,
} from './export-world.js';

const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
/** Id of another record that stands for the same instance. */
const OTHER = 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee';
const JOBS = '/data-export/job-executions';
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

interface Manifest {
  readonly files: readonly {
    readonly sha256?: string;
    readonly size: number;
    readonly slices: readonly { readonly size: number; readonly sha256: string }[];
  }[];
  readonly [property: string]: unknown;
}

describe('reports of data-export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  let mixed: Job;
  const [good, again, missing, broken] = idsOf(4) as [string, string, string, string];
  const lines = [good, 'x,"=1"', '', again, good, missing, '=2', broken, again, again];
  const text = lines.join('\n');

  const of = (id: string, what: string): Promise<Answer> =>
    world.ask('GET', `${JOBS}/${id}/${what}`);
  /** With the digests, which come after the end. */
  const manifest = async (id: string): Promise<Manifest> => {
    for (let tries = 0; tries < 3000; tries += 1) {
      const { json } = (await of(id, 'manifest')) as { json: Manifest };
      if (json.files.every((file) => file.sha256 !== undefined)) return json;
      await delay(10);
    }
    throw new Error('No digest.');
  };

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    world.has([good, again]);
    world.sources.records.set(`${TENANT}:${again}`, { bytes: recordOf(again), others: [OTHER] });
    world.has([broken], (id) =>
      recordOf(id, [dataField('500', '  ', [['a', 'x'.repeat(12_000)]])]),
    );
    mixed = await world.exported(text);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('account for every line', async () => {
    const accounting = await of(mixed.id, 'accounting');
    expect(accounting.status).toBe(200);
    expect(accounting.json).toEqual({
      total: 9,
      blank: 1,
      exported: 2,
      failed: 7,
      invalid: 2,
      duplicated: 3,
      notFound: 1,
      faulty: 1,
      warnings: 1,
      recordsWritten: 2,
      sourceRecordDuplicates: 1,
      byCode: {
        'error.invalidUuidFormat': 2,
        'error.duplicatedIds': 3,
        'error.uuidsNotFound': 1,
        'error.messagePlaceholder': 1,
        'error.duplicateSRS': 1,
      },
    });
    expect(mixed.progress).toEqual({ exported: 2, failed: 7, total: 9 });
  });

  it('list lines that are not exported or have a warning, in their order', async () => {
    const report = await of(mixed.id, 'errors.csv');
    expect(report.status).toBe(200);
    expect(report.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const short = (id: string): string => id.slice(0, 8);
    const tooLong =
      'Record has field that is too long to be a valid MARC binary record. The maximum length for a field counting all of the sub-fields is 9999 bytes.';
    const rows = report.text.split('\n');
    expect(rows.shift()).toBe('line,input,id,idType,class,code,message,hrid,title,link');
    expect(rows.pop()).toBe('');
    expect(rows[1]?.startsWith(`4,${again},${again},instance,WARNING,error.duplicateSRS,`)).toBe(
      true,
    );
    rows.splice(1, 1);
    expect(rows).toEqual([
      '2,"x,""=1""",,instance,INVALID,error.invalidUuidFormat,"Invalid UUID format: x,""=1""",,,',
      `5,${good},${good},instance,DUPLICATED,error.duplicatedIds,UUID ${good} repeated 2 times.,,,`,
      `6,${missing},${missing},instance,NOT_FOUND,error.uuidsNotFound,UUIDs not found in SRS or inventory: ${missing},,,`,
      "7,'=2,,instance,INVALID,error.invalidUuidFormat,Invalid UUID format: =2,,,",
      `8,${broken},${broken},instance,FAULTY,error.messagePlaceholder,${tooLong},in${short(broken)},Title of ${short(broken)},`,
      `9,${again},${again},instance,DUPLICATED,error.duplicatedIds,UUID ${again} repeated 3 times.,,,`,
      `10,${again},${again},instance,DUPLICATED,error.duplicatedIds,UUID ${again} repeated 3 times.,,,`,
    ]);
  });

  it('are proved by a manifest that agrees with the file', async () => {
    const found = await manifest(mixed.id);
    const file = await world.file(mixed);
    expect(found).toEqual({
      job: {
        id: mixed.id,
        hrId: mixed.hrId,
        status: 'COMPLETED_WITH_ERRORS',
        startedDate: mixed.startedDate,
        completedDate: mixed.completedDate,
        runBy: { userId: USER, firstName: '', lastName: 'Admin' },
      },
      jobProfile: { id: DEFAULT_PROFILE, name: 'Default instances export job profile' },
      mappingProfile: {
        id: '25d81cbe-9686-11ea-bb37-0242ac130002',
        name: 'Default instance mapping profile',
        recordTypes: ['INSTANCE'],
        outputFormat: 'MARC',
        suppress999ff: false,
      },
      source: { name: 'test.csv', type: 'csv', sha256: sha256(text) },
      accounting: (await of(mixed.id, 'accounting')).json,
      files: [
        {
          ...mixed.exportedFiles?.[0],
          format: 'MARC',
          encoding: 'UTF-8',
          size: file.length,
          records: 2,
          sha256: sha256(file),
          slices: [{ size: file.length, sha256: sha256(file) }],
        },
      ],
    });
  });

  it('give the digest of a file of several slices', async () => {
    const ids = idsOf(10_001, 100);
    world.has([ids[0] ?? '', ids[10_000] ?? '']);
    const job = await world.exported(ids.join('\n'));
    const [file] = (await manifest(job.id)).files;
    const bytes = await world.file(job);
    expect(file).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
    expect(file?.slices).toHaveLength(2);
    expect(file?.slices[0]?.sha256).not.toBe(file?.sha256);
  });

  it('have a second file for what is too long for the first', async () => {
    const job = await world.exported(`${good}\n${broken}`, { oversize: 'sidecar' });
    const { files, accounting } = await manifest(job.id);
    expect(accounting).toMatchObject({ exported: 2, recordsWritten: 2, failed: 0, warnings: 1 });
    expect(files).toMatchObject([
      { ...job.exportedFiles?.[0], format: 'MARC', records: 1 },
      { ...job.exportedFiles?.[1], format: 'MARCXML', encoding: 'UTF-8', records: 1 },
    ]);
    expect(files[1]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are there of a job that failed: no file, and the lines all the same', async () => {
    const job = await world.exported(`junk\n${missing}`);
    expect((await of(job.id, 'manifest')).json).toMatchObject({
      job: { status: 'FAIL' },
      accounting: { total: 2, exported: 0, failed: 2 },
      files: [],
    });
    expect((await of(job.id, 'errors.csv')).text.split('\n')).toHaveLength(4);
  });

  it('show nothing of an export that was refused as it started', async () => {
    const job = await world.exported('junk', { idType: 'authority' });
    expect(job.progress).toEqual({ exported: 0, failed: 0, total: 0 });
    expect((await of(job.id, 'accounting')).json).toMatchObject({ total: 0, byCode: {} });
    expect((await of(job.id, 'errors.csv')).text.split('\n')).toHaveLength(2);
  });

  it('are told before the end, but for the manifest', async () => {
    const { jobExecutionId: id } = await world.uploaded(`${good}\njunk`);
    expect((await of(id, 'accounting')).json).toMatchObject({ total: 2, invalid: 1, exported: 0 });
    expect((await of(id, 'errors.csv')).text).toContain('\n2,junk,,,INVALID,');
    expect(await of(id, 'manifest')).toMatchObject({
      status: 404,
      text: `Manifest is not available for job execution with id ${id}`,
    });
  });

  it.each(['accounting', 'manifest', 'errors.csv'])('%s of an unknown job is 404', async (what) => {
    for (const id of [UNKNOWN, 'nonsense'])
      expect(await of(id, what)).toMatchObject({ status: 404, text: 'job-execution not found' });
  });

  it('outlive the upload', async () => {
    const before = await manifest(mixed.id);
    await world.change(`update file_definition set updated_at = now() - interval '2 days'`);
    await world.ask('POST', '/data-export/clean-up-files');
    expect(await manifest(mixed.id)).toEqual(before);
  });

  describe('of who ran exports', () => {
    it('name each once, as they are called now', async () => {
      const { status, json } = await world.ask('GET', '/data-export/related-users');
      expect(status).toBe(200);
      expect(json).toEqual({
        relatedUsers: [{ userId: USER, firstName: '', lastName: 'Admin' }],
        totalRecords: 1,
      });
      await world.ask('POST', '/data-export/quick-export', {
        body: { type: 'uuid', uuids: [good], recordType: 'INSTANCE' },
        firstName: 'Ada',
      });
      const now = await world.ask('GET', '/data-export/related-users?limit=1');
      expect(now.json.relatedUsers).toEqual([
        { userId: USER, firstName: 'Ada', lastName: 'Admin' },
      ]);
      const behind = await world.ask(
        'GET',
        '/data-export/related-users?offset=1&totalRecords=none',
      );
      expect(behind.json).toEqual({ relatedUsers: [] });
      expect((await world.ask('GET', '/data-export/related-users?limit=-1')).status).toBe(400);
    });
  });

  describe('of settings', () => {
    const settings = '/data-export/settings';
    const set = (key: string, value: unknown) =>
      world.ask('PUT', `${settings}/${key}`, { body: { value } });
    const value = async (key: string): Promise<unknown> => {
      const list = (await world.ask('GET', settings)).json as {
        settings: { key: string; value: unknown }[];
      };
      return list.settings.find((one) => one.key === key)?.value;
    };

    it('list what a tenant may set, with its defaults', async () => {
      const { json } = await world.ask('GET', settings);
      expect(
        Object.fromEntries(
          (json as { settings: { key: string; default?: unknown }[] }).settings.map((one) => [
            one.key,
            one.default,
          ]),
        ),
      ).toEqual({
        exportDialect: 'default',
        oversize: 'fail',
        sliceSize: undefined,
        folioHost: undefined,
        outputRetentionDays: undefined,
        jobRetentionDays: undefined,
      });
    });

    it.each([
      ['exportDialect', '2019'],
      ['oversize', 'drop'],
      ['folioHost', 'folio.example'],
      ['folioHost', 'javascript:alert(1)'],
      ['jobRetentionDays', 0],
    ])('refuse %s = %p', async (key, bad) => {
      const answer = await set(key, bad);
      expect(answer.status).toBe(422);
      expect(answer.json.errors[0].parameters[0].key).toBe('value');
    });

    it('do not know others', async () => {
      expect(await set('nonsense', 1)).toMatchObject({ status: 404, text: 'Not found' });
    });

    it('link rows of instances to the inventory of the tenant', async () => {
      const link = `https://folio.example/inventory/view/${broken}`;
      expect((await set('folioHost', 'https://folio.example/')).status).toBe(204);
      const logs = await world.ask('GET', `/data-export/logs?query=jobExecutionId==${mixed.id}`);
      const rows = logs.json.errorLogs as {
        affectedRecord?: { id?: string; inventoryRecordLink?: string };
      }[];
      expect(
        rows.find((row) => row.affectedRecord?.id === broken)?.affectedRecord?.inventoryRecordLink,
      ).toBe(link);
      expect((await of(mixed.id, 'errors.csv')).text).toContain(`,${link}\n`);
      expect((await set('folioHost', null)).status).toBe(204);
      expect((await of(mixed.id, 'errors.csv')).text).not.toContain('folio.example');
    });

    it('take the slice size as older clients write it', async () => {
      const configure = (body: object) => world.ask('POST', '/data-export/configuration', { body });
      const body = { key: 'slice_size', value: '5000' };
      expect(await configure({ ...body, more: 1 })).toMatchObject({ status: 201, json: body });
      expect(await value('sliceSize')).toBe(5000);
      for (const [bad, text] of [
        ['0', 'Slice size value cannot be less than 1: 0'],
        ['-5', 'Slice size value cannot be less than 1: -5'],
        ['many', 'Slice size is not a number: many'],
        ['2147483648', 'Slice size is not a number: 2147483648'],
        ['1.5', 'Slice size is not a number: 1.5'],
      ] as const)
        expect(await configure({ key: 'slice_size', value: bad })).toMatchObject({
          status: 400,
          text,
        });
      const other = { key: 'other', value: 'x' };
      expect(await configure(other)).toMatchObject({ status: 201, json: other });
    });
  });
});
