import { Injectable } from '@nestjs/common';
import type { FileStatus, IdType } from '@quire/contracts/data-export';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { Stamps } from '../domain/job-answer.js';
import { STAMP_COLUMNS, stampsOf, stampValues, type StampRow } from './stamps.js';

/** A file definition as it is kept. */
export interface FileDefinitionRecord {
  readonly id: string;
  readonly fileName: string;
  readonly sizeKilobytes?: number;
  readonly uploadFormat: 'csv' | 'cql';
  readonly idType?: IdType;
  readonly status: FileStatus;
  readonly jobId: string;
  readonly sourcePath?: string;
  readonly inputId?: string;
  /** Of the outputs made from it. */
  readonly baseName: string;
  readonly query?: string;
  readonly lines: InputCounts;
  /** An upload that stopped without saying so gives its definition back. */
  readonly leaseOver: boolean;
  readonly stamps: Stamps;
}

export interface InputCounts {
  /** Non-blank lines. */
  readonly total: number;
  readonly blank: number;
  readonly invalid: number;
  readonly duplicated: number;
}

export const NO_LINES: InputCounts = { total: 0, blank: 0, invalid: 0, duplicated: 0 };

interface Row extends StampRow {
  readonly id: string;
  readonly file_name: string;
  readonly size_kb: string | null;
  readonly upload_format: 'csv' | 'cql';
  readonly id_type: IdType | null;
  readonly status: FileStatus;
  readonly job_id: string;
  readonly source_path: string | null;
  readonly input_id: string | null;
  readonly base_name: string;
  readonly query: string | null;
  readonly lines: number;
  readonly blank: number;
  readonly invalid: number;
  readonly duplicated: number;
  readonly lease_over: boolean;
}

export interface UploadBegun {
  readonly inputId: string;
  readonly sourcePath: string;
  readonly objectKey: string;
}

export interface UploadedInput {
  readonly lines: InputCounts;
  readonly objectKey?: string;
  readonly bytes: number;
  readonly sha256?: Buffer;
  readonly query?: string;
}

const SELECT = `select id, file_name, size_kb, upload_format, id_type, status, job_id, source_path, input_id, base_name, query,
  lines, blank, invalid, duplicated, coalesce(lease_until < clock_timestamp(), true) as lease_over, ${STAMP_COLUMNS}
  from file_definition where tenant_id = $1 and id = $2`;

@Injectable()
export class FileDefinitions {
  async find(tx: TenantRead, id: string): Promise<FileDefinitionRecord | undefined> {
    const row = await tx.one<Row>(SELECT, [tx.tenantId, id]);
    return row && recordOf(row);
  }

  /** Nobody else starts an upload or an export of it meanwhile. */
  async lock(tx: TenantTx, id: string): Promise<FileDefinitionRecord | undefined> {
    const row = await tx.one<Row>(`${SELECT} for update`, [tx.tenantId, id]);
    return row && recordOf(row);
  }

  /** @returns false when the id is taken */
  async insert(tx: TenantTx, made: Omit<FileDefinitionRecord, 'leaseOver'>): Promise<boolean> {
    const added = await tx.execute(
      `insert into file_definition (tenant_id, id, file_name, size_kb, upload_format, id_type, status, job_id, source_path,
         input_id, base_name, query, lines, blank, invalid, duplicated, ${STAMP_COLUMNS})
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
       on conflict do nothing`,
      [
        tx.tenantId,
        made.id,
        made.fileName,
        made.sizeKilobytes ?? null,
        made.uploadFormat,
        made.idType ?? null,
        made.status,
        made.jobId,
        made.sourcePath ?? null,
        made.inputId ?? null,
        made.baseName,
        made.query ?? null,
        made.lines.total,
        made.lines.blank,
        made.lines.invalid,
        made.lines.duplicated,
        ...stampValues(made.stamps),
      ],
    );
    return added === 1;
  }

