import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import { HoldingParents } from '../db/holding-parents.js';
import { Instances, type NewestRecord } from '../db/instances.js';
import type { InstanceFacts } from '../domain/instance-facts.js';
import { marcRecordOf } from '../domain/stored-content.js';
import { instanceFacts } from '../pipeline/instance-row.js';

/**
 * Keeps the instance view (source-record-storage, 8.1): the newest current MARC_BIB record with parsed content makes the row
 * of its external id, the others are counted, and no row is left when no record is.
 *
 * Two transactions may write records of one external id at the same time, and neither sees the other's. The second one waits
 * for the first at the row, has then written what it saw before, and looks again: what no longer agrees is done once more.
 */
const BATCH_IDS = 500;
const TRIES_MAX = 5;

@Injectable()
export class InstanceView {
  constructor(
    private readonly instances: Instances,
    private readonly parents: HoldingParents,
  ) {}

  /** Rows of the external ids that these records have or had; also of records that have just gone. */
  async refresh(tx: TenantTx, recordIds: readonly string[]): Promise<void> {
    for (const part of batches(recordIds))
      await this.refreshInstances(tx, await this.instances.externalIds(tx, part));
  }

  /** Rows of these external ids. */
  async refreshInstances(tx: TenantTx, ids: readonly string[]): Promise<void> {
    for (const part of batches(ids)) {
      let stale = part;
      for (let tries = 1; stale.length > 0; tries += 1) {
        if (tries > TRIES_MAX) throw new Error('The records of an instance change all the time.');
        await this.write(tx, stale);
        stale = await this.instances.stale(tx, stale);
      }
    }
  }

  /**
   * Makes a batch of rows from the records, of a tenant whose records are older than the view.
   *
   * @returns false: there is nothing left to do
   */
  async fill(tx: TenantTx, count: number): Promise<boolean> {
    const next = await this.instances.nextToFill(tx, count);
    if (!next) return false;
    await this.refreshInstances(tx, next.instanceIds);
    await this.parents.refresh(tx, next.holdings);
    return next.instanceIds.length + next.holdings.length > 0;
  }

  private async write(tx: TenantTx, ids: readonly string[]): Promise<void> {
    const newest = await this.instances.newest(tx, ids);
    const rows = newest.map((record) => ({
      recordId: record.record_id,
      duplicates: record.others,
      facts: factsOf(record),
    }));
    await this.instances.write(tx, rows);
    const kept = new Set(newest.map(({ id }) => id));
    await this.instances.remove(
      tx,
      ids.filter((id) => !kept.has(id)),
    );
  }
}

function* batches(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += BATCH_IDS) yield ids.slice(at, at + BATCH_IDS);
}

const NOTHING: InstanceFacts = { title: undefined, indexTitle: undefined, data: {} };

function factsOf({ content, form }: NewestRecord): InstanceFacts {
  const record = content && form ? marcRecordOf({ form, bytes: content }) : undefined;
  return record ? instanceFacts(record) : NOTHING;
}
