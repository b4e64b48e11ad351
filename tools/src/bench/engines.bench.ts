import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lab, labSettings } from '@quire/testing/lab/config';
import type { BenchLine } from './codec.bench.js';
import { exportAll, importFile, removeFile, storedIds, writeRecords } from './job-runs.js';
import { MAIN, QuireProcess } from './quire-process.js';

/*
 * npm run lab -- npm run bench -- engines
 *
 * The main job with events over Kafka and objects on S3, against the same program with events in process and objects on disk,
 * twice each in turns. Broker and store share the machine with Quire, which has it to itself otherwise.
 */
const RECORDS = 100_000;
const ROUNDS = 2;
const GOAL = 0.7;

/** Seconds. */
interface Round {
  readonly imported: number;
  readonly exported: number;
}

export async function* enginesBench(records: readonly Buffer[]): AsyncGenerator<BenchLine> {
  if (!lab.kafka || !lab.s3)
    throw new Error(
      'This bench needs a broker and a store: npm run lab -- npm run bench -- engines',
    );
  const file = await writeRecords(records, RECORDS);
  const apart: Round[] = [];
  const embedded: Round[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `bench-${process.pid}-${round}`;
      const engines = {
        ...labSettings(lab),
        EVENT_BUS: 'kafka',
        KAFKA_TOPIC_PREFIX: `${name}-`,
        OBJECT_STORE: 's3',
        S3_BUCKET: name,
      };
      apart.push(await mainJob(file, engines));
      embedded.push(await mainJob(file, {}));
    }
  } finally {
    await removeFile(file);
  }
  for (const what of ['imported', 'exported'] as const) {
    const [theirs, ours] = [apart, embedded].map((rounds) => best(rounds, what));
    if (theirs === undefined || ours === undefined) continue;
    const verb = what === 'imported' ? 'import' : 'export';
    const value = RECORDS / theirs;
    const unit = 'records/s';
    yield { name: `${verb} over Kafka and S3`, value, unit, ratio: ours / theirs, goal: GOAL };
    yield { name: `${verb} embedded`, value: RECORDS / ours, unit };
  }
}

const best = (rounds: readonly Round[], what: keyof Round): number =>
  Math.min(...rounds.map((round) => round[what]));

async function mainJob(file: string, settings: Readonly<Record<string, string>>): Promise<Round> {
  const output = join(tmpdir(), `quire-bench-${process.pid}-out.mrc`);
  await using quire = await QuireProcess.start(MAIN, settings);
  const client = await quire.client();
  try {
    const { seconds: imported } = await importFile(client, file);
    const ids = await storedIds(client);
    const exported = await exportAll(client, ids, output);
    if (exported.exported !== RECORDS)
      throw new Error(`Exported ${exported.exported} of ${RECORDS} records.`);
    return { imported, exported: exported.seconds };
  } finally {
    client.close();
    await removeFile(output).catch(() => undefined);
  }
}