  async beginUpload(tx: TenantTx, id: string, upload: UploadBegun): Promise<void> {
    await tx.execute(
      `update file_definition set status = 'IN_PROGRESS', input_id = $3, source_path = $4, object_key = $5,
         lease_until = clock_timestamp() + interval '30 s' where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, upload.inputId, upload.sourcePath, upload.objectKey],
    );
  }

  /** @returns false when another upload has taken over */
  async renewUpload(tx: TenantTx, id: string, inputId: string): Promise<boolean> {
    const renewed = await tx.execute(
      `update file_definition set lease_until = clock_timestamp() + interval '30 s'
       where tenant_id = $1 and id = $2 and input_id = $3 and status = 'IN_PROGRESS'`,
      [tx.tenantId, id, inputId],
    );
    return renewed === 1;
  }

  /** @returns false when another upload has taken over */
  async endUpload(
    tx: TenantTx,
    upload: { readonly id: string; readonly inputId: string },
    input: UploadedInput,
    by: Stamps,
  ): Promise<boolean> {
    const { lines } = input;
    const ended = await tx.execute(
      `update file_definition set status = 'COMPLETED', lease_until = null, object_key = $4, bytes = $5, sha256 = $6,
         query = $7, lines = $8, blank = $9, invalid = $10, duplicated = $11,
         updated_at = $12, updated_by = $13, updated_by_name = $14
       where tenant_id = $1 and id = $2 and input_id = $3 and status = 'IN_PROGRESS'`,
      [
        tx.tenantId,
        upload.id,
        upload.inputId,
        input.objectKey ?? null,
        input.bytes,
        input.sha256 ?? null,
        input.query ?? null,
        lines.total,
        lines.blank,
        lines.invalid,
        lines.duplicated,
        by.updatedAt,
        by.updatedBy,
        by.updatedByName,
      ],
    );
    return ended === 1;
  }

  async failUpload(tx: TenantTx, id: string, inputId: string): Promise<void> {
    await tx.execute(
      `update file_definition set status = 'ERROR', lease_until = null, object_key = null
       where tenant_id = $1 and id = $2 and input_id = $3 and status = 'IN_PROGRESS'`,
      [tx.tenantId, id, inputId],
    );
  }

  /** Is an upload still writing this object? */
  async isWriting(tx: TenantRead, objectKey: string): Promise<boolean> {
    const row = await tx.one(
      `select from file_definition
       where tenant_id = $1 and object_key = $2 and status = 'IN_PROGRESS' and lease_until > clock_timestamp()`,
      [tx.tenantId, objectKey],
    );
    return row !== undefined;
  }

  /** Uploads whose process is gone: they become `ERROR`, which takes another upload. */
  abandoned(tx: TenantTx): Promise<{ id: string; input_id: string }[]> {
    return tx.query(
      `update file_definition set status = 'ERROR', lease_until = null
       where tenant_id = $1 and status = 'IN_PROGRESS' and lease_until < clock_timestamp() returning id, input_id`,
      [tx.tenantId],
    );
  }

  /** Shows the new job, if it was the old one that it showed. */
  async replaceJob(
    tx: TenantTx,
    id: string,
    { from, to }: { readonly from: string; readonly to: string },
  ): Promise<void> {
    await tx.execute(
      'update file_definition set job_id = $4 where tenant_id = $1 and id = $2 and job_id = $3',
      [tx.tenantId, id, from, to],
    );
  }

  async setJob(tx: TenantTx, id: string, jobId: string): Promise<void> {
    await tx.execute('update file_definition set job_id = $3 where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
      jobId,
    ]);
  }
}

function recordOf(row: Row): FileDefinitionRecord {
  return {
    id: row.id,
    fileName: row.file_name,
    ...(row.size_kb === null ? {} : { sizeKilobytes: Number(row.size_kb) }),
    uploadFormat: row.upload_format,
    ...(row.id_type === null ? {} : { idType: row.id_type }),
    status: row.status,
    jobId: row.job_id,
    ...(row.source_path === null ? {} : { sourcePath: row.source_path }),
    ...(row.input_id === null ? {} : { inputId: row.input_id }),
    baseName: row.base_name,
    ...(row.query === null ? {} : { query: row.query }),
    lines: {
      total: row.lines,
      blank: row.blank,
      invalid: row.invalid,
      duplicated: row.duplicated,
    },
    leaseOver: row.lease_over,
    stamps: stampsOf(row),
  };
}
