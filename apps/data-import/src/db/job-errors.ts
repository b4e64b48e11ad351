import { Injectable } from '@nestjs/common';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkError } from '@quire/contracts/source-records';
import { int8Array, jsonbArray, textArray, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

export interface ErrorRow {
  readonly record_order: string;
  readonly record_id: string;
  readonly byte_offset: string;
  readonly byte_length: string;
  readonly record_type: string | null;
  readonly code: string;
  readonly field: string | null;
  readonly detail: string | null;
  readonly title: string | null;
  readonly hrid: string | null;
  /** Codes of the warnings, the first few. */
  readonly warnings: readonly string[] | null;
}

export interface ErrorPage {
  readonly offset: number;
  readonly limit: number;
  readonly descending?: boolean;
}

export interface Place {
  readonly order: number;
  readonly offset: number;
  readonly length: number;
  readonly code: string;
}

/** Where a failed record lies in its file. */
export const placeOf = (row: ErrorRow): Place => ({
  order: Number(row.record_order),
  offset: Number(row.byte_offset),
  length: Number(row.byte_length),
  code: row.code,
});

const BATCH_ROWS = 1000;

/** Failed records only, each once, without a cap. */
@Injectable()
export class JobErrors {
  async add(tx: TenantTx, jobId: string, errors: readonly ChunkError[]): Promise<void> {
    if (errors.length === 0) return;
    await tx.execute(
      `insert into job_error (tenant_id, job_id, record_order, record_id, byte_offset, byte_length, record_type, code, field, detail, title, hrid, warnings)
       select $1, $2, e.* from unnest($3::int8[], $4::uuid[], $5::int8[], $6::int8[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::jsonb[])
         as e (record_order, record_id, byte_offset, byte_length, record_type, code, field, detail, title, hrid, warnings)
       on conflict do nothing`,
      [
        tx.tenantId,
        jobId,
        int8Array(errors.map((error) => error.o)),
        uuidArray(errors.map((error) => uuidV5(jobId, `file:${error.o}`))),
        int8Array(errors.map((error) => error.at)),
        int8Array(errors.map((error) => error.len)),
        textArray(errors.map((error) => error.t ?? null)),
        textArray(errors.map((error) => error.c)),
        textArray(errors.map((error) => error.field ?? null)),
        textArray(errors.map((error) => error.detail ?? null)),
        textArray(errors.map((error) => error.n ?? null)),
        textArray(errors.map((error) => error.h ?? null)),
        jsonbArray(errors.map((error) => error.w ?? null)),
      ],
    );
  }

  /** In the order of the file, or against it. */
  async *list(
    tx: TenantRead,
    jobId: string,
    { offset, limit, descending = false }: ErrorPage,
  ): AsyncGenerator<ErrorRow> {
    const order = descending ? 'desc' : 'asc';
    const sql = `select * from job_error where tenant_id = $1 and job_id = $2 order by record_order ${order} offset ${offset} limit ${limit}`;
    for await (const rows of tx.cursor<ErrorRow>(sql, [tx.tenantId, jobId], BATCH_ROWS))
      yield* rows;
  }

  async any(tx: TenantRead, jobId: string): Promise<boolean> {
    const row = await tx.one('select from job_error where tenant_id = $1 and job_id = $2 limit 1', [
      tx.tenantId,
      jobId,
    ]);
    return row !== undefined;
  }

  async count(tx: TenantRead, jobId: string): Promise<number> {
    const row = await tx.one<{ count: string }>(
      'select count(*) from job_error where tenant_id = $1 and job_id = $2',
      [tx.tenantId, jobId],
    );
    return Number(row?.count ?? 0);
  }

  /** The next failed records in the order of the file; by key, so that a slow reader holds no transaction. */
  after(tx: TenantRead, jobId: string, order: number): Promise<ErrorRow[]> {
    return tx.query<ErrorRow>(
      `select * from job_error where tenant_id = $1 and job_id = $2 and record_order > $3
       order by record_order limit ${BATCH_ROWS}`,
      [tx.tenantId, jobId, order],
    );
  }
}
