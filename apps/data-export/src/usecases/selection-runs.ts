import { Inject, Injectable } from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import { LeaseLost } from '@quire/jobs/worker';
import { backoffMs, classify } from '@quire/messaging/retry';
import { readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { UnexpectedAnswer } from '@quire/service/service-client';
import { DataSource } from 'typeorm';
import type { InputCounts } from '../db/file-definitions.js';
import { IdSelections, type ClaimedSelection, type SelectionRow } from '../db/id-selections.js';
import type { HandBack } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import { logRows, type LogRow } from '../domain/error-codes.js';
import type { ExportJob } from '../domain/job-answer.js';
import type { DeletedBibs, IdQuery, Selection } from '../domain/selection.js';
import { ATTEMPTS_MAX, WAITS_MAX } from '../domain/slicing.js';
import { readIdList } from '../pipeline/read-id-list.js';
import { SelectionEndings } from './selection-endings.js';
import { pathOf, SourceIds } from './source-ids.js';

interface SelectionWork extends SelectionRow {
  readonly claimed: ClaimedSelection;
  /** The tenant, and who started the job. */
  readonly scope: Scope;
  readonly job: ExportJob;
}

/**
 * Finds the ids of a job that came without them. They stream into the rows of its input, in the order of the answer; an
 * attempt begins with an empty input, and each of its batches is written only while the claim is its own, so that an
 * attempt which was thought dead adds nothing. The last transaction counts the ids and cuts them into slices.
 */
@Injectable()
export class SelectionRuns {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly selections: IdSelections,
    private readonly ids: SourceIds,
    private readonly endings: SelectionEndings,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** @throws the signal's reason when the lease is lost or the process stops */
  async run(claimed: ClaimedSelection, signal: AbortSignal): Promise<void> {
    const work = await this.read(claimed);
    if (!work) return;
    if (claimed.attempts > ATTEMPTS_MAX) {
      await this.endings.fail(work.scope, claimed, logRows.generic());
      return;
    }
    try {
      const lines = await this.select(work, signal);
      await this.endings.finish(work.scope, claimed, lines);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LeaseLost) return;
      await this.failed(work, error);
    }
  }

  private read(claimed: ClaimedSelection): Promise<SelectionWork | undefined> {
    const system = { tenantId: claimed.tenantId, actorId: SYSTEM_USER_ID };
    return readTenant(this.source, system, async (tx) => {
      const job = await this.stores.jobs.find(tx, claimed.jobId);
      const row = await this.selections.find(tx, claimed);
      if (!job || !row) return undefined;
      const scope = { ...system, actorId: job.runBy?.userId ?? SYSTEM_USER_ID };
      return { ...row, claimed, scope, job };
    });
  }

  private async select(work: SelectionWork, signal: AbortSignal): Promise<InputCounts> {
    const { selection, job } = work;
    let from: number | undefined = 0;
    while (from !== undefined) {
      const line: number = from;
      from = await this.write(work, (tx) =>
        this.stores.discarded.removeSome(tx, job.inputId, line),
      );
      signal.throwIfAborted();
    }
    if (selection.kind !== 'failed lines') return this.fetch(work, selection, signal);
    return this.takeFailed(work, selection.jobId, signal);
  }

  private async takeFailed(
    work: SelectionWork,
    ofJob: string,
    signal: AbortSignal,
  ): Promise<InputCounts> {
    let total = 0;
    for (let from = 0; ;) {
      const taken = await this.write(work, (tx) =>
        this.stores.ids.addFailed(tx, work.job.inputId, { ofJob, from }),
      );
      if (!taken) return { total, blank: 0, invalid: 0, duplicated: 0 };
      total += taken.added;
      from = taken.next;
      signal.throwIfAborted();
    }
  }

  private async fetch(
    work: SelectionWork,
    asked: IdQuery | DeletedBibs,
    signal: AbortSignal,
  ): Promise<InputCounts> {
    const { scope, job } = work;
    const counts = { total: 0, blank: 0, invalid: 0, duplicated: 0 };
    const answer = await this.ids.fetch(asked, { scope, jobId: job.id, signal });
    for await (const ids of pageOf(readIdList(answer), asked)) {
      const lines = ids.map((_, index) => counts.total + index + 1);
      counts.duplicated += await this.write(work, (tx) =>
        this.stores.ids.add(tx, job.inputId, { ids, lines, invalid: [] }),
      );
      counts.total += ids.length;
      signal.throwIfAborted();
    }
    return counts;
  }

  /** @throws LeaseLost when somebody else has the selection by now, or its job has ended */
  private write<T>(
    { claimed, scope }: SelectionWork,
    change: (tx: TenantTx) => Promise<T>,
  ): Promise<T> {
    return withTenant(this.source, scope, async (tx) => {
      if (!(await this.selections.hold(tx, claimed))) throw new LeaseLost();
      return change(tx);
    });
  }

  private async failed(work: SelectionWork, error: unknown): Promise<void> {
    const { claimed, scope, selection, waits } = work;
    const { jobId, attempts, tenantId } = claimed;
    const about = { err: error, jobId, attempts, tenantId };
    const transient = classify(error) === 'transient';
    if (transient && waits < WAITS_MAX) {
      this.log.warn(about, 'ids of an export wait for a dependency');
      const delayMs = backoffMs(waits + 1);
      await this.handBack(work, { delayMs, attempt: false, wait: true });
      return;
    }
    const refusal = error instanceof UnexpectedAnswer ? refusalOf(selection, error) : undefined;
    if (refusal) await this.endings.fail(scope, claimed, refusal);
    else if (transient || attempts >= ATTEMPTS_MAX) {
      this.log.error(about, 'ids of an export cannot be had, it ends');
      await this.endings.fail(scope, claimed, unreachable(selection, error));
    } else {
      this.log.warn(about, 'ids of an export failed, trying again');
      await this.handBack(work, { delayMs: backoffMs(attempts), attempt: true, wait: false });
    }
  }

  private async handBack({ scope, claimed }: SelectionWork, back: HandBack): Promise<void> {
    await withTenant(this.source, scope, (tx) => this.selections.handBack(tx, claimed, back));
  }
}

/** The part that was asked for; the rest is not read. */
async function* pageOf(
  batches: AsyncIterable<Buffer[]>,
  asked: IdQuery | DeletedBibs,
): AsyncGenerator<Buffer[]> {
  const page = asked.kind === 'query' ? asked.page : undefined;
  if (!page) {
    yield* batches;
    return;
  }
  let skip = page.offset;
  let left = page.limit;
  if (left === 0) return;
  for await (const batch of batches) {
    const ids = batch.slice(skip, skip + left);
    skip = Math.max(0, skip - batch.length);
    left -= ids.length;
    if (ids.length > 0) yield ids;
    if (left === 0) return;
  }
}

const REFUSED = 400;

/** The query of a user that the other side does not understand; undefined for what may be a fault. */
function refusalOf(selection: Selection, { status, text }: UnexpectedAnswer): LogRow | undefined {
  if (status !== REFUSED || selection.kind !== 'query') return undefined;
  if (selection.writtenIn === undefined) return undefined;
  const column = /at column (\d+)/.exec(text)?.[1];
  return logRows.invalidCql(selection.writtenIn, column === undefined ? undefined : Number(column));
}

function unreachable(selection: Selection, error: unknown): LogRow {
  const message = error instanceof Error ? error.message : String(error);
  if (selection.kind === 'query') return logRows.gettingInstances(message);
  return selection.kind === 'deleted bibs'
    ? logRows.callingUri(pathOf(selection), message)
    : logRows.generic();
}
