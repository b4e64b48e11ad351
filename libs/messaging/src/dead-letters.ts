import type { DataSource } from 'typeorm';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { asSystem, withTenant } from '@quire/postgres/tenant';
import { TENANT_MISMATCH, type Envelope, type GivenUp } from './event-bus.js';

/** Events that were given up, with the reason; kept by the service that gave up. An operator replays or discards them. */
export class DeadLetters {
  constructor(private readonly source: DataSource) {}

  async add(envelope: Envelope, why: GivenUp): Promise<void> {
    await asSystem(this.source, async (system) => {
      await system.call(`select dead_letter_add($1, $2, $3, $4, $5, $6, $7, $8, $9)`, [
        envelope.tenantId,
        envelope.id,
        envelope.topic,
        envelope.key,
        JSON.stringify(envelope.headers),
        envelope.payload,
        why.reason,
        why.error,
        why.attempts,
      ]);
    });
    if (why.reason === TENANT_MISMATCH) await this.audit(envelope);
  }

  /** Somebody sends what does not belong to the tenant: its auditors want to know. */
  private async audit({ id, type, tenantId }: Envelope): Promise<void> {
    await withTenant(this.source, { tenantId, actorId: SYSTEM_USER_ID }, (tx) =>
      tx.execute(
        'insert into audit (tenant_id, action, subject, details) values ($1, $2, $3, $4)',
        [tx.tenantId, TENANT_MISMATCH, id, { type }],
      ),
    );
  }

  list(): Promise<
    { event_id: string; topic: string; reason: string; error: string; attempts: number }[]
  > {
    return asSystem(this.source, (system) => system.call('select * from dead_letter_list()'));
  }
}
