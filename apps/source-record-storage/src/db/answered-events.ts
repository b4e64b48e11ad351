import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';

/** Inbox rows that nobody will ask for again. They outlive the events on the bus by a week (reliability, section 6). */
const KEPT = "interval '14 days'";
const ROWS_AT_ONCE = 1000;

@Injectable()
export class AnsweredEvents {
  /** Removes the old ones. @returns keys of the error lists that belonged to them */
  async purge(tx: TenantTx): Promise<string[]> {
    const rows = await tx.query<{ key: string | null }>(
      `delete from inbox where tenant_id = $1 and (consumer, event_id) in (
         select consumer, event_id from inbox where tenant_id = $1 and at < now() - ${KEPT} limit ${ROWS_AT_ONCE})
       returning outcome #>> '{saved,errorsKey}' as key`,
      [tx.tenantId],
    );
    return rows.flatMap(({ key }) => (key === null ? [] : [key]));
  }
}
