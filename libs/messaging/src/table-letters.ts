import type { ServiceName } from '@quire/contracts/scope';
import type { DataSource } from 'typeorm';
import type { DeadLetter, DeadLetterBox, HeldLetter } from './dead-letter.js';
import { DeadLetters, type DeadLetterRow } from './dead-letters.js';

/** The dead letters in the table of one service. To replay one is to put it back into the service's outbox. */
export class TableLetters implements DeadLetterBox {
  private readonly table: DeadLetters;

  /** @param source opened as the service's app role */
  constructor(
    private readonly service: ServiceName,
    source: DataSource,
  ) {
    this.table = new DeadLetters(source);
  }

  async visit(visitor: (held: HeldLetter) => Promise<void>): Promise<void> {
    for (const row of await this.table.list()) {
      await visitor({
        letter: letterOf(this.service, row),
        replay: () => this.table.replay(row),
        discard: (why) => this.table.discard(row, why),
      });
    }
  }
}

function letterOf(service: ServiceName, row: DeadLetterRow): DeadLetter {
  const { topic, key, headers, payload, reason, error, attempts } = row;
  return {
    id: row.event_id,
    service,
    type: headers['ce_type'] ?? '',
    tenantId: row.tenant_id,
    topic,
    key,
    reason,
    error,
    attempts,
    at: row.at.toISOString(),
    place: `${service.replaceAll('-', '_')}.dead_letter/${row.id}`,
    headers,
    payload,
  };
}
