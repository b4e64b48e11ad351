import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SERVICES } from '@quire/contracts/scope';
import { Checks } from './checks.js';
import { checkExport, checkImport, Findings, settled } from './findings.js';
import { OutageWatch } from './outage-watch.js';
import { PatientClient } from './patient-client.js';
import { RunFiles, say, type Ids } from './run-files.js';
import type { Engine } from './schedule.js';
import { Stage } from './stage.js';
import { exportFile, importFile } from './workload.js';

/*
 * npm run outages [-- --broker <s>] [-- --store <s>] [-- --database <s>] [-- --records <n>] [-- --replicas <r>]
 *
 * What lasts longer than the other runner's strikes: in the middle of an import and an export the broker is stopped for ten
 * minutes, in the middle of the next two the store for five, then the database for two (F9, F23, F17); 0 leaves one out. All
 * settings are the defaults. Promised: no job fails, no process ends, requests are answered or told to come later, and once
 * the engine is back everything is done within 60 s and the time that the same work takes in peace. Ends with 1 when a promise was not kept.
 */
const BACK_MS = 60_000;
/** Of a running job (reliability, section 9): 30 s, and a look at it. */
const SILENCE_SECONDS_MAX = 45;
const POLL_MS = 100;
const BEGIN_MS = 300_000;
/** So long after the outage at most. */
const JOB_MS = 600_000;

const { values } = parseArgs({
  options: {
    broker: { type: 'string', default: '600' },
    store: { type: 'string', default: '300' },
    database: { type: 'string', default: '120' },
    records: { type: 'string', default: '60000' },
    replicas: { type: 'string', default: '2' },
  },
});
const records = Number(values.records);
const replicas = Number(values.replicas);
const outages = (['broker', 'store', 'database'] as const)
  .map((engine) => ({ engine, ms: 1000 * Number(values[engine]) }))
  .filter(({ ms }) => ms > 0);

/** Chunks and slices of running jobs that are not done. */
const OPEN = `select
  (select count(*) from data_import.job_chunk c join data_import.job_execution j on (j.tenant_id, j.id) = (c.tenant_id, c.job_id)
   where j.status = 'PARSING_IN_PROGRESS' and c.state in ('WAITING', 'RELEASED'))::int as chunks,
  (select count(*) from data_import.job_chunk c join data_import.job_execution j on (j.tenant_id, j.id) = (c.tenant_id, c.job_id)
   where j.status = 'PARSING_IN_PROGRESS' and c.state = 'DONE')::int as "chunksDone",
  (select count(*) from data_export.slice s join data_export.job_execution j on (j.tenant_id, j.id) = (s.tenant_id, s.job_id)
   where j.status = 'IN_PROGRESS' and s.state in ('WAITING', 'RELEASED'))::int as slices`;

interface Open {
  readonly chunks: number;
  readonly chunksDone: number;
  readonly slices: number;
}

const files = await RunFiles.make('outages', records);
try {
  await using stage = await Stage.open(replicas, (name, line) => files.log.line(name, line), {});
  say(`${replicas} replicas of each service on ${stage.engines}, PostgreSQL; ${records} records`);
  const ids = await files.importFirst(stage);
  const calm = new Findings();
  const file = await files.newFile(1);
  const began = performance.now();
  await jobs(stage, { file, ids, outageMs: 0 }, calm);
  const calmMs = performance.now() - began;
  calm.notes.push(...files.log.faults());
  tell(calm, `| none | 0 s | – | – | – | – | – | – | ${seconds(calmMs)} | – |`, [
    '| away | for | left to do then | readiness | answers | outbox at most | export silent at most | ready after | done after | goal | lost | duplicated | left |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
  ]);
  for (const [index, outage] of outages.entries())
    await suffer(stage, { ...outage, number: 2 + index, ids, goalMs: BACK_MS + calmMs });
} finally {
  await files.log.close();
}
await files.end(process.exitCode === undefined);

interface Outage {
  readonly engine: Engine;
  readonly ms: number;
  readonly number: number;
  readonly ids: Ids;
  readonly goalMs: number;
}

