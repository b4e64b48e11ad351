import { Injectable } from '@nestjs/common';
import { EVENTS_KNOWN } from '@quire/messaging/inbox';
import type { TenantTx } from '@quire/postgres/tenant';

const ROWS_AT_ONCE = 1000;

/** Inbox rows with an answer that nobody will ask for again. */
@Injectable()
export class AnsweredEvents {
  /** Removes the old ones. @returns keys of the error lists that belonged to them */
  async purge(tx: TenantTx): Promise<string[]> {
    const rows = await tx.query<{ key: string | null }>(
      `delete from inbox where tenant_id = $1 and (consumer, event_id) in (
         select consumer, event_id from inbox where tenant_id = $1 and outcome is not null and at < now() - ${EVENTS_KNOWN} limit ${ROWS_AT_ONCE})
       returning outcome #>> '{saved,errorsKey}' as key`,
      [tx.tenantId],
    );
    return rows.flatMap(({ key }) => (key === null ? [] : [key]));
  }
}
