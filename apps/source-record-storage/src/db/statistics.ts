import { Injectable } from '@nestjs/common';
import { asSystem } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';

/** What the planner knows of the tables of records. */
@Injectable()
export class Statistics {
  /** Takes some tenths of a second, whatever the size of the tables: it reads samples. */
  async refresh(source: DataSource): Promise<void> {
    await asSystem(source, (system) => system.call('select analyze_records()'));
  }
}
