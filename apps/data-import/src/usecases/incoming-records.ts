import { buffer } from 'node:stream/consumers';
import { Injectable } from '@nestjs/common';
import type { IncomingRecord } from '@quire/contracts/job-logs';
import type { Scope } from '@quire/contracts/scope';
import type { RecordEntry } from '@quire/contracts/source-records';
import { RECORD_BYTES_MAX } from '@quire/marc/iso2709/grammar';
import { openStored, suppressFields } from '@quire/marc/iso2709/stored';
import { marcJsonText } from '@quire/marc/marc-json';
import { ObjectNotFound } from '@quire/object-store/object-store';
import { readTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobChunks, type Written } from '../db/job-chunks.js';
import { JobErrors, type ErrorRow } from '../db/job-errors.js';
import { JobExecutions } from '../db/job-executions.js';
import { frameJson } from '../domain/frame-json.js';
import { failedRecordOf } from '../domain/logged-record.js';
import { ImportFiles } from '../files/import-files.js';
import { SavedEntries } from './saved-entries.js';

/**
 * A record as it came in: of one that failed the bytes of the original file, of another the stored ones (data-import, 5.4).
 * Of a failed one at most 1 MiB, which is as long as a record can be; where reading stopped, the rest of a file of any size is
 * one frame. {@link FailedRecords} streams all of it.
 */
@Injectable()
export class IncomingRecords {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly errors: JobErrors,
    private readonly files: ImportFiles,
    private readonly saved: SavedEntries,
  ) {}

  /** Undefined when there is none, or its job is unknown or deleted. */
  async find(scope: Scope, id: string): Promise<IncomingRecord | undefined> {
    const row = await readTenant(this.source, scope, (tx) => this.errors.find(tx, id));
    if (row) return this.failed(scope, row);
    const entry = await this.saved.ofRecord(scope, id);
    if (!entry || !(await this.isKnown(scope, entry.snapshotId))) return undefined;
    return this.stored(scope, entry);
  }

  private async failed(scope: Scope, row: ErrorRow): Promise<IncomingRecord | undefined> {
    const job = await readTenant(this.source, scope, (tx) => this.jobs.view(tx, row.job_id));
    if (!job) return undefined;
    const { id, profile_name: profileName } = job;
    const logged = failedRecordOf(row, {
      id,
      tenantId: scope.tenantId,
      profileName: profileName ?? '',
    });
    const written = await this.written(scope, row);
    // A retry reads a copy; its errors speak of the original.
    const key = job.origin_key ?? written?.key;
    const frame = key === undefined ? undefined : await this.frame(key, row);
    const parsed = frame && logged.isParsed ? frameJson(frame, written ?? RAW) : undefined;
    return {
      id: row.record_id,
      jobExecutionId: id,
      recordType: logged.type ?? 'MARC_BIB',
      order: logged.order,
      ...(frame === undefined ? {} : contentOf(frame, row)),
      ...(parsed === undefined ? {} : { parsedRecordContent: parsed }),
    };
  }

  private async stored(scope: Scope, entry: RecordEntry): Promise<IncomingRecord> {
    const content = await this.saved.content(scope, entry.recordId);
    const { recordId: id, snapshotId: jobExecutionId, recordType, order } = entry;
    const facts = { id, jobExecutionId, recordType, order };
    if (!content) return facts;
    const record = openStored(content);
    // Without the field that was added when it was stored.
    const raw = suppressFields(record, { ff999: true });
    return {
      ...facts,
      rawRecordContent: (raw.failed ? content : raw.bytes).toString('utf8'),
      parsedRecordContent: marcJsonText(record),
    };
  }

  private async isKnown(scope: Scope, jobId: string): Promise<boolean> {
    const job = await readTenant(this.source, scope, (tx) => this.jobs.view(tx, jobId));
    return job !== undefined;
  }

  private async written(scope: Scope, row: ErrorRow): Promise<Written | undefined> {
    const order = Number(row.record_order);
    const found = await readTenant(this.source, scope, (tx) =>
      this.chunks.written(tx, row.job_id, [order]),
    );
    return found.get(order);
  }

  /** Undefined when the file is gone. */
  private async frame(key: string, row: ErrorRow): Promise<Buffer | undefined> {
    const start = Number(row.byte_offset);
    const end = start + Math.min(Number(row.byte_length), RECORD_BYTES_MAX);
    try {
      return await buffer(await this.files.open(key, { start, end }));
    } catch (error) {
      if (error instanceof ObjectNotFound) return undefined;
      throw error;
    }
  }
}

const RAW = { format: 'MARC_RAW' } as const;

/** The bytes as text; what was cut off inside a character is left out. */
function contentOf(
  frame: Buffer,
  row: ErrorRow,
): Pick<IncomingRecord, 'rawRecordContent' | 'truncated'> {
  if (frame.length >= Number(row.byte_length)) return { rawRecordContent: frame.toString('utf8') };
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(frame, { stream: true });
  return { rawRecordContent: text, truncated: true };
}
