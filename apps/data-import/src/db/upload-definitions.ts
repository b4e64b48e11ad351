import { Injectable } from '@nestjs/common';
import type { DefinitionStatus, UploadFileStatus } from '@quire/contracts/data-import';
import { int4Array, int8Array, textArray, uuidArray } from '@quire/postgres/bulk';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import type { Listing } from '@quire/postgres/pages';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { FileProblem } from '../domain/file-problem.js';

export interface DefinitionRow {
  readonly id: string;
  readonly meta_job_id: string;
  readonly status: DefinitionStatus;
  readonly processing_started: boolean;
  /** As asked for at creation: `off`, `on` or the id of a job profile; null is as the tenant has set it. */
  readonly autostart: string | null;
  /** Processing is to start with this profile. */
  readonly start_due: string | null;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
}

export interface FileRow {
  readonly id: string;
  readonly definition_id: string;
  readonly position: number;
  readonly name: string;
  readonly ui_key: string | null;
  readonly declared_kb: string | null;
  readonly job_id: string;
  readonly status: UploadFileStatus;
  readonly processed: boolean;
  readonly object_key: string | null;
  readonly bytes: string | null;
  readonly sha256: Buffer | null;
  readonly frames: string | null;
  readonly problem: FileProblem | null;
  readonly created_at: Date;
  readonly uploaded_at: Date | null;
}

export interface NewFile {
  readonly id: string;
  readonly definitionId: string;
  readonly position: number;
  readonly name: string;
  readonly uiKey?: string | undefined;
  readonly declaredKb?: number | undefined;
  readonly jobId: string;
}

export interface UploadedFile {
  readonly objectKey: string;
  readonly bytes: number;
  readonly sha256: Buffer;
  readonly frames: number;
  readonly problem: FileProblem | undefined;
}

const STATUSES = ['NEW', 'IN_PROGRESS', 'LOADED', 'COMPLETED', 'ERROR'];
const FILES = {
  from: 'upload_file f',
  where: '(f.tenant_id, f.definition_id) = (d.tenant_id, d.id)',
} as const;
const DEFINITION: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'd.id' },
    metaJobExecutionId: { type: 'uuid', sql: 'd.meta_job_id' },
    status: { type: 'enum', sql: 'd.status', values: STATUSES },
    createDate: { type: 'date', sql: 'd.created_at' },
    createdDate: { type: 'date', sql: 'd.created_at' },
    'metadata.createdDate': { type: 'date', sql: 'd.created_at' },
    'metadata.updatedDate': { type: 'date', sql: 'd.updated_at' },
    'metadata.createdByUserId': { type: 'uuid', sql: 'd.created_by' },
    'metadata.updatedByUserId': { type: 'uuid', sql: 'd.updated_by' },
    'metadata.createdByUsername': { type: 'text', sql: 'd.created_by_name' },
    'metadata.updatedByUsername': { type: 'text', sql: 'd.updated_by_name' },
    'fileDefinitions.id': { type: 'uuid', sql: 'f.id', within: FILES },
    'fileDefinitions.name': { type: 'text', sql: 'f.name', within: FILES },
    'fileDefinitions.jobExecutionId': { type: 'uuid', sql: 'f.job_id', within: FILES },
  },
};

/** @param collection as the family calls it in the text of a bad query */
export const definitionListing = (collection: 'definition' | 'uploadDefinitions'): Listing => ({
  collection,
  table: 'upload_definition',
  alias: 'd',
  columns: 'd.*',
  entity: DEFINITION,
  defaultOrder: 'd.created_at desc, d.id',
  schema: 'data_import',
});

export const CREATED_BY = 'd.created_by';

/** Of one sweep; the next takes the rest. */
const EXPIRED_MAX = 100;

@Injectable()
export class UploadDefinitions {
  async add(
    tx: TenantTx,
    definition: { id: string; metaJobId: string; autostart: string | undefined },
    userName: string,
  ): Promise<void> {
    await tx.execute(
      `insert into upload_definition (tenant_id, id, meta_job_id, status, autostart, created_by, created_by_name, updated_by, updated_by_name)
       values ($1, $2, $3, 'NEW', $4, $5, $6, $5, $6)`,
      [
        tx.tenantId,
        definition.id,
        definition.metaJobId,
        definition.autostart ?? null,
        tx.scope.actorId,
        userName,
      ],
    );
  }

  find(tx: TenantRead, id: string): Promise<DefinitionRow | undefined> {
    return tx.one<DefinitionRow>(
      'select * from upload_definition where tenant_id = $1 and id = $2',
      [tx.tenantId, id],
    );
  }

  lock(tx: TenantTx, id: string): Promise<DefinitionRow | undefined> {
    return tx.one<DefinitionRow>(
      'select * from upload_definition where tenant_id = $1 and id = $2 for update',
      [tx.tenantId, id],
    );
  }

