import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '@quire/contracts/scope';
import { Checks } from './checks.js';
import { Findings } from './findings.js';
import { PatientClient } from './patient-client.js';
import { say, type Ids, type RunFiles } from './run-files.js';
import type { Stage } from './stage.js';
import {
  stepRuns,
  type Cell,
  type ExportMaterial,
  type ImportMaterial,
  type StepMaterial,
} from './step-runs.js';
import { STEPS } from './steps.js';
import { exportFile } from './workload.js';

/*
 * The table of all steps and services: what became of the work, and after how many seconds. What is left behind is looked for
 * once, when all of it is over.
 */
/** Four chunks and one. */
const RECORDS = { much: 3500, little: 500 };
/** Of an export of one slice. */
const FEW_IDS = 1000;
/** So many and so long that they do not fit into the buffers between a service and a client that stops reading: 20 MB did. */
const BROKEN = { count: 350, bytes: 95_000 };

export interface StepTable {
  readonly ids: Ids;
  readonly files: RunFiles;
  readonly services: readonly ServiceName[];
}

export async function stepTable(stage: Stage, table: StepTable): Promise<Findings> {
  const { services, files } = table;
  const since = performance.now();
  const client = PatientClient.of(stage.fleet.urls, stage.fleet.password);
  const cells: Cell[] = [];
  const findings = new Findings();
  try {
    await using checks = await Checks.open(stage);
    const material = await materialOf(client, table);
    for await (const cell of stepRuns(stage, material, checks, services)) {
      const { step, service } = cell;
      files.log.heading(`${service} was killed: ${step.work}, ${step.name}: ${outcomeOf(cell)}`);
      for (const note of cell.findings.notes) say(`  ${service}, ${step.name}: ${note}`);
      cells.push(cell);
      findings.add(cell.findings);
    }
    const leftOver = await checks.leftOver();
    findings.left += leftOver.length;
    const atEnd = [...leftOver, ...files.log.faults()];
    findings.notes.push(...atEnd);
    for (const note of atEnd) say(`  ${note}`);
  } finally {
    client.close();
  }
  for (const line of linesOf(cells, services)) say(line);
  say(`${cells.length} kills in ${((performance.now() - since) / 1000).toFixed(0)} s`);
  return findings;
}

async function materialOf(client: PatientClient, { ids, files }: StepTable): Promise<StepMaterial> {
  const exportOf = async (some: Ids): Promise<ExportMaterial> => ({
    ids: some,
    sha256: (await exportFile(client, some)).sha256,
  });
  return {
    client,
    imports: {
      much: { file: await files.newFile(1, RECORDS.much), records: RECORDS.much },
      little: { file: await files.newFile(2, RECORDS.little), records: RECORDS.little },
      'broken records': await brokenFile(files),
    },
    exports: { much: await exportOf(ids), little: await exportOf(ids.slice(0, FEW_IDS)) },
  };
}

async function brokenFile(files: RunFiles): Promise<ImportMaterial> {
  const file = await files.newFile(3, RECORDS.little);
  const failedFile = join(files.folder, 'failed.mrc');
  const failed = Buffer.concat(Array.from({ length: BROKEN.count }, brokenRecord));
  await writeFile(failedFile, failed);
  await appendFile(file, failed);
  const records = RECORDS.little + BROKEN.count;
  return { file, failedFile, records, failed: BROKEN.count };
}

/** Its directory is no directory, and has another number of entries than there are fields. */
function brokenRecord(): Buffer {
  const length = String(BROKEN.bytes).padStart(5, '0');
  const head = `${length}nam a2200037 i 4500${'x'.repeat(12)}\x1e`;
  const field = 'y'.repeat(BROKEN.bytes - head.length - 4);
  return Buffer.from(`${head}${field}\x1ez\x1e\x1d`);
}

function linesOf(cells: readonly Cell[], services: readonly ServiceName[]): string[] {
  const rows = STEPS.map((step) => {
    const columns = services.map((service) => {
      const cell = cells.find((one) => one.step === step && one.service === service);
      return cell ? outcomeOf(cell) : '–';
    });
    return `| ${step.work}: ${step.name} | ${columns.join(' | ')} |`;
  });
  return [
    `| killed at | ${services.join(' | ')} |`,
    `|---${'|---'.repeat(services.length)}|`,
    ...rows,
  ];
}

function outcomeOf({ findings, seconds, movedSeconds }: Cell): string {
  const outcome = findings.isGood ? 'well' : 'NOT WELL';
  const moved = movedSeconds === undefined ? '' : ` (went on after ${movedSeconds.toFixed(1)})`;
  return `${outcome}, ${seconds.toFixed(1)} s${moved}`;
}
