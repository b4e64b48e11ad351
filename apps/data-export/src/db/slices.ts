import { Injectable } from '@nestjs/common';
import { int4Array, jsonbArray, textArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { SliceBorders } from './export-ids.js';

/** A slice that a worker holds; every write of the worker names the epoch of its claim. */
export interface ClaimedSlice {
  readonly tenantId: string;
  readonly jobId: string;
  readonly sliceNo: number;
  readonly epoch: number;
  /** This one included. */
  readonly attempts: number;
}

export interface SliceRange {
  readonly fromOrdinal: number;
  readonly toOrdinal: number;
  readonly ids: number;
  readonly waits: number;
  /** What opens and closes a file is written with its first and its last slice. */
  readonly first: boolean;
  readonly last: boolean;
}

/** An object of the store with what is known of its bytes. */
export interface SliceObject {
  readonly objectKey: string;
  readonly bytes: number;
  readonly sha256: Buffer;
}

export interface SliceResult extends SliceObject {
  /** Its part of the file for oversize records. */
  readonly oversize?: SliceObject & { readonly records: number };
  readonly exported: number;
  readonly notFound: number;
  readonly faulty: number;
  readonly sourceDuplicates: number;
}

export interface OutcomeRow {
  readonly ordinal: number;
  readonly class: string;
  readonly code: string | null;
  readonly message: string | null;
  /** Of the record, where it tells. */
  readonly affected: { readonly hrid?: string; readonly title?: string } | null;
}

export interface HandBack {
  readonly delayMs: number;
  /** It was one of the five tries. */
  readonly attempt: boolean;
  /** It waits for a dependency that is down. */
  readonly wait: boolean;
}

/** Which of the files of a job. */
export type FileKind = 'output' | 'oversize';

/** A finished slice as part of a file. */
export interface SlicePart extends SliceObject {
  readonly records: number;
}

@Injectable()
export class Slices {
  async insert(tx: TenantTx, jobId: string, borders: readonly SliceBorders[]): Promise<void> {
    await tx.execute(
      `insert into slice (tenant_id, job_id, slice_no, from_ordinal, to_ordinal, ids)
       select $1, $2, s.* from unnest($3::int4[], $4::int4[], $5::int4[], $6::int4[]) as s`,
      [
        tx.tenantId,
        jobId,
        int4Array(borders.map((one) => one.slice_no)),
        int4Array(borders.map((one) => one.from_ordinal)),
        int4Array(borders.map((one) => one.to_ordinal)),
        int4Array(borders.map((one) => one.ids)),
      ],
    );
  }

  /** Lets out the lowest waiting slice. */
  async release(
    tx: TenantTx,
    jobId: string,
  ): Promise<
    | { readonly sliceNo: number; readonly fromOrdinal: number; readonly toOrdinal: number }
    | undefined
  > {
    const row = await tx.one<{ slice_no: number; from_ordinal: number; to_ordinal: number }>(
      `update slice set state = 'RELEASED', run_at = clock_timestamp()
       where (tenant_id, job_id, slice_no) = (
         select tenant_id, job_id, slice_no from slice
         where tenant_id = $1 and job_id = $2 and state = 'WAITING' order by slice_no limit 1)
       returning slice_no, from_ordinal, to_ordinal`,
      [tx.tenantId, jobId],
    );
    return (
      row && {
        sliceNo: row.slice_no,
        fromOrdinal: row.from_ordinal,
        toOrdinal: row.to_ordinal,
      }
    );
  }

  /** What to do; undefined when the claim is over. */
  async range(tx: TenantRead, claimed: ClaimedSlice): Promise<SliceRange | undefined> {
    const row = await tx.one<{
      from_ordinal: number;
      to_ordinal: number;
      ids: number;
      waits: number;
      slices: number;
    }>(
      `select from_ordinal, to_ordinal, ids, waits,
         (select max(slice_no) + 1 from slice where tenant_id = $1 and job_id = $2) as slices
       from slice where ${HELD}`,
      held(claimed),
    );
    return (
      row && {
        fromOrdinal: row.from_ordinal,
        toOrdinal: row.to_ordinal,
        ids: row.ids,
        waits: row.waits,
        first: claimed.sliceNo === 0,
        last: claimed.sliceNo === row.slices - 1,
      }
    );
  }

  /** @returns false when somebody else has the slice: nothing may be written then */
  async finish(tx: TenantTx, claimed: ClaimedSlice, result: SliceResult): Promise<boolean> {
    const finished = await tx.execute(
      `update slice set state = 'DONE', run_at = null, lease_owner = null, lease_until = null, object_key = $5, bytes = $6,
         sha256 = $7, exported = $8, not_found = $9, faulty = $10, source_duplicates = $11, oversize_key = $12, oversize_bytes = $13, oversize_sha256 = $14,
         oversize_records = $15 where ${HELD}`,
      [
        ...held(claimed),
        result.objectKey,
        result.bytes,
        result.sha256,
        result.exported,
        result.notFound,
        result.faulty,
        result.sourceDuplicates,
        result.oversize?.objectKey ?? null,
        result.oversize?.bytes ?? null,
        result.oversize?.sha256 ?? null,
        result.oversize?.records ?? 0,
      ],
    );
    return finished === 1;
  }

  /** Gives the slice back, to be claimed after `delayMs`. What was no attempt is not counted as one. */
  async handBack(
    tx: TenantTx,
    claimed: ClaimedSlice,
    { delayMs, attempt, wait }: HandBack,
  ): Promise<void> {
    await tx.execute(
      `update slice set lease_owner = null, lease_until = null, run_at = clock_timestamp() + make_interval(secs => $5),
         attempts = attempts - $6, waits = waits + $7 where ${HELD}`,
      [...held(claimed), delayMs / 1000, attempt ? 0 : 1, wait ? 1 : 0],
    );
  }

  /** @returns false when somebody else has the slice */
  async renew(tx: TenantTx, claimed: ClaimedSlice, leaseMs: number): Promise<boolean> {
    const renewed = await tx.execute(
      `update slice set lease_until = clock_timestamp() + make_interval(secs => $5) where ${HELD}`,
      [...held(claimed), leaseMs / 1000],
    );
    return renewed === 1;
  }

  /** Nothing of the job runs or waits any more; a worker that still does can change nothing. */
  async drop(tx: TenantTx, jobId: string): Promise<void> {
    await tx.execute(
      `update slice set state = 'DROPPED', run_at = null, lease_owner = null, lease_until = null,
         lease_epoch = lease_epoch + 1
       where tenant_id = $1 and job_id = $2 and state in ('WAITING', 'RELEASED')`,
      [tx.tenantId, jobId],
    );
  }

  async addOutcomes(
    tx: TenantTx,
    claimed: ClaimedSlice,
    rows: readonly OutcomeRow[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await tx.execute(
      `insert into export_outcome (tenant_id, job_id, slice_no, ordinal, class, code, message, affected)
       select $1, $2, $3, o.* from unnest($4::int4[], $5::text[], $6::text[], $7::text[], $8::jsonb[]) as o`,
      [
        tx.tenantId,
        claimed.jobId,
        claimed.sliceNo,
        int4Array(rows.map((row) => row.ordinal)),
        textArray(rows.map((row) => row.class)),
        textArray(rows.map((row) => row.code)),
        textArray(rows.map((row) => row.message)),
        jsonbArray(rows.map((row) => row.affected)),
      ],
    );
  }

  /** Ids that were not found, in the order of their lines. */
  async notFoundIds(
    tx: TenantRead,
    jobId: string,
    inputId: string,
    rowsMax: number,
  ): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select e.id from export_outcome o
       join export_id e on (e.tenant_id, e.input_id, e.ordinal) = (o.tenant_id, $3, o.ordinal)
       where o.tenant_id = $1 and o.job_id = $2 and o.class = 'NOT_FOUND' order by o.ordinal limit $4`,
      [tx.tenantId, jobId, inputId, rowsMax],
    );
    return rows.map((row) => row.id);
  }

  async open(tx: TenantRead, jobId: string): Promise<number> {
    const row = await tx.one<{ n: number }>(
      `select count(*)::int as n from slice where tenant_id = $1 and job_id = $2 and state in ('WAITING', 'RELEASED')`,
      [tx.tenantId, jobId],
    );
    return row?.n ?? 0;
  }

  /** Has the input of the job been cut already? */
  async cut(tx: TenantRead, jobId: string): Promise<boolean> {
    const sql = 'select from slice where tenant_id = $1 and job_id = $2 limit 1';
    return (await tx.one(sql, [tx.tenantId, jobId])) !== undefined;
  }

  /** A file in its order. */
  async parts(tx: TenantRead, jobId: string, kind: FileKind): Promise<SlicePart[]> {
    const rows = await tx.query<{
      object_key: string;
      bytes: string;
      sha256: Buffer;
      records: number;
    }>(`${PARTS[kind]} order by slice_no`, [tx.tenantId, jobId]);
    return rows.map((row) => ({
      objectKey: row.object_key,
      bytes: Number(row.bytes),
      sha256: row.sha256,
      records: row.records,
    }));
  }
}

const PARTS: Readonly<Record<FileKind, string>> = {
  output: `select object_key, bytes, sha256, exported - oversize_records as records from slice
    where tenant_id = $1 and job_id = $2 and state = 'DONE'`,
  oversize: `select oversize_key as object_key, oversize_bytes as bytes, oversize_sha256 as sha256,
      oversize_records as records from slice
    where tenant_id = $1 and job_id = $2 and state = 'DONE' and oversize_key is not null`,
};

const HELD = `tenant_id = $1 and job_id = $2 and slice_no = $3 and lease_epoch = $4 and state = 'RELEASED'`;

const held = ({ tenantId, jobId, sliceNo, epoch }: ClaimedSlice): unknown[] => [
  tenantId,
  jobId,
  sliceNo,
  epoch,
];
