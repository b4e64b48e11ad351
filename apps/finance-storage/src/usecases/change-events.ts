import { Injectable } from '@nestjs/common';
import {
  FINANCE_CHANGES,
  type FinanceChange,
  type FinanceEntityName,
} from '@quire/contracts/finance-events';
import { Outbox } from '@quire/messaging/outbox';
import type { TenantTx } from '@quire/postgres/tenant';
import type { Touched } from '../db/budget-links.js';

/** Says in the transaction of a change what was changed (finance-storage, section 9). */
@Injectable()
export class ChangeEvents {
  constructor(private readonly outbox: Outbox) {}

  async add(
    tx: TenantTx,
    [entity, change]: readonly [FinanceEntityName, FinanceChange],
    { id, version }: Touched,
    changed: readonly string[],
  ): Promise<void> {
    const { tenantId } = tx;
    const payload = { tenantId, id, _version: version, changed };
    await this.outbox.add(tx, FINANCE_CHANGES[entity][change], payload);
  }

  /** Rows that were changed along with another one, each in the same property. */
  addAll(
    tx: TenantTx,
    entity: FinanceEntityName,
    rows: readonly Touched[],
    property: string,
  ): Promise<void> {
    return this.addEach(tx, [entity, 'Updated'], rows, () => [property]);
  }

  /** Rows that were changed at once, in one statement. @param changed names of the properties of a row */
  async addEach<R extends Touched>(
    tx: TenantTx,
    [entity, change]: readonly [FinanceEntityName, FinanceChange],
    rows: readonly R[],
    changed: (row: R) => readonly string[],
  ): Promise<void> {
    const { tenantId } = tx;
    const payloads = rows.map((row) => {
      const { id, version } = row;
      return { tenantId, id, _version: version, changed: changed(row) };
    });
    await this.outbox.addAll(tx, FINANCE_CHANGES[entity][change], payloads);
  }
}
