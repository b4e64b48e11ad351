import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { SentRecord } from '@quire/contracts/record-writing';
import type { Caller } from '@quire/contracts/scope';
import { readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { isCurrent, RecordLocks } from '../db/record-locks.js';
import { StoredRecordReads, type StoredRow } from '../db/stored-records.js';
import { failures } from '../domain/failures.js';
import { isComplete } from '../domain/record-values.js';
import { matchesVersion } from '../domain/versions.js';
import { RecordPreparing } from './record-preparing.js';
import { replacementOf, type PreparedRecord } from './record-rows.js';
import { RecordSaving } from './record-saving.js';
import { RecordWriting } from './record-writing.js';

/** Single records by REST (source-record-storage, 2.4 and 3): new ones, new generations, and records that are replaced. */
@Injectable()
export class RecordEdits {
  constructor(
    private readonly source: DataSource,
    private readonly preparing: RecordPreparing,
    private readonly saving: RecordSaving,
    private readonly locks: RecordLocks,
    private readonly records: StoredRecordReads,
    private readonly writing: RecordWriting,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** @returns the record's id. @throws Failure refused, not-found, conflict (2.4) */
  async create(caller: Caller, sent: SentRecord): Promise<string> {
    const prepared = await this.preparing.prepareOne(caller, sent);
    if (!isComplete(sent, prepared.content)) throw failures.incompleteBib();
    if (!(await this.saved(caller, prepared))) throw failures.duplicate();
    return prepared.id;
  }

  /** A new generation of a record that there is, whatever id was sent. @returns its id */
  async createGeneration(caller: Caller, matchedId: string, sent: SentRecord): Promise<string> {
    const read = await this.preparing.prepareOne(caller, sent);
    const prepared = { ...read, id: this.ids.next() };
    const { content } = prepared;
    const found = content && !content.failed ? content.facts.ids.s : undefined;
    if (found?.toLowerCase() !== matchedId) throw failures.otherMatchedId(matchedId, found);
    const current = await readTenant(this.source, caller, (tx) =>
      this.locks.current(tx, 'RECORD', matchedId),
    );
    if (!current) throw failures.matchedIdNotFound(matchedId);
    if (!isComplete(sent, content)) throw failures.incompleteBib();
    if (!(await this.saved(caller, prepared))) throw failures.duplicateGeneration();
    return prepared.id;
  }

  /**
   * A full update in place; parts that were not sent stay.
   *
   * @param ifMatch ETags of which one must be the record's, if any were sent
   * @throws Failure not-found, conflict for another version or a second current record
   */
  async replace(
    caller: Caller,
    { id, ifMatch }: { readonly id: string; readonly ifMatch: string | undefined },
    sent: SentRecord,
  ): Promise<void> {
    const prepared = await this.preparing.prepareOne(caller, { ...sent, id });
    await withTenant(this.source, caller, async (tx) => {
      const before = await this.locked(tx, id);
      if (!(await this.locks.holdSnapshot(tx, sent.snapshotId)))
        throw failures.snapshotNotFound(sent.snapshotId);
      if (!matchesVersion(ifMatch, before.version)) throw failures.versionConflict();
      const change = replacementOf(before, prepared);
      await this.checkState(tx, before, change.values.state);
      // Work of another snapshot than the one that made the record can be undone with that.
      const snapshotId = sent.snapshotId === before.snapshot_id ? undefined : sent.snapshotId;
      const { username: userName } = caller;
      await this.writing.change(tx, [change], { cause: 'UPDATE', snapshotId, userName });
    });
  }

  private async saved(caller: Caller, prepared: PreparedRecord): Promise<boolean> {
    const { snapshotId } = prepared.sent;
    const [saved] = await this.saving.save(caller, [prepared], {
      snapshotId,
      userName: caller.username,
      keepGenerations: true,
    });
    return saved?.saved ?? false;
  }

  /** Of any state. */
  private async locked(tx: TenantTx, id: string): Promise<StoredRow> {
    const [place] = await this.locks.places(tx, [id]);
    if (place) await this.locks.take(tx, [place.matched_id], [id]);
    const row = place && (await this.records.byId(tx, id));
    if (!row) throw failures.recordNotFound(id);
    return row;
  }

  /** Only one record of a matched id is ACTUAL or DELETED. */
  private async checkState(
    tx: TenantTx,
    before: StoredRow,
    state: StoredRow['state'],
  ): Promise<void> {
    if (!isCurrent(state) || isCurrent(before.state)) return;
    if (await this.locks.current(tx, 'RECORD', before.matched_id)) throw failures.duplicate();
  }
}
