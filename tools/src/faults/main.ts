import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { SERVICES } from '@quire/contracts/scope';
import { generateMarc } from '@quire/testing/marc';
import { storedIds } from '../bench/job-runs.js';
import { Findings } from './findings.js';
import { PatientClient } from './patient-client.js';
import { ProcessLog } from './process-log.js';
import { SEED_HEAD, seedRun } from './seed-runs.js';
import { Stage } from './stage.js';
import { stepTable } from './step-table.js';
import { importFile } from './workload.js';

/*
 * npm run faults [-- --seed <n>] [-- --runs <m>] [-- --replicas <r>] [-- --minutes <t>] [-- --results <file>]
 * npm run faults -- --steps [--service <name>]… [--replicas <r>]
 *
 * Two replicas of every service as processes of their own, on a real broker, a real store and a real database. Each run
 * imports two files, exports a list of ids and makes groups, while processes and engines are killed, stopped and frozen as its
 * seed says. With --steps instead, each service is killed by name, all its replicas at once, at each step of an import and of
 * an export. Either way it then looks for what was lost, done twice, hung or left behind, and ends with 1 when anything was.
 * What the processes wrote lies in the folder that is named then. No run of a seed begins after so many minutes; those left out
 * are named. The results for a script, `{ passed, failed, skipped }` in runs, are rewritten after each run.
 */
const BASE_RECORDS = 12_000;

const { values } = parseArgs({
  options: {
    steps: { type: 'boolean' },
    service: { type: 'string', multiple: true },
    seed: { type: 'string' },
    runs: { type: 'string' },
    replicas: { type: 'string' },
    minutes: { type: 'string' },
    results: { type: 'string' },
  },
});
const firstSeed = Number(values.seed ?? 1);
const runs = Number(values.runs ?? 25);
const replicas = Number(values.replicas ?? 2);
const noRunAfter = performance.now() + Number(values.minutes ?? Infinity) * 60_000;

const folder = await mkdtemp(join(tmpdir(), 'quire-faults-'));
const log = new ProcessLog(join(folder, 'processes.log'));
const totals = new Findings();
try {
  await using stage = await Stage.open(replicas, (name, line) => log.line(name, line));
  say(`${replicas} replicas of each service on ${stage.engines}, PostgreSQL`);
  const ids = await base(stage);
  if (values.steps) {
    const services = SERVICES.filter((one) => values.service?.includes(one) ?? true);
    totals.add(await stepTable(stage, { ids, log, newFile, folder, services, say }));
  } else await seedRuns(stage, ids);
} finally {
  await log.close();
}
const { lost, duplicated, hung, left, notes } = totals;
const more = notes.length > 0 ? `; ${notes.length} notes, above` : '';
say(`${lost} lost, ${duplicated} duplicated, ${hung} hung, ${left} left behind${more}`);
process.exitCode = totals.isGood ? 0 : 1;
if (totals.isGood) await rm(folder, { recursive: true, force: true });
else say(`What the processes wrote: ${folder}`);

async function seedRuns(stage: Stage, ids: readonly { readonly id: string }[]): Promise<void> {
  const counts = { passed: 0, failed: 0, skipped: runs };
  const lastSeed = firstSeed + runs - 1;
  say(`Seeds ${firstSeed} to ${lastSeed}`);
  for (const line of SEED_HEAD) say(line);
  let seed = firstSeed;
  for (; seed <= lastSeed && performance.now() < noRunAfter; seed += 1) {
    const { line, findings } = await seedRun(stage, { seed, replicas, ids, log, newFile });
    say(line);
    for (const note of findings.notes) say(`  ${note}`);
    totals.add(findings);
    counts[findings.isGood ? 'passed' : 'failed'] += 1;
    counts.skipped -= 1;
    if (values.results !== undefined) await writeFile(values.results, JSON.stringify(counts));
  }
  say(`${seed - firstSeed} runs`);
  if (seed <= lastSeed) say(`Not run, the time was up: seeds ${seed} to ${lastSeed}`);
}

/** What is exported. */
async function base(stage: Stage): Promise<readonly { readonly id: string }[]> {
  const file = await newFile(0, BASE_RECORDS);
  const client = PatientClient.of(stage.fleet.urls, stage.fleet.password);
  try {
    const { status, done } = await importFile(client, file);
    if (status !== 'COMMITTED' || done !== BASE_RECORDS)
      throw new Error(`The first import ended ${status} with ${done} records.`);
    return await client.ask(storedIds);
  } finally {
    client.close();
    await rm(file);
  }
}

/** Records that no other file of these runs has. */
async function newFile(number: number, count: number): Promise<string> {
  const file = join(folder, `${number}.mrc`);
  const records = generateMarc(number + 1, count, number * BASE_RECORDS);
  await pipeline(Readable.from(records), createWriteStream(file));
  return file;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
