import { Injectable } from '@nestjs/common';
import { asSystem } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';

/**
 * A tenant may have so many records before the planner must know it. To one that it does not know each index that begins with
 * the tenant looks cheaper than the right one, and every look-up by an id reads all of them.
 */
const UNKNOWN_RECORDS_MAX = 1000;

/** What the planner knows of records and of what is derived from them. */
@Injectable()
export class Statistics {
  /** By tenant: records written by this process, and at how many of them the statistics are next due. */
  private readonly growth = new Map<string, { readonly written: number; readonly due: number }>();

  /** Takes some tenths of a second, whatever the size of the tables: it reads samples. */
  async refresh(source: DataSource): Promise<void> {
    await asSystem(source, (system) =>
      system.call('select analyze_records(), analyze_instances()'),
    );
  }

  /** Of the instance view only, when it has caught up with an import. */
  async refreshInstances(source: DataSource): Promise<void> {
    await asSystem(source, (system) => system.call('select analyze_instances()'));
  }

  /** After records were written that no import ends: new statistics at the first thousand, and with every doubling. */
  async grown(source: DataSource, tenantId: string, records: number): Promise<void> {
    const before = this.growth.get(tenantId) ?? { written: 0, due: UNKNOWN_RECORDS_MAX };
    const written = before.written + records;
    const isDue = written >= before.due;
    this.growth.set(tenantId, { written, due: isDue ? 2 * written : before.due });
    if (isDue) await this.refresh(source);
  }
}
