import { Injectable } from '@nestjs/common';
import { uuidV5 } from '@quire/contracts/ids';
import { boolArray, int4Array, int8Array, textArray, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { UploadChunk } from '../domain/upload-chunk.js';

/** Uploads that run now: a lease, the key of their object, and the chunks found so far (data-import, 7.2). */
export interface FileUploadRow {
  readonly id: string;
  readonly file_id: string;
  readonly object_key: string;
}

const LEASE = "interval '60 seconds'";

@Injectable()
export class FileUploads {
  async begin(
    tx: TenantTx,
    upload: { id: string; fileId: string; objectKey: string },
  ): Promise<void> {
    await tx.execute(
      `insert into file_upload (tenant_id, id, file_id, object_key, lease_until) values ($1, $2, $3, $4, clock_timestamp() + ${LEASE})`,
      [tx.tenantId, upload.id, upload.fileId, upload.objectKey],
    );
  }

  /**
   * Keeps the lease, and the chunks found since the last time.
   *
   * @returns false when the upload is not ours any more: it was swept, or its file is gone
   */
  async addChunks(
    tx: TenantTx,
    uploadId: string,
    chunks: readonly UploadChunk[],
  ): Promise<boolean> {
    const ours = await tx.execute(
      `update file_upload set lease_until = clock_timestamp() + ${LEASE} where tenant_id = $1 and id = $2`,
      [tx.tenantId, uploadId],
    );
    if (ours === 0) return false;
    if (chunks.length === 0) return true;
    await tx.execute(
      `insert into upload_chunk (tenant_id, upload_id, chunk_no, byte_offset, byte_length, first_order, count, frames, refused, format, xml_context, refused_code, refused_detail, origins)
       select $1, $2, c.* from unnest($3::int4[], $4::int8[], $5::int8[], $6::int8[], $7::int4[], $8::text[], $9::bool[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
         as c (chunk_no, byte_offset, byte_length, first_order, count, frames, refused, format, xml_context, refused_code, refused_detail, origins)`,
      [
        tx.tenantId,
        uploadId,
        int4Array(chunks.map((chunk) => chunk.chunkNo)),
        int8Array(chunks.map((chunk) => chunk.offset)),
        int8Array(chunks.map((chunk) => chunk.length)),
        int8Array(chunks.map((chunk) => chunk.firstOrder)),
        int4Array(chunks.map((chunk) => chunk.count)),
        textArray(chunks.map((chunk) => chunk.frames)),
        boolArray(chunks.map((chunk) => chunk.refusal !== undefined)),
        textArray(chunks.map((chunk) => chunk.format)),
        textArray(chunks.map((chunk) => chunk.xmlContext ?? null)),
        textArray(chunks.map((chunk) => chunk.refusal?.code ?? null)),
        textArray(chunks.map((chunk) => chunk.refusal?.detail ?? null)),
        textArray(chunks.map((chunk) => chunk.origins ?? null)),
      ],
    );
    return true;
  }

  /** The chunks of the upload become those of the job, in place of any from an upload before. */
  async handOver(
    tx: TenantTx,
    upload: { readonly id: string; readonly objectKey: string },
    jobId: string,
  ): Promise<void> {
    const { id: uploadId, objectKey } = upload;
    await tx.execute('delete from job_chunk where tenant_id = $1 and job_id = $2', [
      tx.tenantId,
      jobId,
    ]);
    const numbers = await tx.query<{ chunk_no: number }>(
      'select chunk_no from upload_chunk where tenant_id = $1 and upload_id = $2',
      [tx.tenantId, uploadId],
    );
    if (numbers.length === 0) return;
    await tx.execute(
      `insert into job_chunk (tenant_id, job_id, chunk_no, id, object_key, byte_offset, byte_length, first_order, count, frames, refused,
         format, xml_context, refused_code, refused_detail, origins)
       select u.tenant_id, $3, u.chunk_no, n.id, $4, u.byte_offset, u.byte_length, u.first_order, u.count, u.frames, u.refused,
         u.format, u.xml_context, u.refused_code, u.refused_detail, u.origins
       from upload_chunk u join unnest($5::int4[], $6::uuid[]) as n (chunk_no, id) on n.chunk_no = u.chunk_no
       where u.tenant_id = $1 and u.upload_id = $2`,
      [
        tx.tenantId,
        uploadId,
        jobId,
        objectKey,
        int4Array(numbers.map((row) => row.chunk_no)),
        uuidArray(numbers.map((row) => uuidV5(jobId, `chunk:${row.chunk_no}`))),
      ],
    );
  }

  /** @returns false when it had ended before */
  async end(tx: TenantTx, uploadId: string): Promise<boolean> {
    const ended = await tx.execute('delete from file_upload where tenant_id = $1 and id = $2', [
      tx.tenantId,
      uploadId,
    ]);
    return ended > 0;
  }

  async othersRun(tx: TenantRead, fileId: string, uploadId: string): Promise<boolean> {
    const row = await tx.one(
      'select from file_upload where tenant_id = $1 and file_id = $2 and id <> $3 and lease_until > clock_timestamp() limit 1',
      [tx.tenantId, fileId, uploadId],
    );
    return row !== undefined;
  }

  /** Those whose client or process is gone. */
  dead(tx: TenantTx): Promise<FileUploadRow[]> {
    return tx.query<FileUploadRow>(
      'select id, file_id, object_key from file_upload where tenant_id = $1 and lease_until < clock_timestamp() for update skip locked',
      [tx.tenantId],
    );
  }

  /** Objects that are being written: their intents are no rubbish, however old. */
  async keys(tx: TenantRead): Promise<ReadonlySet<string>> {
    const rows = await tx.query<{ object_key: string }>(
      'select object_key from file_upload where tenant_id = $1',
      [tx.tenantId],
    );
    return new Set(rows.map((row) => row.object_key));
  }
}