  /** @param change.status absent: stays @param change.started never goes back to false */
  async setStatus(
    tx: TenantTx,
    id: string,
    change: {
      status: DefinitionStatus | undefined;
      started?: boolean;
      userName?: string | undefined;
    },
  ): Promise<void> {
    const { status = null, started = false, userName = null } = change;
    await tx.execute(
      `update upload_definition set status = coalesce($3, status), processing_started = processing_started or $4,
         start_due = case when $4 then null else start_due end, updated_at = greatest(now(), updated_at), updated_by = $5,
         updated_by_name = $6 where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, status, started, tx.scope.actorId, userName],
    );
  }

  async setStartDue(tx: TenantTx, id: string, profileId?: string): Promise<void> {
    await tx.execute(
      'update upload_definition set start_due = $3 where tenant_id = $1 and id = $2 and start_due is distinct from $3',
      [tx.tenantId, id, profileId ?? null],
    );
  }

  /** Those that processing is to start with and has not. */
  due(tx: TenantRead): Promise<(DefinitionRow & { readonly start_due: string })[]> {
    return tx.query(
      'select * from upload_definition where tenant_id = $1 and start_due is not null and not processing_started',
      [tx.tenantId],
    );
  }

  /** Drafts that nobody touched for so many days and of which no job has begun, the oldest first. */
  async expired(tx: TenantRead, days: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select d.id from upload_definition d
       where d.tenant_id = $1 and d.created_at < now() - make_interval(days => $2) and d.updated_at < now() - make_interval(days => $2)
         and not d.processing_started and not exists (
           select from upload_file f join job_execution j on (j.tenant_id, j.id) = (f.tenant_id, f.job_id)
           where (f.tenant_id, f.definition_id) = (d.tenant_id, d.id) and j.status not in ('NEW', 'FILE_UPLOADED', 'DISCARDED'))
       order by d.created_at limit ${EXPIRED_MAX}`,
      [tx.tenantId, days],
    );
    return rows.map((row) => row.id);
  }

  async remove(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('delete from upload_definition where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  filesOf(tx: TenantRead, definitionIds: readonly string[]): Promise<FileRow[]> {
    return tx.query<FileRow>(
      'select * from upload_file where tenant_id = $1 and definition_id = any ($2) order by position, id',
      [tx.tenantId, definitionIds],
    );
  }

  /** Each with its files, by one look for all. */
  async withFiles<R extends { readonly id: string }>(
    tx: TenantRead,
    rows: readonly R[],
  ): Promise<{ row: R; files: FileRow[] }[]> {
    const ids = rows.map((row) => row.id);
    const files = Map.groupBy(await this.filesOf(tx, ids), (file) => file.definition_id);
    return rows.map((row) => ({ row, files: files.get(row.id) ?? [] }));
  }

  async addFiles(tx: TenantTx, files: readonly NewFile[]): Promise<void> {
    if (files.length === 0) return;
    await tx.execute(
      `insert into upload_file (tenant_id, id, definition_id, position, name, ui_key, declared_kb, job_id)
       select $1, f.* from unnest($2::uuid[], $3::uuid[], $4::int4[], $5::text[], $6::text[], $7::int8[], $8::uuid[])
         as f (id, definition_id, position, name, ui_key, declared_kb, job_id)`,
      [
        tx.tenantId,
        uuidArray(files.map((file) => file.id)),
        uuidArray(files.map((file) => file.definitionId)),
        int4Array(files.map((file) => file.position)),
        textArray(files.map((file) => file.name)),
        textArray(files.map((file) => file.uiKey ?? null)),
        int8Array(files.map((file) => file.declaredKb ?? null)),
        uuidArray(files.map((file) => file.jobId)),
      ],
    );
  }

  findFile(tx: TenantRead, id: string): Promise<FileRow | undefined> {
    return tx.one<FileRow>('select * from upload_file where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  fileOfJob(tx: TenantRead, jobId: string): Promise<FileRow | undefined> {
    return tx.one<FileRow>('select * from upload_file where tenant_id = $1 and job_id = $2', [
      tx.tenantId,
      jobId,
    ]);
  }

  async renameFile(tx: TenantTx, id: string, name: string): Promise<void> {
    await tx.execute('update upload_file set name = $3 where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
      name,
    ]);
  }

  async removeFile(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('delete from upload_file where tenant_id = $1 and id = $2', [tx.tenantId, id]);
  }

  async setFileStatus(
    tx: TenantTx,
    id: string,
    from: readonly UploadFileStatus[],
    to: UploadFileStatus,
  ): Promise<void> {
    await tx.execute(
      'update upload_file set status = $3 where tenant_id = $1 and id = $2 and status = any ($4)',
      [tx.tenantId, id, to, from],
    );
  }

  async setUploaded(tx: TenantTx, id: string, file: UploadedFile): Promise<void> {
    await tx.execute(
      `update upload_file set status = 'UPLOADED', object_key = $3, bytes = $4, sha256 = $5, frames = $6, problem = $7, uploaded_at = now()
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, file.objectKey, file.bytes, file.sha256, file.frames, file.problem ?? null],
    );
  }

  async setProcessed(tx: TenantTx, fileIds: readonly string[]): Promise<void> {
    await tx.execute(
      'update upload_file set processed = true where tenant_id = $1 and id = any ($2)',
      [tx.tenantId, fileIds],
    );
  }
}
