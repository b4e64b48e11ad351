import { checkContract } from '@quire/contracts/check-contract';
import type { Clock, Ids } from '@quire/contracts/clock';
import { formatDate } from '@quire/contracts/dates';
import type { EventDefinition } from '@quire/contracts/define-event';
import type { TenantTx } from '@quire/postgres/tenant';
import { jsonbArray, textArray, uuidArray } from '@quire/postgres/bulk';
import { PAYLOAD_BYTES_MAX } from './event-bus.js';

/**
 * The only way to send an event: a row in the transaction that makes it true. The relay carries it on after the commit;
 * NOTIFY, which Postgres delivers at commit, wakes it.
 */
export class Outbox {
  constructor(
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** @throws Error when the payload breaks its class, names another tenant or is over 64 KiB: a bug of the sender, nothing is written */
  add<P extends object>(
    tx: TenantTx,
    event: EventDefinition<P>,
    payload: NoInfer<P>,
  ): Promise<void> {
    return this.addAll(tx, event, [payload]);
  }

  /** In the order given, in one statement. */
  async addAll<P extends object>(
    tx: TenantTx,
    event: EventDefinition<P>,
    payloads: readonly NoInfer<P>[],
  ): Promise<void> {
    if (payloads.length === 0) return;
    const ids = payloads.map(() => this.ids.next());
    const texts = payloads.map((payload) => textOf(tx, event, payload));
    const headers = payloads.map((payload, index) =>
      this.headers(tx, event, payload, ids[index] ?? ''),
    );
    await tx.execute(INSERT, [
      tx.tenantId,
      uuidArray(ids),
      event.topic,
      textArray(payloads.map((payload) => event.key(payload))),
      jsonbArray(headers),
      textArray(texts),
    ]);
  }

  private headers<P extends object>(
    tx: TenantTx,
    event: EventDefinition<P>,
    payload: P,
    id: string,
  ): object {
    const { actorId, causationId } = tx.scope;
    return {
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: `/${event.service}`,
      ce_type: event.type,
      ce_subject: event.subject(payload),
      ce_time: formatDate(this.clock.now()),
      ce_tenantid: tx.tenantId,
      ce_correlationid: event.subject(payload),
      ...(causationId === undefined ? {} : { ce_causationid: causationId }),
      ce_actorid: actorId,
      'content-type': 'application/json',
    };
  }
}

/** Channel of the relays of a database; the message is the schema whose outbox has something. */
export const OUTBOX_CHANNEL = 'quire_outbox';

const INSERT = `with added as (
    insert into outbox (tenant_id, event_id, topic, key, headers, payload)
    select $1, r.event_id, $3, r.key, r.headers, r.payload
    from unnest($2::uuid[], $4::text[], $5::jsonb[], $6::text[]) with ordinality as r (event_id, key, headers, payload, n)
    order by r.n returning 1)
  select pg_notify('${OUTBOX_CHANNEL}', current_schema()) from (select count(*) from added) as counted`;

function textOf<P extends object>(tx: TenantTx, event: EventDefinition<P>, payload: P): string {
  const checked = checkContract(event.payload, payload);
  if ('violations' in checked) {
    const problems = checked.violations.map(
      (one) => `${one.parameters[0]?.key ?? ''} ${one.message}`,
    );
    throw new Error(`${event.name} breaks its payload class: ${problems.join('; ')}`);
  }
  if ((payload as { readonly tenantId?: string }).tenantId !== tx.tenantId)
    throw new Error(`${event.name} speaks of another tenant than its transaction.`);
  const text = JSON.stringify(payload);
  if (Buffer.byteLength(text) > PAYLOAD_BYTES_MAX)
    throw new Error(`${event.name} is over ${PAYLOAD_BYTES_MAX} bytes.`);
  return text;
}