async function suffer(stage: Stage, { engine, ms, number, ids, goalMs }: Outage): Promise<void> {
  const findings = new Findings();
  const file = await files.newFile(number);
  const working = settled(jobs(stage, { file, ids, outageMs: ms }, findings), findings);
  const open = await opened(stage, ({ slices }) => slices > 0);
  const watch = await OutageWatch.begin(stage);
  await stage.endEngine(engine);
  await delay(ms);
  const readiness = await readinessOf(stage);
  await stage.startEngine(engine);
  const since = performance.now();
  const msUntil = async (end: Promise<unknown>): Promise<number> => {
    await end;
    return performance.now() - since;
  };
  const [readyMs, doneMs] = await Promise.all([msUntil(untilAllReady(stage)), msUntil(working)]);
  await watch.end();
  for (const name of await stage.fleet.restartEnded())
    findings.notes.push(`${name} ended by itself`);
  findings.notes.push(...watch.faults, ...files.log.faults());
  if (doneMs > goalMs) findings.notes.push(`done ${seconds(doneMs - goalMs)} too late`);
  if (watch.silenceMost > SILENCE_SECONDS_MAX && engine === 'store')
    findings.notes.push(`a running export said nothing for ${watch.silenceMost.toFixed(0)} s`);
  if (open.chunks + open.slices === 0) findings.notes.push('nothing was left to do: more records');
  const cells = [
    engine,
    seconds(ms),
    `${open.chunks} chunks, ${open.slices} slices`,
    readiness,
    [...watch.answers].map(([status, count]) => `${count} × ${status}`).join(', '),
    watch.outboxRowsMost,
    `${watch.silenceMost.toFixed(0)} s`,
    seconds(readyMs),
    seconds(doneMs),
    seconds(goalMs),
  ];
  tell(findings, `| ${cells.join(' | ')} |`);
}

interface Jobs {
  readonly file: string;
  readonly ids: Ids;
  readonly outageMs: number;
}

/** An import, an export that begins in the middle of it, and a look at what became of both. Removes the file. */
async function jobs(
  stage: Stage,
  { file, ids, outageMs }: Jobs,
  findings: Findings,
): Promise<void> {
  await withClient(stage, outageMs, async (client) => {
    const [imported, exported] = await Promise.all([
      settled(importFile(client, file), findings),
      settled(
        opened(stage, ({ chunksDone }) => chunksDone > 0).then(() => exportFile(client, ids)),
        findings,
      ),
    ]);
    await using checks = await Checks.open(stage);
    if (imported) await checkImport(checks, imported, { records }, findings);
    if (exported) await checkExport(checks, exported, { records: ids.length }, findings);
    const leftOver = await checks.leftOver();
    findings.left += leftOver.length;
    findings.notes.push(...leftOver);
    findings.notes.push(...client.faults);
  });
  await rm(file);
}

async function withClient<T>(
  { fleet }: Stage,
  outageMs: number,
  work: (client: PatientClient) => Promise<T>,
): Promise<T> {
  const client = PatientClient.of(fleet.urls, fleet.password, outageMs);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Polls until the jobs are so far. @returns what is left to do then */
async function opened({ fleet }: Stage, far: (open: Open) => boolean): Promise<Open> {
  const giveUpAt = performance.now() + BEGIN_MS;
  for (;;) {
    const [open] = await fleet.query<Open>(OPEN);
    if (open && far(open)) return open;
    if (performance.now() > giveUpAt) throw new Error('The jobs did not begin.');
    await delay(POLL_MS);
  }
}

async function readinessOf({ fleet }: Stage): Promise<string> {
  const found = new Map<string, string[]>();
  for (const service of SERVICES) {
    const { status } = await fleet.readiness(service);
    found.set(status, [...(found.get(status) ?? []), service]);
  }
  if (found.size === 1) return `all ${[...found.keys()].join()}`;
  return [...found].map(([status, services]) => `${status}: ${services.join(', ')}`).join('; ');
}

/** Resolves when every replica has everything again. */
async function untilAllReady({ fleet }: Stage): Promise<void> {
  const giveUpAt = performance.now() + JOB_MS;
  for (;;) {
    const found = await Promise.all(
      SERVICES.flatMap((service) =>
        Array.from({ length: replicas }, (_, number) => fleet.readiness(service, number)),
      ),
    );
    if (found.every(({ status }) => status === 'UP')) return;
    if (performance.now() > giveUpAt) throw new Error('Not everybody became ready again.');
    await delay(POLL_MS);
  }
}

function tell(findings: Findings, row: string, head: readonly string[] = []): void {
  const { lost, duplicated, left, notes } = findings;
  for (const line of head) say(line);
  say(`${row} ${lost} | ${duplicated} | ${left} |`);
  for (const note of notes) say(`  ${note}`);
  if (!findings.isGood) process.exitCode = 1;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
