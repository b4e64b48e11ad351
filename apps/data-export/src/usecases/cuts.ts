import { Injectable } from '@nestjs/common';
import { uuidV5 } from '@quire/contracts/ids';
import type { TenantTx } from '@quire/postgres/tenant';
import type { IdentifiedRow } from '../db/error-logs.js';
import { Stores } from '../db/stores.js';
import { Collected, COLLECTED_MAX, DUPLICATED_IDS_MAX, logRows } from '../domain/error-codes.js';
import type { ExportJob } from '../domain/job-answer.js';
import { SLICE_IDS_MAX } from '../domain/slicing.js';
import { Fresh } from './fresh.js';
import { JobEndings } from './job-endings.js';

/** Inputs cut into slices; in the caller's transaction. */
@Injectable()
export class Cuts {
  constructor(
    private readonly stores: Stores,
    private readonly endings: JobEndings,
    private readonly fresh: Fresh,
  ) {}

  /** All slices wait at first, and the log says which lines are no ids. A job that took over slices keeps those. */
  async cut(tx: TenantTx, jobId: string): Promise<void> {
    const job = await this.stores.jobs.lock(tx, jobId);
    if (job?.status !== 'IN_PROGRESS') return;
    await this.stores.logs.add(tx, { jobId }, this.fresh.now(), await this.badLines(tx, job));
    if (!(await this.stores.slices.cut(tx, jobId))) {
      const borders = await this.stores.ids.borders(tx, job.inputId, SLICE_IDS_MAX);
      await this.stores.slices.insert(tx, jobId, borders);
    }
    await this.endings.closeWhenDone(tx, jobId);
  }

  /** Rows for lines that give no id. Ids are derived: a second run meets its own rows. */
  private async badLines(
    tx: TenantTx,
    { id: jobId, inputId, counts }: ExportJob,
  ): Promise<IdentifiedRow[]> {
    const rows: IdentifiedRow[] = [];
    const { invalid, duplicated } = counts;
    if (invalid > 0) {
      const lines = await this.stores.ids.invalidLines(tx, inputId, COLLECTED_MAX);
      const row = logRows.invalidUuids(new Collected(lines, invalid));
      rows.push({ id: uuidV5(jobId, row.code), row });
    }
    if (duplicated > 0) {
      for (const { id, n } of await this.stores.ids.repeatedIds(tx, inputId, DUPLICATED_IDS_MAX))
        rows.push({ id: uuidV5(jobId, `duplicated ${id}`), row: logRows.duplicatedId(id, n) });
    }
    return rows;
  }
}
