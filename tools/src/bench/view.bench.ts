import { fileURLToPath } from 'node:url';
import type { QuireClient } from '@quire/quire/cli/client';
import { Client } from 'pg';
import type { BenchLine } from './codec.bench.js';
import { importFile, removeFile, writeRecords } from './job-runs.js';
import { QuireProcess } from './quire-process.js';

/*
 * What the instance view and the index of MARC fields cost an import: the same file through the front door of a Quire that
 * keeps them and of one that does not, in turns, each on an empty database. The view follows the import, so there are two ends:
 * the job is committed, and a query sent at that moment is answered, for which everything must be in the view.
 */
const RECORDS = 100_000;
const TURNS = ['without', 'with', 'with', 'without'] as const;
const GOAL = 0.6;

const BARE = fileURLToPath(new URL('bare-quire.js', import.meta.url));

interface Run {
  readonly importSeconds: number;
  /** From the end of the job until a query sent then is answered. */
  readonly catchUpSeconds: number;
  readonly mergeSeconds: number;
}

export async function viewBench(records: readonly Buffer[]): Promise<BenchLine[]> {
  const file = await writeRecords(records, RECORDS);
  const runs: Record<(typeof TURNS)[number], Run[]> = { without: [], with: [] };
  try {
    for (const turn of TURNS) runs[turn].push(await run(file, turn === 'with'));
  } finally {
    await removeFile(file);
  }
  const bare = rateOf(runs.without, ({ importSeconds }) => importSeconds);
  const whole = rateOf(runs.with, ({ importSeconds }) => importSeconds);
  const queried = rateOf(runs.with, (one) => one.importSeconds + one.catchUpSeconds);
  return [
    {
      name: 'import without view and index',
      value: bare,
      unit: 'records/s',
      note: times(runs.without, ({ importSeconds }) => importSeconds),
    },
    {
      name: 'import with view and index',
      value: whole,
      unit: 'records/s',
      ratio: whole / bare,
      goal: GOAL,
      note: times(runs.with, ({ importSeconds }) => importSeconds),
    },
    {
      name: 'until a query after it is answered',
      value: queried,
      unit: 'records/s',
      ratio: queried / bare,
      note: `waits ${times(runs.with, ({ catchUpSeconds }) => catchUpSeconds)}`,
    },
    {
      name: 'last merge of an import',
      value: Math.max(...runs.with.map(({ mergeSeconds }) => mergeSeconds)),
      unit: 's',
    },
  ];
}

async function run(file: string, withView: boolean): Promise<Run> {
  await using quire = await QuireProcess.start(withView ? undefined : BARE);
  const client = await quire.client();
  const { seconds } = await importFile(client, file);
  const catchUpSeconds = await timed(() => query(client));
  client.close();
  const database = new Client({ connectionString: quire.databaseUrl });
  await database.connect();
  try {
    await expectRows(database, withView ? RECORDS : 0);
    const mergeSeconds = await timed(() =>
      database.query('select source_record_storage.merge_pending_keys()'),
    );
    return { importSeconds: seconds, catchUpSeconds, mergeSeconds };
  } finally {
    await database.end();
  }
}

/** Asks again where it is told that the view is too far behind. */
async function query(client: QuireClient): Promise<void> {
  for (;;) {
    try {
      await client.get('/instance-bulk/ids?limit=0');
      return;
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('Service unavailable'))) throw error;
    }
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const at = performance.now();
  await work();
  return (performance.now() - at) / 1000;
}

/** A bench of nothing would look very well. */
async function expectRows(database: Client, count: number): Promise<void> {
  for (const table of ['instance', 'marc_index']) {
    const { rows } = await database.query<{ count: number }>(
      `select count(*)::int as count from source_record_storage.${table}`,
    );
    if (rows[0]?.count !== count)
      throw new Error(`${table} has ${rows[0]?.count} rows, not ${count}.`);
  }
}

type Seconds = (run: Run) => number;

function rateOf(runs: readonly Run[], secondsOf: Seconds): number {
  return (RECORDS * runs.length) / runs.reduce((sum, one) => sum + secondsOf(one), 0);
}

const times = (runs: readonly Run[], secondsOf: Seconds): string =>
  runs.map((one) => `${secondsOf(one).toFixed(1)} s`).join(', ');
