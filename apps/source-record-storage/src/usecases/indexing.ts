import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { HoldingParents } from '../db/holding-parents.js';
import { MarcIndex } from '../db/marc-index.js';
import { IndexUpkeep } from './index-upkeep.js';
import { InstanceView } from './instance-view.js';

/**
 * What is derived from records and found by queries: the instance view (source-record-storage, section 8) and the index of
 * MARC fields (section 7). It is written in the transaction that changes a record; of the chunks of imports only the keys are,
 * their instances follow (`instance-projector.ts`), and a query waits for them.
 *
 * Whoever writes, supersedes, deletes or removes records says here which, after the change and before the commit.
 */
@Injectable()
export class Indexing {
  constructor(
    private readonly marcIndex: MarcIndex,
    private readonly instances: InstanceView,
    private readonly upkeep: IndexUpkeep,
    private readonly parents: HoldingParents,
  ) {}

  /** Brings all that is derived from these records up to date; also for records that have just gone. */
  async refresh(tx: TenantTx, recordIds: readonly string[]): Promise<void> {
    if (recordIds.length === 0) return;
    await this.marcIndex.refresh(tx, recordIds);
    await this.instances.refresh(tx, recordIds);
    this.upkeep.written(recordIds.length);
    await this.parents.refresh(tx, recordIds);
  }
}
