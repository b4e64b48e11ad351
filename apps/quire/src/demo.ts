import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { SourceRecords } from '@quire/contracts/source-records';
import { splitFrames } from '@quire/marc/iso2709/split';
import { openStored, suppressFields } from '@quire/marc/iso2709/stored';
import type { Environment } from './cli/arguments.js';
import { QuireClient } from './cli/client.js';
import { EXIT, type ExitCode } from './cli/exit-codes.js';
import { exportIds, linesOf, type ExportOutcome } from './cli/export.js';
import { findProfile, follow, startImport } from './cli/import.js';
import type { ImportOutcome } from './cli/import-report.js';
import { Progress } from './cli/progress.js';
import { readQuireSettings } from './config.js';
import { startQuire } from './embedded.js';

/** Made-up records in several scripts, written by `tools/src/make-sample.ts` with a fixed seed. */
const SAMPLE = fileURLToPath(new URL('../../sample/sample.mrc', import.meta.url));
const TIMEOUT_MS = 120_000;

/**
 * `npm run demo`: the main job once, end to end, through the public API, on a throw-away data directory and free ports.
 * Holds every exported record, without its 999 ff and the numbers of its leader, against the sample.
 */
export async function demo(environment: Environment): Promise<ExitCode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quire-demo-'));
  const output = join(tmpdir(), `quire-demo-${process.pid}.mrc`);
  const settings = readQuireSettings({
    ...environment,
    QUIRE_DATA_DIR: dataDir,
    QUIRE_PORT: '0',
    QUIRE_OPERATIONS_PORT: '0',
  });
  const quire = await startQuire(settings, (line) => process.stderr.write(`${line}\n`));
  try {
    const { url, password } = quire;
    const client = new QuireClient({
      url,
      tenant: settings.tenant,
      username: settings.adminUsername,
      password,
    });
    try {
      return await runDemo(client, output);
    } finally {
      client.close();
    }
  } finally {
    await quire.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function runDemo(client: QuireClient, output: string): Promise<ExitCode> {
  const progress = new Progress(false);
  const profile = await findProfile(client, undefined);
  const imported = await follow(
    client,
    await startImport(client, SAMPLE, { profile }, progress),
    TIMEOUT_MS,
    progress,
  );
  const ids = await storedIds(client, imported.jobExecutionId);
  const lines = { fileName: 'demo.csv', lines: Readable.from(linesOf(ids)) };
  const exported = await exportIds(client, lines, {
    profile: undefined,
    output,
    timeout: TIMEOUT_MS,
    progress,
  });
  const differences = compare(await readFile(SAMPLE), await readFile(output));
  process.stdout.write(table(imported, exported));
  process.stdout.write(`exported file: ${output}\n`);
  const { counts } = imported.details ?? {};
  const whole = counts?.failed === 0 && exported.failed === 0 && exported.exported === counts.total;
  if (differences.length === 0 && whole) {
    process.stdout.write(
      `Every one of the ${exported.exported} records came back as it went in.\n`,
    );
    return EXIT.done;
  }
  process.stdout.write(`${differences.slice(0, 10).join('\n')}\nThe demo failed.\n`);
  return EXIT.unexpected;
}

/** Instance ids of what one import stored, in the order of its file. */
async function storedIds(client: QuireClient, snapshotId: string): Promise<{ id: string }[]> {
  const query = new URLSearchParams({ snapshotId, orderBy: 'order', limit: '2147483647' });
  const { sourceRecords } = await client.get<SourceRecords>(
    `/source-storage/source-records?${query.toString()}`,
  );
  return sourceRecords.map((record) => ({ id: record.externalIdsHolder?.instanceId ?? '' }));
}

function compare(sample: Buffer, exported: Buffer): string[] {
  const wanted = [...framesOf(sample)];
  const got = [...framesOf(exported)];
  const differences =
    wanted.length === got.length
      ? []
      : [`${wanted.length} records went in, ${got.length} came out`];
  got.forEach((frame, index) => {
    const plain = suppressFields(openStored(frame), { ff999: true });
    const original = wanted[index];
    if (plain.failed || !original || !masked(plain.bytes).equals(masked(original))) {
      differences.push(`record ${index + 1} differs`);
    }
  });
  return differences;
}

function* framesOf(file: Buffer): Generator<Buffer> {
  for (const { offset, length } of splitFrames(file)) yield file.subarray(offset, offset + length);
}

/** Without leader/00–04 and 12–16: the 999 ff that the import adds makes these numbers larger. */
function masked(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy.fill('0', 0, 5).fill('0', 12, 17);
  return copy;
}

function table(imported: ImportOutcome, exported: ExportOutcome): string {
  const counts = imported.details?.counts;
  const saved = (counts?.created ?? 0) + (counts?.updated ?? 0) + (counts?.unchanged ?? 0);
  const rate = (records: number, seconds: number): string => String(Math.round(records / seconds));
  const rows = [
    ['', 'records', 'saved', 'failed', 'exported', 'seconds', 'records/s'],
    [
      'import',
      `${counts?.total ?? 0}`,
      `${saved}`,
      `${counts?.failed ?? 0}`,
      '',
      imported.seconds.toFixed(2),
      rate(saved, imported.seconds),
    ],
    [
      'export',
      `${exported.total}`,
      '',
      `${exported.failed}`,
      `${exported.exported}`,
      exported.seconds.toFixed(2),
      rate(exported.exported, exported.seconds),
    ],
  ];
  return `${rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(8) : cell.padStart(10))).join('')).join('\n')}\n`;
}
