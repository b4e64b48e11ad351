import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobErrors, type Place } from '../db/job-errors.js';
import { JobExecutions } from '../db/job-executions.js';
import { failures } from '../domain/failures.js';
import { ImportFiles } from '../files/import-files.js';

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
    const key = await readTenant(this.source, scope, async (tx) => {
      if (!(await this.jobs.view(tx, jobId))) throw failures.jobNotFound(jobId);
      const failed = await this.errors.count(tx, jobId);
      return failed > 0 ? this.chunks.objectKey(tx, jobId) : undefined;
    });
    if (key === undefined) return [];
    if (!(await this.files.exists(key))) throw failures.fileGone();
    return this.files.parts(key, this.places(scope, jobId));
  }

  /** A batch a transaction: a slow reader holds none. */
  private async *places(scope: Scope, jobId: string): AsyncGenerator<Place> {
    let after: number | undefined = -1;
    while (after !== undefined) {
      const order: number = after;
      const places = await readTenant(this.source, scope, (tx) =>
        this.errors.placesAfter(tx, jobId, order),
      );
      yield* places;
      after = places.at(-1)?.order;
    }
  }
}
