import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { SourceRecordType } from '@quire/contracts/source-records';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { CurrentContents } from '../db/current-contents.js';
import { isCurrent, RecordLocks, type Under } from '../db/record-locks.js';
import { isTakenGeneration } from '../db/records.js';
import { Statistics } from '../db/statistics.js';
import { failures } from '../domain/failures.js';
import { generationOf } from '../domain/generations.js';
import { matchedIdOf, type ExternalIds } from '../domain/record-values.js';
import { isSameContent } from '../domain/same-content.js';
import { HiddenRecords } from './hidden-records.js';
import { newRow, type PreparedRecord } from './record-rows.js';
import { RecordWriting, type NewRecord } from './record-writing.js';

export interface Saving {
  readonly snapshotId: string;
  readonly userName: string;
  /** A sent generation is kept where the rules allow it; else all are computed. */
  readonly keepGenerations: boolean;
  /** A record that says what is current makes no generation (section 14). */
  readonly skipUnchanged?: boolean;
}

/** What became of one record. */
export type Saved =
  | {
      readonly saved: true;
      readonly id: string;
      /** Why its parsed content could not be read: it is stored with an error record. */
      readonly invalid?: string | undefined;
    }
  /**
   * Nothing is stored of it. Unless it is unchanged, the snapshot has it already, or one that is running holds it.
   * `unchanged`: id of the record that says the same.
   */
  | { readonly saved: false; readonly id: string; readonly unchanged?: string | undefined };

/** So often a generation may be taken by an import before the records are said to collide. */
const ATTEMPTS_MAX = 3;

/**
 * Saves records of one snapshot (source-record-storage, 2.4 and 2.5): single ones and batches alike, in a fixed number of
 * statements. A record that collides is told apart and hinders no other.
 *
 *     const prepared = await preparing.prepare(scope, records);   // reads the contents, keeps long raw records
 *     const saved = await saving.save(scope, prepared, { snapshotId, userName, keepGenerations: false });
 */
@Injectable()
export class RecordSaving {
  constructor(
    private readonly source: DataSource,
    private readonly locks: RecordLocks,
    private readonly writing: RecordWriting,
    private readonly contents: CurrentContents,
    private readonly hidden: HiddenRecords,
    private readonly statistics: Statistics,
  ) {}

  /** @throws Failure not-found without the snapshot, refused when it has not started */
  async save(
    scope: Scope,
    records: readonly PreparedRecord[],
    saving: Saving,
  ): Promise<readonly Saved[]> {
    const saved = await this.attempts(scope, records, saving);
    const written = saved.filter((one) => one.saved).length;
    await this.statistics.grown(this.source, scope.tenantId, written);
    return saved;
  }

