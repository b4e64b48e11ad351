import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks, type ReadObject, type Written } from '../db/job-chunks.js';
import { JobErrors, placeOf, type ErrorRow, type Place } from '../db/job-errors.js';
import { JobExecutions, type JobRow } from '../db/job-executions.js';
import { CSV_HEAD, csvRow } from '../domain/failed-csv.js';
import { failures } from '../domain/failures.js';
import type { FileFormat } from '../domain/upload-chunk.js';
import { ImportFiles } from '../files/import-files.js';
import { failedFile, type FailedFrame } from '../pipeline/failed-frames.js';

/** Of a failed record: its place, its code, and how it is written there. */
export type FailedPlace = Place & Partial<Written>;

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

  /**
   * One file of them that can be read again. Without a format it is that of the job's own file.
   *
   * @throws Failure 404 when there is no such job, it has no file of that format, or the file is gone
   */
  async file(
    scope: Scope,
    jobId: string,
    wanted?: FileFormat,
  ): Promise<{ format: FileFormat; bytes: AsyncIterable<Buffer> }> {
    const { objects, any } = await readTenant(this.source, scope, async (tx) => {
      const job = await this.find(tx, jobId);
      return { objects: await this.objectsOf(tx, job), any: await this.errors.any(tx, jobId) };
    });
    const format = wanted ?? objects[0]?.format ?? 'MARC_RAW';
    const files = objects.filter((one) => one.format === format);
    if (wanted !== undefined && files.length === 0) throw failures.otherForm(jobId);
    // The kept file is not asked for when nothing of it is wanted.
    for (const { key } of any ? files : [])
      if (!(await this.files.exists(key))) throw failures.fileGone();
    return { format, bytes: failedFile(format, this.frames(scope, jobId, objects, files)) };
  }

  /** One line a failed record. @throws Failure 404 when there is no such job */
  async csv(scope: Scope, jobId: string): Promise<AsyncIterable<string>> {
    const job = await readTenant(this.source, scope, (tx) => this.find(tx, jobId));
    const about = { jobId, profileName: job.profile_name ?? '' };
    const batches = this.batches(scope, jobId);
    return (async function* lines() {
      yield CSV_HEAD;
      for await (const rows of batches) yield rows.map((row) => csvRow(row, about)).join('');
    })();
  }

  /** Where they stand and how they are written there, in the order of the file. */
  async *places(scope: Scope, jobId: string): AsyncGenerator<FailedPlace> {
    const objects = await readTenant(this.source, scope, (tx) => this.chunks.objects(tx, jobId));
    const isRaw = objects.every(({ format }) => format === 'MARC_RAW');
    for await (const rows of this.batches(scope, jobId)) {
      const places = rows.map(placeOf);
      // Nothing stands around a frame of ISO 2709.
      const written = isRaw ? undefined : await this.written(scope, jobId, places);
      for (const place of places) yield { ...place, ...written?.get(place.order) };
    }
  }

  private written(
    scope: Scope,
    jobId: string,
    places: readonly Place[],
  ): Promise<ReadonlyMap<number, Written>> {
    const orders = places.map(({ order }) => order);
    return readTenant(this.source, scope, (tx) => this.chunks.written(tx, jobId, orders));
  }

  /** Each in a transaction of its own: a slow reader holds none. */
  private async *batches(scope: Scope, jobId: string): AsyncGenerator<ErrorRow[]> {
    let after: number | undefined = -1;
    while (after !== undefined) {
      const order: number = after;
      const rows = await readTenant(this.source, scope, (tx) =>
        this.errors.after(tx, jobId, order),
      );
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      after = last && Number(last.record_order);
    }
  }

  private async *frames(
    scope: Scope,
    jobId: string,
    all: readonly ReadObject[],
    wanted: readonly ReadObject[],
  ): AsyncGenerator<FailedFrame> {
    for (const object of wanted) {
      const end = all[all.indexOf(object) + 1]?.firstOrder ?? Infinity;
      const places = within(this.places(scope, jobId), object.firstOrder, end);
      let begins = true;
      for await (const { place, bytes, ends } of this.files.pieces(object.key, places)) {
        yield { bytes, xmlContext: place.xmlContext, begins, ends };
        begins = ends;
      }
    }
  }

  /** The objects in which the places of its errors are counted. */
  private async objectsOf(tx: TenantRead, job: JobRow): Promise<ReadObject[]> {
    const objects = await this.chunks.objects(tx, job.id);
    const [first] = objects;
    return first && job.origin_key !== null ? [{ ...first, key: job.origin_key }] : objects;
  }

  private async find(tx: TenantRead, jobId: string): Promise<JobRow> {
    const job = await this.jobs.view(tx, jobId);
    if (!job) throw failures.jobNotFound(jobId);
    return job;
  }
}

/** Those with an order from `from` on, below `end`. */
async function* within<P extends Place>(
  places: AsyncIterable<P>,
  from: number,
  end: number,
): AsyncGenerator<P> {
  for await (const place of places) {
    if (place.order >= end) return;
    if (place.order >= from) yield place;
  }
}
