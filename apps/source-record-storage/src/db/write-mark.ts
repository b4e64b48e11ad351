import { Injectable } from '@nestjs/common';
import { asSystem, type TenantTx } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';

/**
 * The safe watermark of streams (source-record-storage, section 6): no change dated before it can become visible after a
 * stream has taken its snapshot, so a client that asks `updatedAfter=<Date of the last answer>` misses nothing.
 *
 * A transaction that writes records first marks its session with an application name, which others see at once and which
 * Postgres takes back after the commit is visible. Its records are dated by their statement, which comes after the mark. So
 * a watermark taken before the mark lies before their date, and one taken after it sees the transaction's start and lies
 * before that.
 */
const MARK = 'srs-write';

@Injectable()
export class WriteMark {
  /** Before the first record is written. */
  async set(tx: TenantTx): Promise<void> {
    await tx.execute(`select set_config('application_name', $1, true)`, [MARK]);
  }

  /** To be taken before the snapshot of the data. Whole seconds, because `Date` has no fractions. */
  watermark(source: DataSource): Promise<Date> {
    return asSystem(source, async (system) => {
      const [row] = await system.call<{ watermark: Date }>(
        `select date_trunc('second', least(clock_timestamp(), min(xact_start))) as watermark from pg_stat_activity
         where datname = current_database() and usename = current_user and application_name = $1`,
        [MARK],
      );
      if (!row) throw new Error('An aggregate has no row.');
      return row.watermark;
    });
  }
}
