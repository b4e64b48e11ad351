import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Checks } from './checks.js';
import { checkExport, checkGroups, checkImport, Findings, settled } from './findings.js';
import { PatientClient } from './patient-client.js';
import type { Ids, RunFiles } from './run-files.js';
import { describeStrike, scheduleOf } from './schedule.js';
import type { Stage } from './stage.js';
import { exportFile, importFile, makeGroup, type MadeGroup } from './workload.js';

/*
 * Runs that a seed draws: two imports, an export and a group now and then, while processes and engines are killed, stopped and
 * frozen; then a look for what was lost, done twice, hung or left behind.
 */
const RECORDS = 2500;
const IMPORTS = 2;
/** While most strikes fall. */
const GROUPS = { count: 40, everyMs: 300 };

export interface SeedRun {
  readonly seed: number;
  readonly replicas: number;
  readonly ids: Ids;
  readonly files: RunFiles;
}

export const SEED_HEAD = [
  '| seed | faults | seconds | lost | duplicated | hung | left |',
  '|---|---|---|---|---|---|---|',
];

/** @returns its line of the table, and what it found */
export async function seedRun(
  stage: Stage,
  { seed, replicas, ids, files }: SeedRun,
): Promise<{ readonly line: string; readonly findings: Findings }> {
  const strikes = scheduleOf(seed, replicas);
  const struckBy = strikes.map(describeStrike).join('; ');
  const findings = new Findings();
  files.log.heading(`seed ${seed}: ${struckBy}`);
  const imports: string[] = [];
  for (let number = 0; number < IMPORTS; number += 1)
    imports.push(await files.newFile(1 + seed * IMPORTS + number, RECORDS));
  const since = performance.now();
  const client = PatientClient.of(stage.fleet.urls, stage.fleet.password);
  try {
    const [struck, exported, groups, ...imported] = await Promise.all([
      stage.strike(strikes),
      settled(exportFile(client, ids), findings),
      settled(makeGroups(client), findings),
      ...imports.map((file) => settled(importFile(client, file), findings)),
    ]);
    findings.notes.push(...struck);
    for (const name of await stage.fleet.restartEnded())
      findings.notes.push(`${name} ended by itself`);
    await using checks = await Checks.open(stage);
    for (const job of imported)
      if (job) await checkImport(checks, job, { records: RECORDS }, findings);
    if (exported) await checkExport(checks, exported, { records: ids.length }, findings);
    if (groups) await checkGroups(checks, groups, findings);
    const leftOver = await checks.leftOver();
    findings.left += leftOver.length;
    findings.notes.push(...leftOver);
  } finally {
    client.close();
    for (const file of imports) await rm(file);
  }
  findings.notes.push(...client.faults, ...files.log.faults());
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  const { lost, duplicated, hung, left } = findings;
  return {
    line: `| ${seed} | ${struckBy} | ${seconds} | ${lost} | ${duplicated} | ${hung} | ${left} |`,
    findings,
  };
}

/** One after the other: a POST that is repeated meets its own key. */
async function makeGroups(client: PatientClient): Promise<MadeGroup[]> {
  const groups: MadeGroup[] = [];
  for (let number = 0; number < GROUPS.count; number += 1) {
    groups.push(await makeGroup(client));
    await delay(GROUPS.everyMs);
  }
  return groups;
}
