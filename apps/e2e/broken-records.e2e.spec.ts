import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateMarc } from '@quire/testing/marc';
import { framesOf } from './src/compare.js';
import { importEnds, startImport } from './src/steps.js';
import { PASSWORD, World, type Person } from './src/world.js';

const QUIRE = fileURLToPath(new URL('../quire/dist/src/main.js', import.meta.url));
const GOOD = 1858;
const BROKEN = 12;

/** A record whose directory names two fields, unreadably, where there is one: it costs itself. */
function broken(index: number): Buffer {
  const directory = '245000a00000700000a00000';
  const text = `00080nam a2200049 a 4500${directory}\x1e10\x1faBroken ${index}\x1e\x1d`;
  return Buffer.from(text);
}

/** The good ones with the broken ones spread among them, and the orders of the broken ones. */
function mixedFile(): {
  file: Buffer;
  brokenFrames: Buffer[];
  orders: number[];
  offsets: number[];
} {
  const frames = [...generateMarc(11, GOOD)];
  const step = Math.floor(GOOD / BROKEN);
  for (let index = 0; index < BROKEN; index += 1)
    frames.splice(index * (step + 1) + 5, 0, broken(index));
  const orders = Array.from({ length: BROKEN }, (_, index) => index * (step + 1) + 5);
  const offsets = orders.map((order) =>
    frames.slice(0, order).reduce((sum, frame) => sum + frame.length, 0),
  );
  return {
    file: Buffer.concat(frames),
    brokenFrames: orders.map((order) => frames[order] ?? Buffer.alloc(0)),
    orders,
    offsets,
  };
}

describe('a cataloguer loads a file with broken records in it', () => {
  let world: World;
  let person: Person;
  let folder: string;
  const mixed = mixedFile();

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    folder = await mkdtemp(join(tmpdir(), 'quire-story-'));
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps every good record and explains each broken one with order, byte offset and code', async () => {
    const job = await importEnds(person, await startImport(person, mixed.file));
    expect(job).toMatchObject({
      status: 'ERROR',
      result: 'PARTIAL',
      progress: { current: GOOD + BROKEN, total: GOOD + BROKEN },
    });
    const details = await person.get<{ counts: object }>(
      `/data-import/jobExecutions/${job.id}/details`,
    );
    expect(details.counts).toMatchObject({ created: GOOD, failed: BROKEN, total: GOOD + BROKEN });
    const { entries } = await person.get<{
      entries: { sourceRecordOrder: string; error: string }[];
    }>(`/metadata-provider/jobLogEntries/${job.id}?errorsOnly=true&limit=100`);
    expect(entries.map((entry) => Number(entry.sourceRecordOrder))).toEqual(mixed.orders);
    entries.forEach((entry, index) => {
      const [first] = (JSON.parse(entry.error) as { errors: { name: string; message: string }[] })
        .errors;
      expect(first?.name).toBe('DIRECTORY');
      const byte = Number(/\(record (\d+), byte (\d+)\)$/.exec(first?.message ?? '')?.[2]);
      const start = mixed.offsets[index] ?? 0;
      expect(byte).toBeGreaterThanOrEqual(start);
      expect(byte).toBeLessThan(start + (mixed.brokenFrames[index]?.length ?? 0));
    });
  });

  it.each([1, 150])(
    'keeps every good record beside %i of MARC-in-JSON whose tag no database takes',
    async (count) => {
      const leader = '00000nam a2200000 a 4500';
      const line = (field: object): string => JSON.stringify({ leader, fields: [field] });
      const good = Array.from({ length: 20 }, (_, at) => line({ '001': `good ${count} ${at}` }));
      const poisoned = Array.from({ length: count }, (_, at) => line({ [`\0${at}\ud83d`]: 'x' }));
      const file = [...good.slice(10), ...poisoned, ...good.slice(0, 10)].join('\n');
      const job = await importEnds(person, await startImport(person, Buffer.from(file)));
      expect(job).toMatchObject({ status: 'ERROR', result: 'PARTIAL' });
      const details = await person.get<{ counts: object }>(
        `/data-import/jobExecutions/${job.id}/details`,
      );
      expect(details.counts).toMatchObject({ created: 20, failed: count, total: 20 + count });
      const { entries, totalRecords } = await person.get<{
        entries: { error: string }[];
        totalRecords: number;
      }>(`/metadata-provider/jobLogEntries/${job.id}?errorsOnly=true&limit=1`);
      expect(totalRecords).toBe(count);
      expect(entries[0]?.error).toContain('Invalid tag: \ufffd0\ufffd');
    },
  );

  it('gets exit code 5, the reasons in words, and the failed records as received from the command line', async () => {
    const file = join(folder, 'mixed.mrc');
    const failed = join(folder, 'failed.mrc');
    await writeFile(file, mixed.file);
    const result = await quire(['import', file, '--failed-to', failed], world.url);
    expect(result.exitCode).toBe(5);
    expect(result.stdout).toContain(`${GOOD} saved, ${BROKEN} failed`);
    expect(result.stdout).toContain('The directory does not match the fields of the record');
    expect(framesOf(await readFile(failed))).toEqual(mixed.brokenFrames);
  });

  it.each([
    ['empty', Buffer.alloc(0), 'File is empty or content is invalid!'],
    ['plain text', Buffer.from('this is no MARC record'), 'File is empty or content is invalid!'],
    ['gzip', Buffer.from('1f8b080000000000', 'hex'), 'Compressed files are not supported'],
    [
      'MARCXML without a record',
      Buffer.from('<?xml version="1.0"?><collection/>'),
      'File is empty or content is invalid!',
    ],
    ['EDIFACT', Buffer.from("UNA:+.? '"), 'Unsupported file format'],
  ])('is told what is wrong with a file that is %s', async (_, file, text) => {
    const job = await importEnds(person, await startImport(person, file));
    expect(job).toMatchObject({
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      result: 'FAILED',
    });
    const details = await person.get<{ messages: { text: string }[] }>(
      `/data-import/jobExecutions/${job.id}/details`,
    );
    expect(details.messages.map((message) => message.text).join()).toContain(text);
  });
});

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function quire(words: readonly string[], url: string): Promise<Ended> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      QUIRE_URL: url,
      QUIRE_TENANT: 'library',
      QUIRE_USERNAME: 'admin',
      QUIRE_PASSWORD: PASSWORD,
    };
    execFile(process.execPath, [QUIRE, ...words], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
