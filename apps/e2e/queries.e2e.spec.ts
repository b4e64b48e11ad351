import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { marcRecord } from '@quire/testing/marc';
import {
  download,
  exportEnds,
  importEnds,
  instanceIds,
  runExport,
  startImport,
} from './src/steps.js';
import { World, type Person } from './src/world.js';

/** Seed 004: collect ids by a query, put them into a file, export it. */
const TITLES = ['The nod', 'Nodding off', 'A nod is as good as a wink', 'Water', 'Água viva'];

describe('a systems librarian collects ids by a query', () => {
  let world: World;
  let person: Person;
  let ids: string[];

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    const file = TITLES.map((title, at) =>
      marcRecord({
        fields: [
          ['001', `q${at}`],
          ['245', title.startsWith('The ') ? '14' : '10', { a: title }],
        ],
      }),
    );

    const job = await importEnds(person, await startImport(person, Buffer.concat(file)));
    ids = await instanceIds(person, job.id);
  });

  afterAll(() => world[Symbol.asyncDispose]());

  /** As curl sends it: blanks as `%20`, everything else as typed. */
  async function typed(query: string): Promise<{ status: number; text: string }> {
    const path = `/instance-bulk/ids?limit=2147483647&query=${query.replaceAll(' ', '%20')}`;
    const { hostname, port } = new URL(world.url);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ hostname, port, path, headers: person.headers }, resolve).on('error', reject).end();
    });
    return { status: answer.statusCode ?? 0, text: await text(answer) };
  }

  const idsOf = (answer: { text: string }): string[] =>
    (JSON.parse(answer.text) as { ids: { id: string }[] }).ids.map(({ id }) => id);
  const at = (...places: number[]): string[] => places.map((place) => ids[place] ?? '');

  it("the seed's query answers as it is printed, in the order of titles", async () => {
    const answer = await typed('(keyword all "nod") sortby title');
    expect(answer.status).toBe(200);
    expect(idsOf(answer)).toEqual(at(2, 0));
  });

  it('its ids go straight into an export, which gives just these records', async () => {
    const found = idsOf(await typed('(keyword all "nod") sortby title'));
    const job = await runExport(person, found.join('\n'));
    expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 2, total: 2 } });
    const titles = /(The nod|A nod is as good as a wink|Water|Nodding)/g;
    const file = (await download(person, job)).toString('utf8');
    expect(file.match(titles)).toEqual(['A nod is as good as a wink', 'The nod']);
  });

  it('the criteria of a quick export mean exactly the same query', async () => {
    const started = await person.post<{ jobExecutionId: string }>(
      '/data-export/quick-export',
      { type: 'cql', recordType: 'INSTANCE', criteria: '(keyword all "nod") sortby title' },
      200,
    );
    const job = await exportEnds(person, started.jobExecutionId);
    expect(job.progress).toMatchObject({ exported: 2, total: 2 });
  });

  it('accents and truncation find what a reader expects', async () => {
    expect(idsOf(await typed('title=agua'))).toEqual(at(4));
    expect(idsOf(await typed('title all "nod*" sortBy hrid'))).toEqual(at(0, 1, 2));
  });

  it('a slip is answered with the place and a proposal', async () => {
    const answer = await typed('titel=nod');
    expect(answer.status).toBe(400);
    expect(answer.text.split('\n')).toEqual([
      "unable to list ids -- malformed parameter 'query', syntax error at column 1: unknown index 'titel', did you mean 'title'?",
      'titel=nod',
      '^',
    ]);
  });
});
