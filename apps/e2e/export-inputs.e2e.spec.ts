import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadKeys } from '@quire/auth/keys';
import { signLink } from '@quire/auth/signed-link';
import type { DownloadLink, ExportJobExecution } from '@quire/contracts/data-export';
import { uuidV5 } from '@quire/contracts/ids';
import { generateMarc } from '@quire/testing/marc';
import { framesOf } from './src/compare.js';
import { csvRows, ExportInputs, type FileBytes } from './src/export-inputs.js';
import { download, exportEnds, importEnds, instanceIds, startImport } from './src/steps.js';
import { fetchOnce, PASSWORD, World, type Person } from './src/world.js';

const UNKNOWN = '11111111-1111-4111-8111-111111111111';
const NO_CSV = 'File name extension does not corresponds csv format';
/** Where the objects of its exports are. */
const OBJECTS = 'export/library';
const KILOBYTES_MAX = 120_000;
const NAMESPACE = '6ba7b810-9dad-41d1-80b4-00c04fd430c8';
/** What a process may grow by while a large file passes through it. */
const GROWTH_MAX = 250 * 1024 * 1024;

const someId = (number: number): string => uuidV5(NAMESPACE, String(number));

function* lines(count: number, line: (number: number) => string): Generator<string> {
  for (let at = 0; at < count; at += 1000) {
    const length = Math.min(1000, count - at);
    yield Array.from({ length }, (_, index) => `${line(at + index)}\n`).join('');
  }
}

