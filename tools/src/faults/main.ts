import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { SERVICES } from '@quire/contracts/scope';
import { Findings } from './findings.js';
import { RunFiles, say, type Ids } from './run-files.js';
import { SEED_HEAD, seedRun } from './seed-runs.js';
import { Stage } from './stage.js';
import { stepTable } from './step-table.js';

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

const files = await RunFiles.make('faults', BASE_RECORDS);
const totals = new Findings();
try {
  await using stage = await Stage.open(replicas, (name, line) => files.log.line(name, line));
  say(`${replicas} replicas of each service on ${stage.engines}, PostgreSQL`);
  const ids = await files.importFirst(stage);
  if (values.steps) {
    const services = SERVICES.filter((one) => values.service?.includes(one) ?? true);
    totals.add(await stepTable(stage, { ids, files, services }));
  } else await seedRuns(stage, ids);
} finally {
  await files.log.close();
}
const { lost, duplicated, hung, left, notes } = totals;
const more = notes.length > 0 ? `; ${notes.length} notes, above` : '';
say(`${lost} lost, ${duplicated} duplicated, ${hung} hung, ${left} left behind${more}`);
process.exitCode = totals.isGood ? 0 : 1;
await files.end(totals.isGood);

async function seedRuns(stage: Stage, ids: Ids): Promise<void> {
  const counts = { passed: 0, failed: 0, skipped: runs };
  const lastSeed = firstSeed + runs - 1;
  say(`Seeds ${firstSeed} to ${lastSeed}`);
  for (const line of SEED_HEAD) say(line);
  let seed = firstSeed;
  for (; seed <= lastSeed && performance.now() < noRunAfter; seed += 1) {
    const { line, findings } = await seedRun(stage, { seed, replicas, ids, files });
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
