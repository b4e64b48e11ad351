import { Injectable } from '@nestjs/common';
import { asSystem } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';

/**
 * New keys of the GIN indexes wait in a list that every query must read from end to end (20,000 rows of it cost about 50 ms);
 * merging them many at a time is what makes writing cheap. Whoever writes many rows has them merged now and then.
 */
@Injectable()
export class PendingKeys {
  /** Merges the lists of all GIN indexes of the service. Nothing to do is done at once; so is what another is doing. */
  async merge(source: DataSource): Promise<void> {
    await asSystem(source, (system) => system.call('select merge_pending_keys()'));
  }
}
