import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@quire/contracts/clock';
import type { Caller } from '@quire/contracts/scope';
import type { RecordIdType } from '@quire/contracts/source-records';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { CLOCK } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import type { HistoryCause } from '../db/record-history.js';
import { RecordLocks } from '../db/record-locks.js';
import { isDeleted } from '../db/record-reads.js';
import { valuesOf, type RecordValues } from '../db/record-writes.js';
import { StoredRecordReads, type StoredRow } from '../db/stored-records.js';
import { failures } from '../domain/failures.js';
import { storedContentOf } from '../domain/record-shapes.js';
import { contentWithStatus } from '../domain/stored-content.js';
import { suppressedBefore } from './record-rows.js';
import { RecordWriting, type ChangedRecord } from './record-writing.js';

/** Which record is meant: the current one with this id. */
export interface RecordName {
  readonly idType: RecordIdType;
  readonly id: string;
}

interface Change {
  readonly cause: HistoryCause;
  readonly record: ChangedRecord;
}

/** Deletes records softly, takes that back, and hides them from discovery (source-record-storage, section 3). */
@Injectable()
export class RecordStates {
  constructor(
    private readonly source: DataSource,
    private readonly locks: RecordLocks,
    private readonly records: StoredRecordReads,
    private readonly writing: RecordWriting,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A record that is deleted stays as it is. @throws Failure not-found */
  async delete(caller: Caller, name: RecordName): Promise<void> {
    await this.change(caller, name, (before) => {
      const { state, suppress_discovery: suppressed, leader_status: status } = before;
      if (state === 'DELETED' && suppressed && (status === 'd' || !hasLeader(before)))
        return undefined;
      const values = {
        state: 'DELETED',
        suppressDiscovery: true,
        suppressedBefore: suppressedBefore(before, 'DELETED'),
      } as const;
      return { cause: 'DELETE', record: this.withStatus(before, 'd', values) };
    });
  }

  /** A record that is not deleted stays as it is. @throws Failure not-found */
  async undelete(caller: Caller, name: RecordName): Promise<void> {
    await this.change(caller, name, (before) => {
      if (!isDeleted(before)) return undefined;
      const values = {
        state: 'ACTUAL',
        suppressDiscovery: before.suppressed_before ?? before.suppress_discovery,
        suppressedBefore: null,
      } as const;
      return { cause: 'UNDELETE', record: this.withStatus(before, 'c', values) };
    });
  }

  /** @throws Failure not-found */
  async suppress(caller: Caller, name: RecordName, suppressDiscovery: boolean): Promise<void> {
    await this.change(caller, name, (before) => {
      if (before.suppress_discovery === suppressDiscovery) return undefined;
      const values = { ...valuesOf(before), suppressDiscovery };
      return { cause: 'SUPPRESS', record: { before, values, parts: { id: before.id } } };
    });
  }

  private withStatus(
    before: StoredRow,
    status: 'c' | 'd',
    changes: Partial<RecordValues>,
  ): ChangedRecord {
    const { id, record_type: type } = before;
    const stored = storedContentOf(before);
    const content = stored && contentWithStatus(type, stored, status, this.clock.now());
    const leaderStatus = hasLeader(before) ? status : before.leader_status;
    return {
      before,
      values: { ...valuesOf(before), ...changes, leaderStatus },
      parts: { id, ...(content && content !== stored ? { content } : {}) },
    };
  }

  private async change(
    caller: Caller,
    name: RecordName,
    changeOf: (before: StoredRow) => Change | undefined,
  ): Promise<void> {
    await withTenant(this.source, caller, async (tx) => {
      const change = changeOf(await this.locked(tx, name));
      if (change)
        await this.writing.change(tx, [change.record], {
          cause: change.cause,
          userName: caller.username,
        });
    });
  }

  /** The current record, looked up once more when nobody else can change it. */
  private async locked(tx: TenantTx, { idType, id }: RecordName): Promise<StoredRow> {
    const place = await this.locks.current(tx, idType, id);
    if (place) await this.locks.take(tx, [place.matched_id]);
    const now = place && (await this.locks.current(tx, idType, id));
    const row = now && (await this.records.byId(tx, now.id));
    if (!row) throw failures.recordOfTypeNotFound(idType, id);
    return row;
  }
}

/** EDIFACT has none, and of MARC only what source records show has one. */
const hasLeader = ({ record_type: type, parsed }: StoredRow): boolean =>
  type !== 'EDIFACT' && parsed;
