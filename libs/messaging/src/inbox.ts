import type { TenantTx } from '@quire/postgres/tenant';

/** As SQL: for so long an event that comes again is known. A week longer than a bus keeps it (reliability, section 6). */
export const EVENTS_KNOWN = "interval '14 days'";
/** Of old rows, in one transaction. */
const FORGOTTEN_AT_ONCE = 10_000;

/**
 * Makes an event have one effect however often it arrives. `first` is the first statement of the transaction of the effect:
 * a crash before the commit takes the row along, one after it leaves both.
 */
export class Inbox {
  /** @param consumer of the service, as `imports.chunkSaved` @param key event id, or the id of the work it announces */
  async first(tx: TenantTx, consumer: string, key: string): Promise<boolean> {
    const added = await tx.execute(
      `insert into inbox (tenant_id, consumer, event_id) values ($1, $2, $3) on conflict do nothing`,
      [tx.tenantId, consumer, key],
    );
    return added === 1;
  }

  /** Keeps what came of the work, to be repeated when its event comes again. */
  async remember(tx: TenantTx, consumer: string, key: string, outcome: object): Promise<void> {
    await tx.execute(
      `update inbox set outcome = $4 where tenant_id = $1 and consumer = $2 and event_id = $3`,
      [tx.tenantId, consumer, key, JSON.stringify(outcome)],
    );
  }

  async outcome<T extends object>(
    tx: TenantTx,
    consumer: string,
    key: string,
  ): Promise<T | undefined> {
    const row = await tx.one<{ outcome: T | null }>(
      `select outcome from inbox where tenant_id = $1 and consumer = $2 and event_id = $3`,
      [tx.tenantId, consumer, key],
    );
    return row?.outcome ?? undefined;
  }

  /**
   * Forgets events that no bus brings any more, some of them. Those with an outcome are left to whoever keeps it.
   *
   * @returns whether there may be more
   */
  async forget(tx: TenantTx): Promise<boolean> {
    const gone = await tx.execute(
      `delete from inbox where tenant_id = $1 and (consumer, event_id) in (
         select consumer, event_id from inbox
         where tenant_id = $1 and outcome is null and at < now() - ${EVENTS_KNOWN} limit ${FORGOTTEN_AT_ONCE})`,
      [tx.tenantId],
    );
    return gone === FORGOTTEN_AT_ONCE;
  }
}
