import { Inject, Injectable } from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { openStored } from '@quire/marc/iso2709/stored';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { NewInstances } from '../db/new-instances.js';
import { PendingInstances } from '../db/pending-instances.js';
import { isRefusal } from '../db/records.js';
import { instanceFacts } from '../pipeline/instance-row.js';
import { InstanceView } from './instance-view.js';

/**
 * Makes the rows of the instance view that a chunk of an import has left to be made (docs/adr/0006-instance-view.md), in one
 * transaction with the removal of its note. Records that are as the chunk made them get their rows at once; of all others,
 * and where an external id has a row already, the view finds out itself what is current by now.
 */
@Injectable()
export class InstanceProjection {
  constructor(
    private readonly source: DataSource,
    private readonly pending: PendingInstances,
    private readonly newInstances: NewInstances,
    private readonly view: InstanceView,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** One chunk of the tenant. @returns the number of its records; undefined when there is none that nobody else works at */
  project(scope: Scope): Promise<number | undefined> {
    return withTenant(this.source, scope, async (tx) => {
      const row = await this.pending.take(tx);
      if (!row) return undefined;
      const made = await this.insertNew(tx, row.new_ids);
      const rest = [...row.new_ids.filter((id) => !made.has(id)), ...row.other_ids];
      if (rest.length > 0) await this.refresh(tx, rest);
      await this.pending.remove(tx, row.place);
      return row.records;
    });
  }

  /** @returns ids of the records that have their row now */
  private async insertNew(tx: TenantTx, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const records = await this.pending.holdUntouched(tx, ids);
    const factsOf = ({ content }: { content: Buffer }) => instanceFacts(openStored(content));
    const insert = (): Promise<boolean> => this.newInstances.insert(tx, records, factsOf);
    const allNew = await tx.savepoint(insert).catch(falseIfRefused);
    return new Set(allNew ? records.map(({ id }) => id) : []);
  }

  private async refresh(tx: TenantTx, ids: readonly string[]): Promise<void> {
    await this.pending.holdAlone(tx, ids);
    const refreshed = await tx
      .savepoint(() => this.view.refresh(tx, ids).then(() => true))
      .catch(falseIfRefused);
    if (!refreshed) await this.refreshEach(tx, ids);
  }

  /** A record that the database takes no row of must not keep all that come after it from being found. */
  private async refreshEach(tx: TenantTx, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      try {
        await tx.savepoint(() => this.view.refresh(tx, [id]));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.log.error({ err: error, recordId: id }, 'a record has no row in the instance view');
      }
    }
  }
}

function falseIfRefused(error: unknown): false {
  if (isRefusal(error)) return false;
  throw error;
}