  private async attempts(
    scope: Scope,
    records: readonly PreparedRecord[],
    saving: Saving,
  ): Promise<readonly Saved[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await withTenant(this.source, scope, (tx) => this.saveIn(tx, records, saving));
      } catch (error) {
        if (!isTakenGeneration(error)) throw error;
        if (attempt === ATTEMPTS_MAX) return records.map(({ id }) => ({ saved: false, id }));
      }
    }
  }

  private async saveIn(
    tx: TenantTx,
    records: readonly PreparedRecord[],
    saving: Saving,
  ): Promise<readonly Saved[]> {
    const startedAt = await this.holdStarted(tx, saving.snapshotId);
    const identified = await this.identify(tx, records);
    const places = await this.lock(tx, identified);
    const under = await this.locks.under(tx, identified, { ...saving, startedAt });
    const repeated = saving.skipUnchanged
      ? await this.repeated(tx, identified, under)
      : NOTHING_REPEATED;
    const plan = new SavingPlan(saving, new Set(places));
    const saved = identified.map((record, at): Saved => {
      const unchanged = repeated.get(at);
      if (unchanged !== undefined) return { saved: false, id: record.id, unchanged };
      return plan.add(record, under[at]);
    });
    await this.writing.put(tx, plan.rows, saving);
    return saved;
  }

  /** Ids of the current records that say what is sent, by place in the list. */
  private async repeated(
    tx: TenantTx,
    records: readonly Identified[],
    under: readonly Under[],
  ): Promise<ReadonlyMap<number, string>> {
    const candidates = records.map(({ id }, at) => [
      id,
      ...(under[at]?.current ?? []).map((one) => one.id),
    ]);
    const contents = await this.contents.actual(tx, [...new Set(candidates.flat())]);
    const found = new Map<number, string>();
    for (const [at, { content }] of records.entries()) {
      if (!content || content.failed) continue;
      const same = candidates[at]?.find((id) => {
        const before = contents.get(id);
        return before && isSameContent(before, content.stored);
      });
      if (same !== undefined) found.set(at, same);
    }
    return found;
  }

  private async holdStarted(tx: TenantTx, snapshotId: string): Promise<Date> {
    const snapshot = await this.locks.holdSnapshot(tx, snapshotId);
    if (!snapshot) throw failures.snapshotNotFound(snapshotId);
    if (!snapshot.processing_started_at) throw failures.notStarted(snapshot.status);
    return snapshot.processing_started_at;
  }

  /** Rule 4: which record each of them is a generation of. */
  private async identify(
    tx: TenantTx,
    records: readonly PreparedRecord[],
  ): Promise<readonly Identified[]> {
    const asking = records.filter(isFoundByExternalId);
    const found = await this.locks.matchedIds(
      tx,
      asking.map(({ sent, externalIds }) => [sent.recordType, externalIds.externalId]),
    );
    const stored = new Map(asking.map((record, at) => [record.id, found.get(at)]));
    const made = new Map<string, string>();
    return records.map((record) => {
      const { id, sent, content, externalIds } = record;
      const key = externalKey(sent.recordType, externalIds);
      const asks = isFoundByExternalId(record);
      const matchedId =
        matchedIdOf(content) ?? stored.get(id) ?? (asks ? made.get(key) : undefined) ?? id;
      if (externalIds.externalId !== undefined) made.set(key, matchedId);
      return { ...record, matchedId };
    });
  }

  /** @returns ids that are there already */
  private async lock(tx: TenantTx, records: readonly Identified[]): Promise<string[]> {
    const ids = records.map(({ id }) => id);
    await this.hidden.makeWay(tx, [...ids, ...records.map(({ matchedId }) => matchedId)]);
    const before = await this.locks.places(tx, ids);
    const matchedIds = [...records, ...before.map((place) => ({ matchedId: place.matched_id }))];
    await this.locks.take(
      tx,
      matchedIds.map(({ matchedId }) => matchedId),
      before.map(({ id }) => id),
    );
    return (await this.locks.places(tx, ids)).map(({ id }) => id);
  }
}

const NOTHING_REPEATED: ReadonlyMap<number, string> = new Map();

interface Identified extends PreparedRecord {
  readonly matchedId: string;
}

type WithExternalId = PreparedRecord & { readonly externalIds: { readonly externalId: string } };

/** Only a record that will be ACTUAL, and does not say itself which one it is. */
const isFoundByExternalId = (record: PreparedRecord): record is WithExternalId =>
  record.externalIds.externalId !== undefined &&
  (record.sent.state ?? 'ACTUAL') === 'ACTUAL' &&
  matchedIdOf(record.content) === undefined;

const externalKey = (type: SourceRecordType, { externalId }: ExternalIds): string =>
  `${type}:${externalId ?? ''}`;

/** Decides record by record; a later one sees those before it. */
class SavingPlan {
  readonly rows: NewRecord[] = [];
  private readonly taken = new Set<string>();
  private readonly matchedIds = new Set<string>();

  constructor(
    private readonly saving: Saving,
    private readonly stored: ReadonlySet<string>,
  ) {}

  add(record: Identified, under: Under | undefined): Saved {
    const { id, matchedId, sent } = record;
    const generations = under?.generations;
    const wanted = this.saving.keepGenerations ? sent.generation : undefined;
    const generation = generations && generationOf(generations, wanted);
    const again = this.taken.has(id) || this.matchedIds.has(matchedId);
    if (generation === undefined || again) return { saved: false, id };
    this.taken.add(id);
    this.matchedIds.add(matchedId);
    const { snapshotId } = this.saving;
    const { row, invalid } = newRow(record, { snapshotId, matchedId, generation });
    const superseded = isCurrent(row.values.state) ? (under?.current ?? []) : [];
    this.rows.push({ ...row, replaces: this.stored.has(id), superseded });
    return { saved: true, id, invalid };
  }
}
