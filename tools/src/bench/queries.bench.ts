import type { QuireClient } from '@quire/quire/cli/client';
import type { BenchLine } from './codec.bench.js';
import { copyInstances } from './instance-copies.js';
import { importFile, removeFile, writeRecords } from './job-runs.js';
import { Peak } from './peak.js';
import { QuireProcess } from './quire-process.js';

/*
 * What a query of a million instances costs, for every index that an index of the database backs (source-record-storage, 8.2):
 * the count that `limit=0` answers with, the best of three. And all ids as a stream, with the memory that takes. Each line comes
 * when it is known; the last one says which queries miss the goal.
 */
const BASE_RECORDS = 2_000;
const ROWS = 1_000_000;
const TRIES = 3;
const GOAL_SECONDS = 1;
const GOAL_MIB = 400;

/** By what is typical of an index: one hit, some, very many. `$…` stands for a value of some row. */
const QUERIES: readonly string[] = [
  'id==$id',
  'hrid==$hrid',
  'title=="$title"',
  'title="history"',
  'title="the"',
  'title="history of"',
  'title="of the"',
  'title all "the of"',
  'title any "the of"',
  'indexTitle=="$indexTitle"',
  'indexTitle=="the*"',
  'indexTitle="history"',
  'indexTitle="the"',
  'indexTitle="h*"',
  'indexTitle="history of"',
  'keyword all "history"',
  'keyword all "the"',
  'keyword=zzznowhere',
  'allTitles="history of"',
  'contributors="john"',
  'contributors="a*"',
  'contributors=/@primary=true "john"',
  'contributors==/@primary=true "a*"',
  'identifiers=="$identifier"',
  'identifiers="ocm*"',
  'identifiers="OCoLC"',
  'identifiers="978*"',
  'isbn==$isbn',
  'issn==0022-0469',
  'oclc==$oclc',
  'languages==eng',
  'languages==(fre or ger)',
  'source==MARC',
  'discoverySuppress==true',
  'discoverySuppress==false',
  'staffSuppress==true',
  'deleted==true',
  'metadata.updatedDate>2020-01-01',
  'metadata.updatedDate<2020-01-01',
  'title="water" and languages=eng not discoverySuppress==true',
];

export async function* queriesBench(records: readonly Buffer[]): AsyncGenerator<BenchLine> {
  const file = await writeRecords(records, BASE_RECORDS);
  try {
    await using quire = await QuireProcess.start();
    const client = await quire.client();
    await importFile(client, file);
    // The view follows an import, and is complete when a query is answered.
    await client.get('/instance-bulk/ids?limit=0');
    const rows = await copyInstances(quire.databaseUrl, ROWS);
    const values = await valuesOf(client);
    const missing: string[] = [];
    for (const query of QUERIES) {
      const line = await counted(client, filled(query, values));
      if (line.value > GOAL_SECONDS) missing.push(line.name);
      yield line;
    }
    const peak = new Peak(quire.pid);
    const at = performance.now();
    const ids = await streamed(client);
    const seconds = (performance.now() - at) / 1000;
    yield { name: `${rows} rows: all ids as a stream`, value: ids / seconds, unit: 'ids/s' };
    yield { name: 'peak memory of that', value: await peak.stop(), unit: 'MiB', goal: GOAL_MIB };
    client.close();
    const note = missing.length > 0 ? missing.join(' · ') : 'none';
    yield { name: `over ${GOAL_SECONDS} s`, value: missing.length, unit: 'queries', note };
  } finally {
    await removeFile(file);
  }
}

async function counted(client: QuireClient, query: string): Promise<BenchLine> {
  let best = Infinity;
  let total = 0;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const at = performance.now();
    const answer = await client.get<{ totalRecords: number }>(
      `/instance-bulk/ids?limit=0&query=${encodeURIComponent(query)}`,
    );
    best = Math.min(best, (performance.now() - at) / 1000);
    total = answer.totalRecords;
  }
  return { name: query, value: best, unit: 's', goal: GOAL_SECONDS, note: `${total} rows` };
}

/** Length of the answer says how many ids it has: each is as long as the other. */
async function streamed(client: QuireClient): Promise<number> {
  let length = 0;
  for await (const part of await client.text('/instance-bulk/ids?limit=2147483647'))
    length += part.length;
  return Math.floor(length / ID_CHARACTERS);
}

const ID_CHARACTERS = '{"id":"01234567-0123-4123-8123-012345678901"},'.length;

type Values = Readonly<Record<string, string>>;

interface Instance {
  readonly id: string;
  readonly hrid: string;
  readonly title: string;
  readonly indexTitle: string;
  readonly isbn: readonly string[];
  readonly oclc: readonly string[];
  readonly identifiers: readonly { readonly value: string }[];
}

const isComplete = (one: Partial<Instance>): one is Instance =>
  one.oclc !== undefined && one.isbn !== undefined && one.indexTitle !== undefined;

async function valuesOf(client: QuireClient): Promise<Values> {
  // By an index: whether a property is there at all is looked up in each of the rows.
  const query = encodeURIComponent('identifiers="OCoLC" and isbn=97*');
  const { instances } = await client.get<{ instances: Partial<Instance>[] }>(
    `/source-storage/instances?limit=100&query=${query}`,
  );
  const row = instances.find(isComplete);
  if (!row) throw new Error('No instance has an ISBN and an OCLC number.');
  const { id, hrid, title, indexTitle, isbn, oclc, identifiers } = row;
  return {
    id,
    hrid,
    title,
    indexTitle,
    isbn: isbn.at(-1) ?? '',
    oclc: oclc[0] ?? '',
    identifier: identifiers[0]?.value ?? '',
  };
}

const filled = (query: string, values: Values): string =>
  query.replace(/\$(\w+)/g, (_, name: string) => (values[name] ?? '').replace(/["\\*?]/g, '\\$&'));
