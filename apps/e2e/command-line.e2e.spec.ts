import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateMarc } from '@quire/testing/marc';
import { quire } from './src/command-line.js';
import { asImported, framesOf } from './src/compare.js';
import { importEnds, instanceIds, startImport } from './src/steps.js';
import { World, type Person } from './src/world.js';

const RECORDS = 40;

describe('a librarian exports from the command line', () => {
  let world: World;
  let person: Person;
  let folder: string;
  let ids: string[];
  const records = [...generateMarc(21, RECORDS)];

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    folder = await mkdtemp(join(tmpdir(), 'quire-story-'));
    const job = await importEnds(person, await startImport(person, Buffer.concat(records)));
    ids = await instanceIds(person, job.id);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('everything, as it came in', async () => {
    const out = join(folder, 'all.mrc');
    const result = await quire(['export', '--all', '-o', out], world.url);
    expect([result.exitCode, result.stderr]).toEqual([0, result.stderr]);
    expect(result.stdout).toContain(`${RECORDS} of ${RECORDS} exported, 0 failed`);
    const exported = framesOf(await readFile(out)).map((frame) =>
      asImported(frame).toString('hex'),
    );
    expect(exported.sort()).toEqual(records.map((record) => record.toString('hex')).sort());
  });

  it('what a query finds, as MARCXML', async () => {
    const out = join(folder, 'some.xml');
    const query = `id==(${ids[0] ?? ''} or ${ids[3] ?? ''})`;
    const words = ['export', '--query', query, '--format', 'xml', '-o', out];
    expect((await quire(words, world.url)).exitCode).toBe(0);
    const xml = await readFile(out, 'utf8');
    expect(xml.match(/<record\b/g)).toHaveLength(2);
    expect(xml).toContain(ids[3]);
    expect(xml.trimEnd()).toMatch(/<\/collection>$/);
  });

  it('a list of ids as lines of JSON, with exit code 5 and the reason when one is unknown', async () => {
    const list = join(folder, 'ids.csv');
    const out = join(folder, 'some.jsonl');
    const unknown = '11111111-1111-4111-8111-111111111111';
    await writeFile(list, [ids[1], unknown, ids[2]].join('\r\n'));
    const result = await quire(
      ['export', '--ids', list, '--format', 'jsonl', '-o', out],
      world.url,
    );
    expect(result.exitCode).toBe(5);
    expect(result.stdout).toContain(`error.uuidsNotFound: ${unknown}`);
    const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.stringify(JSON.parse(line)).includes('"leader"'))).toEqual([
      true,
      true,
    ]);
  });

  it('and asks what retention would remove, which is nothing yet', async () => {
    const dry = await quire(['retention', '--dry-run'], world.url);
    expect([dry.exitCode, dry.stderr]).toEqual([0, '']);
    expect(dry.stdout).toBe(
      '        0 deleted records would go\n' +
        '        0 older generations would go\n' +
        '        0 snapshots without records would go\n' +
        '        0 traces of removed records would go\n' +
        '        0 replaced contents would go\n',
    );
    const run = await quire(['retention', '--json'], world.url);
    expect(JSON.parse(run.stdout)).toEqual({
      dryRun: false,
      deletedRecords: 0,
      oldGenerations: 0,
      snapshots: 0,
      tombstones: 0,
      history: 0,
    });
  });

  it('and is told what is wrong with the command, with nothing left behind', async () => {
    const before = await readdir(folder);
    const format = await quire(['export', '--all', '--format', 'pdf'], world.url);
    expect([format.exitCode, format.stderr]).toEqual([
      2,
      expect.stringContaining('There are: mrc, xml, jsonl.'),
    ]);
    const query = await quire(['export', '--query', 'title==='], world.url);
    expect(query.exitCode).toBe(6);
    expect(query.stdout).toContain('error.invalidCqlSyntax');
    expect(await readdir(folder)).toEqual(before);
  });
});
