import type { ExportJobExecution, QuickExportStarted } from '@quire/contracts/data-export';
import { generateMarc } from '@quire/testing/marc';
import { asImported, framesOf } from './src/compare.js';
import { csvRows, ExportInputs } from './src/export-inputs.js';
import {
  DEFAULT_EXPORT_PROFILE,
  download,
  exportEnds,
  importEnds,
  instanceIds,
  startImport,
} from './src/steps.js';
import { World, type Person } from './src/world.js';

const UNKNOWN = '11111111-1111-4111-8111-111111111111';

/** Ways to say what is exported, and in which form, over records that were really imported. */
describe('a systems librarian exports', () => {
  let world: World;
  let person: Person;
  let inputs: ExportInputs;
  let records: Buffer[];
  let ids: string[];

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    inputs = new ExportInputs(world, person);
    records = [...generateMarc(17, 40)];
    const file = Buffer.concat(records);
    ids = await instanceIds(person, (await importEnds(person, await startImport(person, file))).id);
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const whole = async (job: ExportJobExecution) =>
    framesOf(await download(person, job)).map(asImported);
  const query = async (criteria: string) => {
    const answer = await inputs.quick({ type: 'cql', recordType: 'INSTANCE', criteria });
    return exportEnds(person, (answer.json as QuickExportStarted).jobExecutionId);
  };

  it('what a query finds', async () => {
    const job = await query(`id==(${ids[4] ?? ''} or ${ids[7] ?? ''})`);
    expect(job).toMatchObject({
      status: 'COMPLETED',
      progress: { exported: 2, failed: 0, total: 2 },
    });
    const found = await whole(job);
    expect(found.map((frame) => records.findIndex((one) => one.equals(frame))).toSorted()).toEqual([
      4, 7,
    ]);
  });

  it('by a query that nothing understands, and is told the column', async () => {
    const job = await query('titel = water');
    expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 0, total: 0 } });
    expect([...(await inputs.logs(job.id))]).toEqual([
      ['error.invalidCqlSyntax', ['quick-export.csv', '1']],
    ]);
  });

  it('everything', async () => {
    const answer = await person.send('POST', '/data-export/export-all', { json: {} });
    expect(answer.status).toBe(204);
    const job = await person.get<ExportJobExecution>(
      new URL(answer.headers.get('location') ?? '', world.url).pathname,
    );
    const ended = await exportEnds(person, job.id);
    expect(ended).toMatchObject({
      status: 'COMPLETED',
      progress: { exported: 40, failed: 0, total: 40 },
    });
    const all = await whole(ended);
    expect(all.map((frame) => frame.toString('hex')).toSorted()).toEqual(
      records.map((record) => record.toString('hex')).toSorted(),
    );
  });

  it.each(['export-deleted', 'export-authority-deleted'])(
    'with %s what is not there, and is told so',
    async (path) => {
      const answer = await person.send('POST', `/data-export/${path}`, { json: {} });
      expect(answer.status).toBe(200);
      const job = await exportEnds(
        person,
        (answer.json as { jobExecutionId: string }).jobExecutionId,
      );
      expect(job.status).toBe('FAIL');
      expect([...(await inputs.logs(job.id)).keys()]).toEqual(['error.readingFromInputFile']);
    },
  );

  it('deleted records by the day of their field 005', async () => {
    const [deleted, live] = [...generateMarc(19, 2)] as [Buffer, Buffer];
    deleted.write('d', 5, 'latin1');
    const file = Buffer.concat([deleted, live]);
    await importEnds(person, await startImport(person, file));
    const date = deleted
      .toString('latin1')
      .split('\x1e')
      .find((field) => /^\d{14}\.\d$/.test(field));
    const on = date?.replace(/^(....)(..)(..).*/, '$1-$2-$3');
    const exportedOn = async (json: object) => {
      const answer = await person.send('POST', '/data-export/export-deleted', { json });
      return exportEnds(person, (answer.json as { jobExecutionId: string }).jobExecutionId);
    };
    const job = await exportedOn({ from: on, to: on });
    expect(job.exportedFiles?.[0]?.fileName).toBe(`deleted-marc-bib-records-${job.hrId}.mrc`);
    expect(await whole(job)).toEqual([deleted]);
    expect((await exportedOn({ to: '1900-01-01' })).status).toBe('FAIL');
  });

  it('as MARCXML and as MARC-in-JSON', async () => {
    for (const [outputFormat, pattern] of [
      ['MARCXML', /<record>/g],
      ['MARC_JSON', /^\{"leader"/gm],
    ] as const) {
      const id = await inputs.defined();
      await inputs.upload(id, ids.join('\n'));
      const started = await inputs.start(id, { outputFormat });
      const job = await exportEnds(person, started.headers.get('x-job-execution-id') ?? '');
      expect(job.status).toBe('COMPLETED');
      const text = (await download(person, job)).toString();
      expect(text.match(pattern)).toHaveLength(40);
    }
  });

  it('one record, in UTF-8 and in MARC-8', async () => {
    const path = `/data-export/download-record/${ids[3] ?? ''}?idType=INSTANCE&suppress999ff=true`;
    expect((await person.send('GET', path)).bytes).toEqual(records[3]);
    const narrow = await person.send('GET', `${path}&utf=false`);
    expect([narrow.status, narrow.bytes[9]]).toEqual([200, 0x20]);
    expect((await person.send('GET', path.replace('INSTANCE', 'AUTHORITY'))).status).toBe(404);
  });

  it('again what was not found, with the lines it stood on', async () => {
    const job = await inputs.exported(['', ids[0], UNKNOWN, 'junk'].join('\n'));
    const again = await person.send('POST', `/data-export/job-executions/${job.id}/retry-failed`);
    expect(again.status).toBe(201);
    const next = await exportEnds(person, (again.json as QuickExportStarted).jobExecutionId);
    expect(next).toMatchObject({ status: 'FAIL', progress: { exported: 0, failed: 1, total: 1 } });
    const report = await person.send('GET', `/data-export/job-executions/${next.id}/errors.csv`);
    expect(csvRows(report.text).map(([line, , id]) => [line, id])).toEqual([['3', UNKNOWN]]);
    for (const action of ['cancel', 'resume'])
      expect(
        (await person.send('POST', `/data-export/job-executions/${next.id}/${action}`)).status,
      ).toBe(409);
  });

  it('with a profile that would have to generate its records, and is told what is missing', async () => {
    const mapping = await person.post<{ id: string }>('/data-export/mapping-profiles', {
      name: 'Generated',
      recordTypes: ['INSTANCE'],
    });
    const profile = await person.post<{ id: string }>('/data-export/job-profiles', {
      name: 'Generated',
      mappingProfileId: mapping.id,
    });
    expect(profile.id).not.toBe(DEFAULT_EXPORT_PROFILE);
    const id = await inputs.defined();
    await inputs.upload(id, ids.join('\n'));
    const started = await inputs.start(id, { jobProfileId: profile.id });
    const job = await exportEnds(person, started.headers.get('x-job-execution-id') ?? '');
    expect(job.status).toBe('FAIL');
    expect([...(await inputs.logs(job.id)).keys()]).toEqual(['error.callingUri']);
  });
});
