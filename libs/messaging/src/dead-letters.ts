import type { DataSource } from 'typeorm';
import { asSystem } from '@quire/postgres/tenant';
import type { Envelope, GivenUp } from './event-bus.js';

/** Events that were given up, with the reason; kept by the service that gave up. An operator replays or discards them. */
export class DeadLetters {
  constructor(private readonly source: DataSource) {}

  add(envelope: Envelope, why: GivenUp): Promise<void> {
    return asSystem(this.source, async (system) => {
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

  list(): Promise<
    { event_id: string; topic: string; reason: string; error: string; attempts: number }[]
  > {
    return asSystem(this.source, (system) => system.call('select * from dead_letter_list()'));
  }
}
