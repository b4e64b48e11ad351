import type { DataSource } from 'typeorm';
import { SYSTEM_USER_ID, TENANT_PATTERN } from '@quire/contracts/scope';
import { asSystem, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DISCARDED, REPLAYED } from './dead-letter.js';
import { TENANT_MISMATCH, type Envelope, type GivenUp, type GivenUpReason } from './event-bus.js';
import { OUTBOX_CHANNEL } from './outbox.js';

export interface DeadLetterRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly event_id: string;
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  readonly reason: string;
  readonly error: string;
  readonly attempts: number;
  readonly at: Date;
}

/** Events that were given up, with the reason; kept by the service that gave up. An operator replays or discards them. */
export class DeadLetters {
  /** @param count told of each, by its reason */
  constructor(
    private readonly source: DataSource,
    private readonly count: (reason: GivenUpReason) => void = () => undefined,
  ) {}

  /**
   * Stores it, and counts it once it is stored: a try that fails is made again.
   *
   * @param store where else than in the table
   */
  async keep(
    envelope: Envelope,
    why: GivenUp,
    store = () => this.add(envelope, why),
  ): Promise<void> {
    await this.audit(envelope, why);
    await store();
    this.count(why.reason);
  }

  /** Oldest first. */
  list(): Promise<DeadLetterRow[]> {
    return asSystem(this.source, (system) =>
      system.call<DeadLetterRow>('select * from dead_letter_list()'),
    );
  }

  /** Puts it back into the outbox, under its id. What stands there already is not doubled. */
  async replay(row: DeadLetterRow): Promise<void> {
    await this.settle(row, REPLAYED, {}, async (tx) => {
      const { event_id, topic, key, headers, payload } = row;
      await tx.execute(
        `insert into outbox (tenant_id, event_id, topic, key, headers, payload) values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing`,
        [tx.tenantId, event_id, topic, key, headers, payload],
      );
      await tx.query(`select pg_notify('${OUTBOX_CHANNEL}', current_schema())`);
    });
  }

  async discard(row: DeadLetterRow, why: string): Promise<void> {
    await this.settle(row, DISCARDED, { why }, () => Promise.resolve());
  }

  private async add(envelope: Envelope, why: GivenUp): Promise<void> {
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
  }

  /** When somebody sends what does not belong to the tenant, its auditors want to know. */
  private async audit({ id, type, tenantId }: Envelope, { reason }: GivenUp): Promise<void> {
    // A header may name anything, an audit row only a tenant that can exist.
    if (reason !== TENANT_MISMATCH || !TENANT_PATTERN.test(tenantId)) return;
    await withTenant(this.source, { tenantId, actorId: SYSTEM_USER_ID }, (tx) =>
      auditAct(tx, TENANT_MISMATCH, id, { type }),
    );
  }

  /** One transaction: the row goes, the audit says who of the operators' acts it was, and what follows from it. */
  private async settle(
    row: DeadLetterRow,
    action: string,
    details: object,
    work: (tx: TenantTx) => Promise<void>,
  ): Promise<void> {
    const scope = { tenantId: row.tenant_id, actorId: SYSTEM_USER_ID };
    await withTenant(this.source, scope, async (tx) => {
      // Another operator was faster: nothing is left to do.
      const taken = await tx.query('select id from dead_letter_take($1)', [[row.id]]);
      if (taken.length === 0) return;
      const about = { type: row.headers['ce_type'], topic: row.topic, reason: row.reason };
      await auditAct(tx, action, row.event_id, { ...about, ...details });
      await work(tx);
    });
  }
}

/** @param subject the event's id */
export async function auditAct(
  tx: TenantTx,
  action: string,
  subject: string,
  details: object,
): Promise<void> {
  await tx.execute(
    'insert into audit (tenant_id, action, subject, details) values ($1, $2, $3, $4)',
    [tx.tenantId, action, subject, details],
  );
}
