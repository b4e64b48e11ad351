import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExportJobProfile, MappingProfile } from '@quire/contracts/data-export';
import { generateMarc } from '@quire/testing/marc';
import { asImported, framesOf } from './src/compare.js';
import { download, importEnds, instanceIds, runExport, startImport } from './src/steps.js';
import { PASSWORD, World, type Person } from './src/world.js';

const SCRIPT = fileURLToPath(new URL('../../docs/export.sh', import.meta.url));
const RECORDS = 1500;
const run = promisify(execFile);
/** The script is for machines with these; without them its story is skipped, and counted as such. */
const missing = ['bash', 'curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).error);
const withScript = missing.length === 0 ? it : it.skip;
if (missing.length > 0) console.warn(`Skipped: the documented script needs ${missing.join(', ')}.`);

describe('a librarian loads a file and exports it by ids', () => {
  let world: World;
  let person: Person;
  let folder: string;
  let records: Buffer[];
  let ids: string[];

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    folder = await mkdtemp(join(tmpdir(), 'quire-story-'));
    records = [...generateMarc(7, RECORDS)];
    const job = await importEnds(person, await startImport(person, Buffer.concat(records)));
    expect(job).toMatchObject({
      status: 'COMMITTED',
      result: 'SUCCESS',
      progress: { current: RECORDS, total: RECORDS },
    });
    ids = await instanceIds(person, job.id);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('gets as many records as went in, in the order of the ids, each as it came but for its 999 ff', async () => {
    const shuffled = [...ids.keys()].sort(
      (a, b) => ((a * 7919) % RECORDS) - ((b * 7919) % RECORDS),
    );
    const job = await runExport(person, shuffled.map((index) => ids[index]).join('\n'));
    expect(job).toMatchObject({
      status: 'COMPLETED',
      progress: { exported: RECORDS, failed: 0, total: RECORDS },
    });
    const exported = framesOf(await download(person, job));
    expect(exported).toHaveLength(RECORDS);
    const differing = exported.filter(
      (frame, at) => !asImported(frame).equals(records[shuffled[at] ?? -1] ?? Buffer.alloc(0)),
    );
    expect(differing).toHaveLength(0);
  });

  it('gets the file back to the last byte with a profile that suppresses 999 ff', async () => {
    const mapping = await person.post<MappingProfile>('/data-export/mapping-profiles', {
      name: 'As it came',
      recordTypes: ['SRS'],
      suppress999ff: true,
    });
    const profile = await person.post<ExportJobProfile>('/data-export/job-profiles', {
      name: 'As it came',
      mappingProfileId: mapping.id,
    });
    const job = await runExport(person, ids.join('\r\n'), profile.id);
    expect((await download(person, job)).equals(Buffer.concat(records))).toBe(true);
  });

  withScript.each([
    ['COMPLETED', undefined],
    ['SUCCESS', '2020'],
  ])('follows the documented script literally until %s', async (status, dialect) => {
    const list = join(folder, 'ids.csv');
    const out = join(folder, 'out.mrc');
    await writeFile(list, ids.map((id) => `${id}\n`).join(''));
    const { stdout } = await run('bash', [SCRIPT, list, out], {
      env: {
        ...process.env,
        QUIRE_URL: world.url,
        QUIRE_USERNAME: 'admin',
        QUIRE_PASSWORD: PASSWORD,
        ...(dialect ? { QUIRE_DIALECT: dialect } : {}),
      },
    });
    expect(JSON.parse(stdout)).toMatchObject({
      status,
      progress: { exported: RECORDS, failed: 0 },
    });
    expect(framesOf(await readFile(out)).map(asImported)).toEqual(records);
  });

  it('explains a list with unknown, doubled and broken ids, and exports the rest', async () => {
    const good = ids.slice(0, 20);
    const unknown = [
      '11111111-1111-4111-8111-111111111111',
      '22222222-2222-4222-8222-222222222222',
    ];
    const lines = [...good, ...unknown, good[0], 'not an id'];
    const job = await runExport(person, lines.join('\n'));
    expect(job).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      progress: { exported: 20, failed: 4, total: 24 },
    });
    const { errorLogs } = await person.get<{
      errorLogs: { errorMessageCode: string; errorMessageValues: string[] }[];
    }>(`/data-export/logs?query=jobExecutionId==${job.id}&limit=100`);
    const values = new Map(errorLogs.map((log) => [log.errorMessageCode, log.errorMessageValues]));
    expect(values.get('error.invalidUuidFormat')).toEqual(['not an id']);
    expect(values.get('error.duplicatedIds')).toEqual([good[0], '2']);
    expect(values.get('error.uuidsNotFound')).toEqual([unknown.join(', ')]);
    expect(values.get('error.someRecordsFailed')).toEqual(['4']);
  });
});
