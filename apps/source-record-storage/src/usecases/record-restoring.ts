import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { Caller } from '@quire/contracts/scope';
import type { RecordIdType } from '@quire/contracts/source-records';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { RecordHistory } from '../db/record-history.js';
import { RecordLocks } from '../db/record-locks.js';
import { RecordVersions } from '../db/record-versions.js';
import { isTakenGeneration } from '../db/records.js';
import { failures } from '../domain/failures.js';
import { HiddenRecords } from './hidden-records.js';
import { RestoredGenerations } from './restored-generations.js';

export interface RestoreWish {
  readonly id: string;
  readonly idType: RecordIdType;
  readonly generation: number;
  /** Of the generation; absent: its last. */
  readonly version?: number | undefined;
}

/**
 * Makes a new generation with the content of an earlier one (source-record-storage, 14). Its bytes are exactly those: the
 * matched id in 999 ff is the same for all generations.
 */
@Injectable()
export class RecordRestoring {
  constructor(
    private readonly source: DataSource,
    private readonly history: RecordHistory,
    private readonly locks: RecordLocks,
    private readonly versions: RecordVersions,
    private readonly generations: RestoredGenerations,
    private readonly hidden: HiddenRecords,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /**
   * @returns id of the new generation
   * @throws Failure not-found for the record, the generation or the version; conflict when somebody else saves one
   */
  async restore(caller: Caller, wish: RestoreWish): Promise<string> {
    try {
      return await withTenant(this.source, caller, (tx) => this.restoreIn(tx, caller, wish));
    } catch (error) {
      if (isTakenGeneration(error)) throw failures.duplicate();
      throw error;
    }
  }

  private async restoreIn(tx: TenantTx, { username }: Caller, wish: RestoreWish): Promise<string> {
    const matchedId = await this.history.matchedId(tx, wish);
    if (matchedId === undefined) throw failures.recordOfTypeNotFound(wish.idType, wish.id);
    await this.hidden.makeWay(tx, [matchedId]);
    await this.locks.take(tx, [matchedId]);
    const { generation, version } = wish;
    const found = await this.versions.find(tx, matchedId, generation, version);
    if (!found) throw failures.noSuchGeneration(matchedId, generation, version);
    const id = this.ids.next();
    const made = { id, snapshotId: this.ids.next(), matchedId, from: generation };
    await this.generations.write(tx, found, { ...made, userName: username });
    return id;
  }
}
