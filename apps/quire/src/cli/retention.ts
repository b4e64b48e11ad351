import type { RetentionReport } from '@quire/contracts/retention';
import type { CommandLine } from './arguments.js';
import type { QuireClient } from './client.js';
import { EXIT, type ExitCode } from './exit-codes.js';

export const RETENTION_FLAGS = { 'dry-run': { type: 'boolean' } } as const;

type Counts = Omit<RetentionReport, 'dryRun'>;

const NAMES: readonly (readonly [keyof Counts, string])[] = [
  ['deletedRecords', 'deleted records'],
  ['oldGenerations', 'older generations'],
  ['snapshots', 'snapshots without records'],
  ['tombstones', 'traces of removed records'],
  ['history', 'replaced contents'],
];

/** `quire retention`: removes what its time is over for, or tells what would go. */
export async function applyRetention(client: QuireClient, line: CommandLine): Promise<ExitCode> {
  const dryRun = line.flags['dry-run'] === true;
  const report = dryRun ? await ask(client, true) : await removeAll(client);
  if (line.flags['json'] === true)
    process.stdout.write(`${JSON.stringify({ dryRun, ...report })}\n`);
  else
    for (const [name, title] of NAMES)
      process.stdout.write(
        `${String(report[name]).padStart(9)} ${title}${dryRun ? ' would go' : ' removed'}\n`,
      );
  return EXIT.done;
}

/** One request removes for some seconds at most: asks until nothing is left. */
async function removeAll(client: QuireClient): Promise<Counts> {
  let sum = NOTHING;
  for (;;) {
    const more = await ask(client, false);
    if (NAMES.every(([name]) => more[name] === 0)) return sum;
    sum = addCounts(sum, more);
    process.stderr.write(`${NAMES.reduce((all, [name]) => all + sum[name], 0)} removed …\n`);
  }
}

const NOTHING: Counts = {
  deletedRecords: 0,
  oldGenerations: 0,
  snapshots: 0,
  tombstones: 0,
  history: 0,
};

const addCounts = (one: Counts, other: Counts): Counts => ({
  deletedRecords: one.deletedRecords + other.deletedRecords,
  oldGenerations: one.oldGenerations + other.oldGenerations,
  snapshots: one.snapshots + other.snapshots,
  tombstones: one.tombstones + other.tombstones,
  history: one.history + other.history,
});

async function ask(client: QuireClient, dryRun: boolean): Promise<Counts> {
  const path = `/source-storage/retention?dryRun=${dryRun}`;
  const report = await client.post<RetentionReport>(path, undefined);
  return addCounts(NOTHING, report);
}