/** Handing an export its ids: each row of reliability, 18.5. */
describe('whoever hands ids to an export', () => {
  let world: World;
  let person: Person;
  let inputs: ExportInputs;
  let ids: string[];

  beforeAll(async () => {
    world = await World.open({ QUIRE_UPLOAD_KILOBYTES_MAX: String(KILOBYTES_MAX) });
    person = await world.as();
    inputs = new ExportInputs(world, person);
    const file = Buffer.concat([...generateMarc(11, 25)]);
    ids = await instanceIds(person, (await importEnds(person, await startImport(person, file))).id);
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const progress = (exported: number, failed: number) => ({
    progress: { exported, failed, total: exported + failed },
  });

  it('X1: names a file that is neither csv nor cql and is refused', async () => {
    for (const fileName of ['ids', 'ids.txt', '.', 'a.csv.exe', 'a.exe%00.csv'])
      expect(await inputs.define({ fileName })).toMatchObject({ status: 422, text: NO_CSV });
    expect((await inputs.define({ fileName: 'IDS.CSV' })).status).toBe(201);
  });

  it('X2: gets a name for display, and none of it is part of a path', async () => {
    const names: readonly (readonly [sent: string, shown: string])[] = [
      ['C:\\Users\\me\\ids.csv', 'ids.csv'],
      ['../../etc/ids.csv', 'ids.csv'],
      ['a\u0007b"c.csv', 'abc.csv'],
      [`${'x'.repeat(300)}.csv`, `${'x'.repeat(251)}.csv`],
      ['a\u202evsc.csv', 'avsc.csv'],
      ['📚.csv', '📚.csv'],
      ['CON.csv', 'CON.csv'],
    ];
    for (const [fileName, shown] of names)
      expect((await inputs.define({ fileName })).json).toMatchObject({ fileName: shown });
    const job = await inputs.exported(ids[0] ?? '', { fileName: '../📚 "1".csv' });
    const { link } = (await inputs.link(job)).json as DownloadLink;
    const answer = await fetchOnce(link);
    await answer.arrayBuffer();
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="__ 1-${job.hrId}.mrc"; filename*=UTF-8''${encodeURIComponent(`📚 1-${job.hrId}.mrc`)}`,
    );
    const objects = await world.objectNames(OBJECTS);
    expect(objects.length).toBeGreaterThan(0);
    expect(objects.filter((name) => !/^export\/library\/[0-9a-f-]{36}$/.test(name))).toEqual([]);
  });

  it('X3: declares too large a size and is refused', async () => {
    const size = KILOBYTES_MAX + 1;
    expect(await inputs.define({ fileName: 'a.csv', size })).toMatchObject({
      status: 413,
      text: `File size is too large: '${size}'. Please use file with size less than ${KILOBYTES_MAX}.`,
    });
  });

  it('X4: sends more bytes than the limit and is cut off; the next upload is taken', async () => {
    const id = await inputs.defined({ size: 1 });
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    const sent = await inputs.upload(
      id,
      Array.from({ length: KILOBYTES_MAX / 1024 + 2 }, () => megabyte),
    );
    expect(sent.status).toBe(413);
    expect(sent.text).toMatch(/^File size is too large: '\d+'\. Please use file with size less/);
    expect(await inputs.status(id)).toBe('ERROR');
    expect((await inputs.upload(id, ids[0] ?? '')).status).toBe(200);
    expect(await inputs.status(id)).toBe('COMPLETED');
  });

  it('X5: sends a file without a line, and the export says that it is empty', async () => {
    for (const bytes of ['', '\ufeff', '\n \r\n\t\r']) {
      const job = await inputs.exported(bytes);
      expect(job).toMatchObject({ status: 'FAIL', ...progress(0, 0) });
      expect([...(await inputs.logs(job.id)).keys()]).toEqual(['error.readingFromInputFile']);
    }
  });

  it('X6: sends ids in every usual form', async () => {
    const [a, b, c, d, e] = ids;
    const job = await inputs.exported(`\ufeff"${a}"\r\n${b},\r\r\n \t\n\t${c} ; \r${d};\n  ${e}`);
    expect(job).toMatchObject({ status: 'COMPLETED', ...progress(5, 0) });
  });

  it('X7: sends no text of ids, and only the lines that are hit are lost', async () => {
    const good = `\n${ids[0]}\n`;
    const picture = Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      createHash('sha512').update('a picture').digest(),
    ]);
    const files: readonly (readonly [string, Buffer])[] = [
      ['UTF-16', Buffer.from(`\ufeff${ids[1]}`, 'utf16le')],
      ['Latin-1', Buffer.from('Bücher\nfür Österreich', 'latin1')],
      ['NUL', Buffer.from(`${ids[1]?.slice(0, 10)}\0\0\n\0`)],
      ['a picture', picture],
      ['MARC', Buffer.concat([...generateMarc(3, 3)])],
    ];
    for (const [what, bytes] of files) {
      const mixed = await inputs.exported(Buffer.concat([bytes, Buffer.from(good)]));
      expect([what, mixed.status, mixed.progress?.exported]).toEqual([
        what,
        'COMPLETED_WITH_ERRORS',
        1,
      ]);
      const alone = await inputs.exported(bytes);
      expect([what, alone.status, alone.progress?.exported]).toEqual([what, 'FAIL', 0]);
      expect((await inputs.logs(alone.id)).get('error.invalidUuidFormat')?.[0]).toBeDefined();
    }
  });

  it('X8: sends many ids, many bad lines, one line that never ends or one id over and over, in flat memory', async () => {
    const huge = Buffer.alloc(1024 * 1024, 'x');
    const files: readonly (readonly [FileBytes, total: number, failed: number])[] = [
      [lines(100_000, someId), 100_000, 0],
      [lines(100_000, (number) => `bad line ${number}`), 100_000, 100_000],
      [Array.from({ length: 110 }, () => huge), 1, 1],
      [lines(100_000, () => ids[0] ?? ''), 100_000, 99_999],
    ];
    for (const [bytes, total, failed] of files) {
      global.gc?.();
      const before = process.memoryUsage.rss();
      const id = await inputs.defined();
      const sent = await inputs.upload(id, bytes);
      expect(sent.status).toBe(200);
      expect(process.memoryUsage.rss() - before).toBeLessThan(GROWTH_MAX);
      const { jobExecutionId } = JSON.parse(sent.text) as { jobExecutionId: string };
      const path = `/data-export/job-executions/${jobExecutionId}`;
      expect(await person.get(path)).toMatchObject({ progress: { exported: 0, failed, total } });
    }
  }, 180_000);

  it('X9: sends an id twice, which is exported once', async () => {
    const job = await inputs.exported([ids[0], ids[1], ids[0], ids[0]].join('\n'));
    expect(job).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', ...progress(2, 2) });
    expect((await inputs.logs(job.id)).get('error.duplicatedIds')).toEqual([ids[0], '3']);
    expect(framesOf(await download(person, job))).toHaveLength(2);
    const headers = { 'x-quire-dialect': '2024' };
    const told = await person.send('GET', `/data-export/job-executions/${job.id}`, { headers });
    expect(told.json).toMatchObject({ progress: { duplicated: 2, invalid: 0 } });
  });

  it('X10: sends something compressed, of which nothing is inflated', async () => {
    const packed = gzipSync(`${ids.join('\n')}\n`);
    const zip = Buffer.concat([Buffer.from('PK\x03\x04'), packed]);
    for (const bytes of [packed, zip]) {
      const job = await inputs.exported(bytes);
      expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0 } });
      expect((await inputs.logs(job.id)).has('error.invalidUuidFormat')).toBe(true);
    }
  });

  it('X11: uploads twice, to nothing, or after the export, and is refused', async () => {
    const id = await inputs.defined();
    expect((await inputs.upload(id, ids[0] ?? '')).status).toBe(200);
    const again = { status: 400, text: 'File already uploaded for this FileDefinition' };
    expect(await inputs.upload(id, ids[0] ?? '')).toEqual(again);
    const started = await inputs.start(id);
    await exportEnds(person, started.headers.get('x-job-execution-id') ?? '');
    expect(await inputs.upload(id, ids[0] ?? '')).toEqual(again);
    expect(await inputs.upload(UNKNOWN, ids[0] ?? '')).toEqual({
      status: 404,
      text: `File definition not found with id ${UNKNOWN}`,
    });
  });

  it('X12: exports what is not there or not uploaded, and is told what', async () => {
    const id = await inputs.defined();
    const refused = async (answer: Promise<{ status: number; text: string }>, text: string) =>
      expect(await answer).toMatchObject({ status: 400, text });
    await refused(inputs.start(UNKNOWN), `File definition not found with id ${UNKNOWN}`);
    await refused(
      inputs.start(id, { jobProfileId: UNKNOWN }),
      `JobProfile not found with id ${UNKNOWN}`,
    );
    await refused(inputs.start(id), `File is not uploaded for file definition with id ${id}`);
  });

  it('X13: asks for the same export again, which runs once; for another, and is refused; after FAIL, a new one', async () => {
    const id = await inputs.defined();
    await inputs.upload(id, ids.join('\n'));
    const jobOf = async (answer: Promise<{ headers: Headers }>) =>
      (await answer).headers.get('x-job-execution-id') ?? '';
    const first = await jobOf(inputs.start(id));
    expect(await jobOf(inputs.start(id))).toBe(first);
    expect((await exportEnds(person, first)).progress?.exported).toBe(ids.length);
    expect(await jobOf(inputs.start(id))).toBe(first);
    expect(await inputs.start(id, { recordType: 'HOLDINGS' })).toMatchObject({
      status: 400,
      text: `Export has already been started for file definition with id ${id}`,
    });
    const failing = await inputs.defined();
    await inputs.upload(failing, UNKNOWN);
    const failed = await jobOf(inputs.start(failing));
    expect((await exportEnds(person, failed)).status).toBe('FAIL');
    const next = await jobOf(inputs.start(failing));
    expect(next).not.toBe(failed);
    expect((await exportEnds(person, failed)).status).toBe('FAIL');
  });

  it('X14: asks quickly without what the type names, and is refused; a path is reduced to its last element', async () => {
    const base = { type: 'uuid', recordType: 'INSTANCE' };
    const many = Array.from({ length: 200_001 }, () => UNKNOWN);
    for (const [request, key] of [
      [{ recordType: 'INSTANCE', uuids: [] }, 'type'],
      [{ ...base, criteria: 'title=a' }, 'uuids'],
      [{ ...base, type: 'cql', uuids: [] }, 'criteria'],
      [{ ...base, uuids: 'x' }, 'uuids'],
      [{ ...base, uuids: ['x'] }, 'uuids[0]'],
      [{ ...base, uuids: many }, 'uuids'],
    ] as const) {
      const { status, json } = await inputs.quick(request);
      expect([status, json]).toMatchObject([422, { errors: [{ parameters: [{ key }] }] }]);
    }
    const fileName = '/home/me/new books.mrc';
    const { json } = await inputs.quick({ ...base, uuids: ids, criteria: '((', fileName });
    const job = await exportEnds(person, (json as { jobExecutionId: string }).jobExecutionId);
    expect(job).toMatchObject({ status: 'COMPLETED', ...progress(ids.length, 0) });
    expect(job.exportedFiles?.[0]?.fileName).toBe(`new books-${job.hrId}.mrc`);
  });

  it('X15: downloads what is not there, and gets 404', async () => {
    const [one, other] = [
      await inputs.exported(ids[0] ?? ''),
      await inputs.exported(ids[1] ?? ''),
    ] as const;
    const failed = await inputs.exported(UNKNOWN);
    const id = await inputs.defined();
    await inputs.upload(id, ids[0] ?? '');
    const jobs = await person.get<{ jobExecutions: ExportJobExecution[] }>(
      '/data-export/job-executions?limit=1',
    );
    const [fresh] = jobs.jobExecutions as [ExportJobExecution];
    for (const [job, fileId] of [
      [one, other.exportedFiles?.[0]?.fileId],
      [fresh, one.exportedFiles?.[0]?.fileId],
      [failed, failed.exportedFiles?.[0]?.fileId],
    ] as const)
      expect(await inputs.link(job, fileId)).toMatchObject({
        status: 404,
        text: `Export File with id: ${fileId ?? ''} not found:`,
      });
    expect(await inputs.link({ ...one, id: UNKNOWN })).toMatchObject({
      status: 404,
      text: `Job execution not found with id ${UNKNOWN}`,
    });
    const before = new Set(await world.objectNames(OBJECTS));
    const lost = await inputs.exported(ids[2] ?? '');
    for (const name of await world.objectNames(OBJECTS))
      if (!before.has(name)) await world.removeObject(name);
    expect((await inputs.link(lost)).status).toBe(404);
  });

  it('X16: follows a link that is not good, and parts of one that is', async () => {
    const job = await inputs.exported(ids.join('\n'));
    const fileId = job.exportedFiles?.[0]?.fileId ?? '';
    const { link } = (await inputs.link(job)).json as DownloadLink;
    const follow = async (target: string, headers: Record<string, string> = {}) => {
      const answer = await fetchOnce(target, { headers });
      return { status: answer.status, text: await answer.text() };
    };
    const keys = (await loadKeys(join(world.dataDir, 'keys'))).of('data-export').links;
    const signed = (change: object) => {
      const parts = { purpose: 'export', tenantId: 'library', jobId: job.id, fileId };
      const expiresAt = new Date(Date.now() + 1000_000);
      const token = signLink({ ...parts, userId: UNKNOWN, expiresAt, ...change }, keys);
      return `${link.split('?')[0] ?? ''}?t=${token}`;
    };
    expect((await follow(signed({}))).status).toBe(200);
    for (const bad of [`${link}x`, link.replace('?t=', '?t=a'), signed({ purpose: 'original' })])
      expect(await follow(bad)).toEqual({ status: 403, text: 'Link is not valid' });
    expect((await follow(signed({ tenantId: 'archive' }))).status).toBe(404);
    expect(await follow(signed({ expiresAt: new Date(0) }))).toEqual({
      status: 410,
      text: 'Link has expired',
    });
    const whole = (await follow(link)).text;
    expect(await follow(link, { range: 'bytes=5-9' })).toEqual({
      status: 206,
      text: whole.slice(5, 10),
    });
    expect((await follow(link, { range: 'bytes=999999999-' })).status).toBe(416);
    expect(await follow(link, { range: 'bytes=0-1,3-4' })).toEqual({ status: 200, text: whole });
  });

  it('X17: reads the error report in a spreadsheet, and no cell is a formula', async () => {
    const evil = ['=1+1', '+1', '-1', '@cmd', '\tTAB', '"quoted", and more'];
    const job = await inputs.exported([...evil, ids[0]].join('\n'));
    const report = await person.send('GET', `/data-export/job-executions/${job.id}/errors.csv`);
    expect(report.status).toBe(200);
    const cells = csvRows(report.text).flat();
    expect(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
    expect(cells).toEqual(expect.arrayContaining(["'=1+1", "'+1", "'-1", "'@cmd"]));
    const xml = await inputs.exported(ids[0] ?? '');
    expect((await download(person, xml)).includes("'=")).toBe(false);
  });
});

/** The six steps of seed 004 with a list as people have it, and every number that is told about it. */
describe('a script with a list of 25 ids, some of them wrong', () => {
  let world: World;
  let person: Person;
  let inputs: ExportInputs;
  let good: string[];
  let job: ExportJobExecution;
  const unknown = [1, 2, 3].map(someId);
  let list: string[];

  beforeAll(async () => {
    world = await World.open();
    person = await world.as('library', 'admin', PASSWORD);
    inputs = new ExportInputs(world, person);
    const file = Buffer.concat([...generateMarc(13, 19)]);
    good = await instanceIds(
      person,
      (await importEnds(person, await startImport(person, file))).id,
    );
    // 19 good ones, 3 unknown, 2 that come again and 1 that is none.
    list = [
      ...good.slice(0, 10),
      unknown[0],
      'no id',
      ...good.slice(10),
      ...unknown.slice(1),
    ] as string[];
    list.push(good[3] ?? '', good[12] ?? '');
    job = await inputs.exported(list.join('\n'), { fileName: 'list.csv' });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  it('counts each line once', () => {
    expect(list).toHaveLength(25);
    expect(job).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      progress: { exported: 19, failed: 6, total: 25 },
    });
  });

  it('writes the good ones in their order', async () => {
    const frames = framesOf(await download(person, job));
    expect(frames).toHaveLength(19);
    frames.forEach((frame, at) => expect(frame.includes(good[at] ?? '')).toBe(true));
  });

  it('logs what was wrong', async () => {
    expect([...(await inputs.logs(job.id))]).toEqual([
      ['error.invalidUuidFormat', ['no id']],
      ['error.duplicatedIds', [good[12], '2']],
      ['error.uuidsNotFound', [unknown.join(', ')]],
      ['error.someRecordsFailed', ['6']],
    ]);
    const path = `/data-export/logs?query=jobExecutionId==${job.id}&limit=0`;
    expect(await person.get(path)).toMatchObject({ totalRecords: 5 });
  });

  it('reports each of these lines, and only these', async () => {
    const report = await person.send('GET', `/data-export/job-executions/${job.id}/errors.csv`);
    const rows = csvRows(report.text).map(([line, , id, , kind]) => [line, id, kind]);
    const lineOf = (text: string | undefined, last = false): string =>
      String((last ? list.lastIndexOf(text ?? '') : list.indexOf(text ?? '')) + 1);
    expect(rows).toEqual([
      [lineOf(unknown[0]), unknown[0], 'NOT_FOUND'],
      [lineOf('no id'), '', 'INVALID'],
      [lineOf(unknown[1]), unknown[1], 'NOT_FOUND'],
      [lineOf(unknown[2]), unknown[2], 'NOT_FOUND'],
      [lineOf(good[3], true), good[3], 'DUPLICATED'],
      [lineOf(good[12], true), good[12], 'DUPLICATED'],
    ]);
  });

  it('has a manifest and an account that agree with all of it', async () => {
    const bytes = await download(person, job);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const account = await person.get(`/data-export/job-executions/${job.id}/accounting`);
    expect(account).toMatchObject({
      ...{ total: 25, exported: 19, failed: 6, recordsWritten: 19 },
      ...{ invalid: 1, duplicated: 2, notFound: 3, faulty: 0 },
    });
    const manifest = await person.get(`/data-export/job-executions/${job.id}/manifest`);
    expect(manifest).toMatchObject({
      accounting: account,
      source: {
        name: 'list.csv',
        sha256: createHash('sha256').update(list.join('\n')).digest('hex'),
      },
      files: [
        {
          ...job.exportedFiles?.[0],
          ...{ format: 'MARC', encoding: 'UTF-8', records: 19, size: bytes.length },
          slices: [{ size: bytes.length, sha256 }],
        },
      ],
    });
  });
});
