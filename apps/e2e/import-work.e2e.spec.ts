import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImportJobExecution } from '@quire/contracts/data-import';
import type { ImportDetails } from '@quire/contracts/import-work';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { quire } from './src/command-line.js';
import { imported } from './src/imports.js';
import { DEFAULT_PROFILE, importEnds, until } from './src/steps.js';
import { World, type Answer, type Person } from './src/world.js';

const CREATE_OR_UPDATE = { id: 'f5480378-9acd-4f7e-8219-6410f4ac9582', dataType: 'MARC' };

let number = 0;
const nextNumber = (): string => `w${(number += 1)}`;
const record = (hrid = nextNumber(), title = 'A title', ...more: FieldSketch[]): Buffer =>
  marcRecord({ fields: [['001', hrid], ['245', '10', { a: title }], ...more] });
/** As a catalogue like this one exports it. */
const exported = (): Buffer =>
  record(undefined, 'Exported', ['999', 'ff', { s: randomUUID(), i: randomUUID() }]);
const BROKEN = Buffer.from(
  '00080nam a2200049 a 4500245000a00000700000a00000\x1e10\x1faBroken\x1e\x1d',
);
const joined = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

interface Draft {
  readonly id: string;
  readonly jobId: string;
}

describe('what a cataloguer does with an import', () => {
  let world: World;
  let person: Person;
  let folder: string;

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    folder = await mkdtemp(join(tmpdir(), 'quire-story-'));
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const draft = async (file: Buffer, name = 'story.mrc'): Promise<Draft> => {
    const definition = await person.post<{
      id: string;
      fileDefinitions: [{ id: string; jobExecutionId: string }];
    }>('/data-import/uploadDefinitions', { fileDefinitions: [{ name }] });
    const [one] = definition.fileDefinitions;
    const path = `/data-import/uploadDefinitions/${definition.id}`;
    await person.upload(`${path}/files/${one.id}`, file);
    return { id: definition.id, jobId: one.jobExecutionId };
  };
  const process = (
    { id }: Draft,
    headers: Record<string, string> = {},
    profile: object = DEFAULT_PROFILE,
  ): Promise<Answer> =>
    person.send('POST', `/data-import/uploadDefinitions/${id}/processFiles`, {
      json: { uploadDefinition: { id }, jobProfileInfo: profile },
      headers,
    });
  const details = (id: string): Promise<ImportDetails> =>
    person.get<ImportDetails>(`/data-import/jobExecutions/${id}/details`);
  const stored = async (id: string): Promise<number> => {
    const path = `/source-storage/source-records?snapshotId=${id}&limit=0`;
    return (await person.get<{ totalRecords: number }>(path)).totalRecords;
  };

  it('tries a file out: the report says what the import then does, and nothing has changed', async () => {
    const drafted = await draft(joined(record(), record(), BROKEN, exported()));
    const { jobExecutionId } = await person.post<{ jobExecutionId: string }>(
      `/data-import/uploadDefinitions/${drafted.id}/dryRun`,
      { jobProfileInfo: DEFAULT_PROFILE },
      202,
    );
    await importEnds(person, jobExecutionId);
    const report = await details(jobExecutionId);
    expect(report).toMatchObject({
      result: 'PARTIAL',
      counts: { total: 4, created: 2, failed: 2 },
      options: { dryRun: true },
    });
    expect(await stored(jobExecutionId)).toBe(0);
    const snapshot = await person.send('GET', `/source-storage/snapshots/${jobExecutionId}`);
    expect(snapshot.status).toBe(404);
    const definition = await person.get<{ status: string }>(
      `/data-import/uploadDefinitions/${drafted.id}`,
    );
    expect(definition.status).toBe('LOADED');
    const { jobExecutions } = await person.get<{ jobExecutions: { id: string }[] }>(
      '/metadata-provider/jobExecutions?limit=1000',
    );
    expect(jobExecutions.map(({ id }) => id)).not.toContain(jobExecutionId);

    expect((await process(drafted)).status).toBe(204);
    await importEnds(person, drafted.jobId);
    const done = await details(drafted.jobId);
    expect(done.counts).toEqual(report.counts);
    expect(done.byType).toEqual(report.byType);
    expect(await stored(drafted.jobId)).toBe(2);
  });

  it('tries the failed records again with another option, and they are stored', async () => {
    const kept = exported();
    const first = await imported(person, joined(record(), kept, record(), BROKEN));
    expect(first).toMatchObject({ result: 'PARTIAL', created: 2, failed: 2 });
    const retry = await person.post<ImportJobExecution>(
      `/data-import/jobExecutions/${first.id}/retry`,
      { options: { on999ff: 'strip' } },
    );
    const job = await importEnds(person, retry.id);
    expect(job).toMatchObject({ result: 'PARTIAL', progress: { current: 2, total: 2 } });
    expect(await details(retry.id)).toMatchObject({
      retryOf: first.id,
      counts: { created: 1, failed: 1 },
      warnings: { '999FF_STRIPPED': 1 },
    });
    expect(await stored(retry.id)).toBe(1);
    const failed = await person.send(
      'GET',
      `/data-import/jobExecutions/${retry.id}/failedRecords.mrc`,
    );
    expect(failed.bytes.equals(BROKEN)).toBe(true);
    expect(await details(first.id)).toMatchObject({ counts: { created: 2, failed: 2 } });
  });

  it('is told that a file was imported before, or is kept from importing it again', async () => {
    const file = record();
    const first = await imported(person, file);
    const job = await person.get<ImportJobExecution>(`/change-manager/jobExecutions/${first.id}`);
    const again = await imported(person, file);
    expect(again.messages).toEqual([
      `The same file was imported before by the job with hrId ${job.hrId ?? 0}`,
    ]);
    const setting = '/data-import/settings/DUPLICATE_FILE';
    await person.send('PUT', setting, { json: { value: 'reject' } });
    try {
      const drafted = await draft(file);
      const refused = await process(drafted);
      expect(refused.status).toBe(409);
      expect(refused.text).toContain('was imported before by the job with hrId');
      expect((await process(drafted, { 'x-quire-allow-duplicate': 'true' })).status).toBe(204);
      expect((await importEnds(person, drafted.jobId)).status).toBe('COMMITTED');
    } finally {
      await person.send('PUT', setting, { json: { value: null } });
    }
  });

  it('pauses a large import, finds it where it was, and lets it go on', async () => {
    const records = 30_000;
    const drafted = await draft(Buffer.concat(Array<Buffer>(records).fill(record())));
    await process(drafted);
    const path = `/data-import/jobExecutions/${drafted.jobId}`;
    expect((await person.send('POST', `${path}/pause`)).status).toBe(204);
    const look = (): Promise<ImportJobExecution> =>
      person.get<ImportJobExecution>(`/change-manager/jobExecutions/${drafted.jobId}`);
    // What was out comes home.
    const current = await steady(async () => (await look()).progress?.current ?? 0);
    expect(current).toBeLessThan(records);
    expect(await details(drafted.jobId)).toMatchObject({
      paused: true,
      waiting: { reason: 'PAUSED' },
    });
    expect((await person.send('POST', `${path}/resume`)).status).toBe(204);
    const job = await importEnds(person, drafted.jobId);
    expect(job).toMatchObject({ status: 'COMMITTED', progress: { current: records } });
  });

  it('has characters repaired and is told so, or with strict has such records handed back', async () => {
    const torn = marcRecord({
      leader: '00000nam a2200000 a 4500',
      fields: [
        ['001', nextNumber()],
        [
          '245',
          '10',
          {
            a: 'Käse und Ähren, Öl und Übermut, größer, schöner, wärmer, kälter, und so weiter: ärger',
          },
        ],
      ],
    });
    torn[torn.indexOf('größer') + 3] = 0x20;
    const repaired = await imported(person, torn);
    expect(repaired).toMatchObject({ created: 1, failed: 0 });
    expect(Object.keys(repaired.warnings)).toEqual([expect.stringMatching(/^ENCODING/)]);
    const strict = await imported(person, joined(torn, record()), { options: 'strict=true' });
    expect(strict).toMatchObject({ created: 1, failed: 1, errors: ['ENCODING'] });
  });

  it('updates what changed, skips what did not, and creates what is new', async () => {
    const [same, changed, added] = [nextNumber(), nextNumber(), nextNumber()];
    const options = { profile: CREATE_OR_UPDATE };
    await imported(person, joined(record(same), record(changed)), options);
    const second = joined(record(same), record(changed, 'Another title'), record(added));
    const job = await imported(person, second, options);
    expect(job.status).toBe('COMMITTED');
    expect((await details(job.id)).counts).toEqual({
      total: 3,
      created: 1,
      updated: 1,
      unchanged: 1,
      failed: 0,
      warned: 0,
    });
    const forced = await imported(person, record(same), {
      ...options,
      options: 'skipUnchanged=false',
    });
    expect((await details(forced.id)).counts).toMatchObject({ updated: 1, unchanged: 0 });
  });

  it('does all this from the command line', async () => {
    const file = join(folder, 'mixed.mrc');
    const failed = join(folder, 'failed.mrc');
    const kept = exported();
    await writeFile(file, joined(record(), kept, BROKEN));
    const tried = await quire(['import', file, '--dry-run', '--failed-to', failed], world.url);
    expect(tried.exitCode).toBe(5);
    expect(tried.stdout).toContain('mixed.mrc: dry run, nothing was saved');
    expect(tried.stdout).toContain('3 records: 1 would be created');
    expect(tried.stdout).toMatch(
      /record 2, byte \d+, 001 w\d+, "Exported": The record already has a field 999 ff .* \[EXISTING_999FF\]/,
    );
    expect((await readFile(failed)).equals(joined(kept, BROKEN))).toBe(true);
    const done = await quire(['import', file, '--on-999ff', 'strip'], world.url);
    expect(done.exitCode).toBe(5);
    expect(done.stdout).toContain('3 records, 2 saved, 1 failed');
    expect(done.stdout).not.toContain('was imported before');
    const wrong = await quire(['import', file, '--on-999ff', 'keep'], world.url);
    expect(wrong).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--on-999ff wants one of: reject, accept, strip.'),
    });
  });

  it('gets the failed records of MARCXML back as MARCXML, and can mend and import that file', async () => {
    const file = join(folder, 'records.xml');
    const failed = join(folder, 'failed.xml');
    const slim = 'http://www.loc.gov/MARC21/slim';
    const xml = (leader: string): string =>
      `<record><leader>${leader}</leader><controlfield tag="001">${nextNumber()}</controlfield></record>`;
    const bad = xml('short');
    await writeFile(
      file,
      `<collection xmlns="${slim}">${xml('00000nam a2200000 i 4500')}${bad}</collection>`,
    );
    const done = await quire(['import', file, '--failed-to', failed], world.url);
    expect(done.exitCode).toBe(5);
    expect(done.stdout).toContain('2 records, 1 saved, 1 failed');
    expect(done.stdout).toMatch(/record 2, byte \d+: The leader .* \[LEADER\]/);
    const given = await readFile(failed, 'utf8');
    expect(given).toContain(bad);
    await writeFile(failed, given.replace('short', '00000nam a2200000 i 4500'));
    const mended = await quire(['import', failed], world.url);
    expect(mended.exitCode).toBe(0);
  });
});

/** The value once it has stayed the same for some looks. */
async function steady(look: () => Promise<number>): Promise<number> {
  let last = -1;
  let same = 0;
  return until(
    async () => {
      const value = await look();
      same = value === last ? same + 1 : 0;
      last = value;
      return value;
    },
    () => same >= 20,
  );
}
