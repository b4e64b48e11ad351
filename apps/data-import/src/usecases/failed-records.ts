import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobErrors, placeOf, type ErrorRow, type Place } from '../db/job-errors.js';
import { JobExecutions, type JobView } from '../db/job-executions.js';
import { CSV_HEAD, csvRow } from '../domain/failed-csv.js';
import { failures } from '../domain/failures.js';
import { ImportFiles, type Piece } from '../files/import-files.js';

/**
 * The failed records of a job, each exactly as received, in the order of the file (data-import, 14, 4). They are cut out of the
 * uploaded file, which is kept also when its definition has let go of it.
 */
@Injectable()
export class FailedRecords {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly errors: JobErrors,
    private readonly files: ImportFiles,
  ) {}

  /** Nothing when no record failed. @throws Failure 404 when there is no such job, or its file is gone */
  async bytes(scope: Scope, jobId: string): Promise<AsyncIterable<Buffer> | readonly []> {
    const objects = await readTenant(this.source, scope, async (tx) => {
      const job = await this.find(tx, jobId);
      return (await this.errors.any(tx, jobId)) ? this.objectsOf(tx, job) : [];
    });
    for (const { key } of objects) if (!(await this.files.exists(key))) throw failures.fileGone();
    return onlyBytes(this.pieces(scope, jobId, objects));
  }

  /** One line a failed record. @throws Failure 404 when there is no such job */
  async csv(scope: Scope, jobId: string): Promise<AsyncIterable<string>> {
    const job = await readTenant(this.source, scope, (tx) => this.find(tx, jobId));
    const about = { jobId, profileName: job.profile_name ?? '' };
    const rows = this.rows(scope, jobId);
    return (async function* lines() {
      yield CSV_HEAD;
      for await (const row of rows) yield csvRow(row, about);
    })();
  }

  /** Failed records in the order of the file, a batch a transaction: a slow reader holds none. */
  async *rows(scope: Scope, jobId: string): AsyncGenerator<ErrorRow> {
    let after: number | undefined = -1;
    while (after !== undefined) {
      const order: number = after;
      const rows = await readTenant(this.source, scope, (tx) =>
        this.errors.after(tx, jobId, order),
      );
      yield* rows;
      const last = rows.at(-1);
      after = last && Number(last.record_order);
    }
  }

  /** The objects in which the places of its errors are counted. */
  async objectsOf(tx: TenantRead, job: JobView): Promise<{ key: string; firstOrder: number }[]> {
    if (job.origin_key !== null) return [{ key: job.origin_key, firstOrder: 0 }];
    return this.chunks.objects(tx, job.id);
  }

  private async *pieces(
    scope: Scope,
    jobId: string,
    objects: readonly { key: string; firstOrder: number }[],
  ): AsyncGenerator<Piece<Place>> {
    for (const [index, { key, firstOrder }] of objects.entries()) {
      const end = objects[index + 1]?.firstOrder ?? Infinity;
      const places = this.places(scope, jobId, { from: firstOrder, end });
      yield* this.files.pieces(key, places);
    }
  }

  private async *places(
    scope: Scope,
    jobId: string,
    { from, end }: { from: number; end: number },
  ): AsyncGenerator<Place> {
    for await (const row of this.rows(scope, jobId)) {
      const place = placeOf(row);
      if (place.order >= end) return;
      if (place.order >= from) yield place;
    }
  }

  private async find(tx: TenantRead, jobId: string): Promise<JobView> {
    const job = await this.jobs.view(tx, jobId);
    if (!job) throw failures.jobNotFound(jobId);
    return job;
  }
}

async function* onlyBytes(pieces: AsyncIterable<Piece<Place>>): AsyncGenerator<Buffer> {
  for await (const { bytes } of pieces) yield bytes;
}
