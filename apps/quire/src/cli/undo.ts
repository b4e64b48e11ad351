import { setTimeout as delay } from 'node:timers/promises';
import type { ImportJobExecution } from '@quire/contracts/data-import';
import type { ImportDetails, ImportUndo } from '@quire/contracts/import-work';
import { isAnyUuid } from '@quire/contracts/ids';
import type { SnapshotUndoResult, SnapshotUndoTask } from '@quire/contracts/snapshot-undo';
import { timeoutMs, type CommandLine } from './arguments.js';
import type { QuireClient } from './client.js';
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.js';

export const UNDO_FLAGS = {
  'dry-run': { type: 'boolean' },
  'no-wait': { type: 'boolean' },
} as const;

const LOOK_MS = 500;
/** Records named in the summary; all of them with --json. */
const NAMED_MAX = 20;

interface Outcome extends Pick<SnapshotUndoResult, 'removed' | 'restored' | 'conflicts'> {
  /** Conflicts, however many. */
  readonly kept: number;
}

/** `quire undo <id or hrId>`: takes back what an import has saved. Exit code 5: some records were changed since, and stay. */
export async function undoImport(client: QuireClient, line: CommandLine): Promise<ExitCode> {
  const wanted = line.words[0];
  if (wanted === undefined || line.words.length > 1)
    throw new CommandFailure(EXIT.usage, 'Which import? quire undo <id or hrId>');
  const id = isAnyUuid(wanted) ? wanted : await byHrId(client, wanted);
  const json = line.flags['json'] === true;
  if (line.flags['dry-run'] === true) {
    const tried = await client.post<SnapshotUndoResult>(
      `/source-storage/snapshots/${id}/undo?dryRun=true`,
      {},
    );
    return report({ ...tried, kept: tried.conflicts.length }, json, 'would be ');
  }
  const asked = await client.post<ImportUndo>(`/data-import/jobExecutions/${id}/undo`, {});
  if (line.flags['no-wait'] === true) {
    process.stdout.write(json ? `${JSON.stringify(asked)}\n` : 'The undo has been asked for.\n');
    return EXIT.done;
  }
  const { removed = 0, restored = 0, kept = 0 } = await ended(client, id, timeoutMs(line.flags));
  const conflicts = kept > 0 ? await conflictsOf(client, id) : [];
  return report({ removed, restored, kept, conflicts }, json);
}

async function conflictsOf(client: QuireClient, id: string): Promise<Outcome['conflicts']> {
  const { conflicts } = await client.get<SnapshotUndoTask>(`/source-storage/snapshots/${id}/undo`);
  return conflicts;
}

async function byHrId(client: QuireClient, hrId: string): Promise<string> {
  if (!/^\d+$/.test(hrId))
    throw new CommandFailure(EXIT.usage, `"${hrId}" is neither an id nor a number.`);
  const { jobExecutions } = await client.get<{ jobExecutions: ImportJobExecution[] }>(
    `/metadata-provider/jobExecutions?hrId=${hrId}`,
  );
  const [job] = jobExecutions;
  if (!job) throw new CommandFailure(EXIT.notFound, `There is no import ${hrId}.`);
  return job.id;
}

async function ended(client: QuireClient, id: string, limitMs: number): Promise<ImportUndo> {
  const startedMs = performance.now();
  for (;;) {
    const { undone } = await client.get<ImportDetails>(`/data-import/jobExecutions/${id}/details`);
    if (undone?.state === 'DONE') return undone;
    if (performance.now() - startedMs > limitMs)
      throw new CommandFailure(EXIT.timeOut, 'The undo goes on; this command waits no longer.');
    await delay(LOOK_MS);
  }
}

function report(outcome: Outcome, json: boolean, would = ''): ExitCode {
  const { removed, restored, kept, conflicts } = outcome;
  if (json) {
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  } else {
    const lines = [
      `${removed} records ${would}removed, ${restored} ${would}restored, ${kept} ${would}left as they are`,
      ...conflicts.slice(0, NAMED_MAX).map(({ matchedId, reason }) => `  ${matchedId}  ${reason}`),
      ...(kept > NAMED_MAX ? [`  and ${kept - NAMED_MAX} more (--json)`] : []),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  return kept > 0 ? EXIT.someFailed : EXIT.done;
}
