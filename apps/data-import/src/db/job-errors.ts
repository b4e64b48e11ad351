import { Injectable } from '@nestjs/common';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkError } from '@quire/contracts/source-record-events';
import { storable } from '@quire/contracts/storable';
import { int8Array, jsonbArray, textArray, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

export interface ErrorRow {
  readonly record_order: string;
  readonly job_id: string;
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
  readonly failed_at: Date;
  /** By which errors are sorted: the beginning of their text. */
  readonly error_key: string;
  readonly title_key: string;
}

export type ErrorSort = 'order' | 'title' | 'error';

export interface ErrorPage {
  readonly sortBy: ErrorSort;
  readonly descending: boolean;
  /** B, A or H; all without it. */
  readonly type?: string | undefined;
  /** First order, or last when descending; of the order of the file only. */
  readonly from?: number | undefined;
  /** The row that the page before ended with. */
  readonly after?: ErrorRow | undefined;
  readonly limit: number;
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

/** A list of errors that was written before its texts were cleaned may still be on its way. */
const texts = (values: readonly (string | undefined)[]): Buffer =>
  textArray(values.map((value) => (value === undefined ? null : storable(value))));

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
        texts(errors.map((error) => error.t)),
        texts(errors.map((error) => error.c)),
        texts(errors.map((error) => error.field)),
        texts(errors.map((error) => error.detail)),
        texts(errors.map((error) => error.n)),
        texts(errors.map((error) => error.h)),
        jsonbArray(errors.map((error) => error.w?.map(storable) ?? null)),
      ],
    );
  }

  /** The first of them, at most so many. @returns how many are gone */
  removeSome(tx: TenantTx, jobId: string, rowsMax: number): Promise<number> {
    return tx.execute(
      `delete from job_error where tenant_id = $1 and job_id = $2 and record_order <= (
         select max(record_order) from (select record_order from job_error
           where tenant_id = $1 and job_id = $2 order by record_order limit $3) as first)`,
      [tx.tenantId, jobId, rowsMax],
    );
  }

  /** By key from an index, so that no page costs more than another. */
  page(tx: TenantRead, jobId: string, page: ErrorPage): Promise<ErrorRow[]> {
    const { sortBy, descending, type, from, after, limit } = page;
    const params: unknown[] = [tx.tenantId, jobId];
    const bound = (value: unknown): string => `$${params.push(value)}`;
    const beyond = descending ? '<' : '>';
    const key = KEYS[sortBy];
    const where = ['e.tenant_id = $1', 'e.job_id = $2'];
    if (type !== undefined) where.push(`e.record_type = ${bound(type)}`);
    if (from !== undefined) where.push(`e.record_order ${beyond}= ${bound(from)}`);
    if (after) {
      const values = [...(key ? [after[key.name]] : []), after.record_order].map(bound);
      where.push(
        `(${[...(key ? [key.sql] : []), 'e.record_order'].join()}) ${beyond} (${values.join()})`,
      );
    }
    const order = [...(key ? [key.sql] : []), 'e.record_order']
      .map((one) => `${one} ${descending ? 'desc' : 'asc'}`)
      .join(', ');
    return tx.query<ErrorRow>(
      `${SELECT} where ${where.join(' and ')} order by ${order} limit ${limit}`,
      params,
    );
  }

  async any(tx: TenantRead, jobId: string): Promise<boolean> {
    const row = await tx.one('select from job_error where tenant_id = $1 and job_id = $2 limit 1', [
      tx.tenantId,
      jobId,
    ]);
    return row !== undefined;
  }

  /** @param type B, A or H; all without it */
  async count(tx: TenantRead, jobId: string, type?: string): Promise<number> {
    const row = await tx.one<{ count: string }>(
      `select count(*) from job_error where tenant_id = $1 and job_id = $2 ${type === undefined ? '' : 'and record_type = $3'}`,
      [tx.tenantId, jobId, ...(type === undefined ? [] : [type])],
    );
    return Number(row?.count ?? 0);
  }

  find(tx: TenantRead, recordId: string): Promise<ErrorRow | undefined> {
    return tx.one<ErrorRow>(`${SELECT} where e.tenant_id = $1 and e.record_id = $2`, [
      tx.tenantId,
      recordId,
    ]);
  }

  /** The next failed records in the order of the file; by key, so that a slow reader holds no transaction. */
  after(tx: TenantRead, jobId: string, order: number): Promise<ErrorRow[]> {
    return tx.query<ErrorRow>(
      `${SELECT} where e.tenant_id = $1 and e.job_id = $2 and e.record_order > $3
       order by e.record_order limit ${BATCH_ROWS}`,
      [tx.tenantId, jobId, order],
    );
  }
}

/** Indexes have these expressions to the letter (migration 0004). */
const ERROR_KEY = `(case e.code when 'RECORD_TYPE' then '{"message":"Error' when 'HOLDINGS_004' then '{"message":"The 004'
    when 'PROFILE_TYPE' then 'Chosen job profile' when 'EXISTING_999FF' then '{"error":"A new'
    else '{"errors":[{"name":"' || e.code end) collate "C"`;
const TITLE_KEY = `coalesce(e.title, 'No content') collate "C"`;
const KEYS = {
  order: undefined,
  title: { name: 'title_key', sql: TITLE_KEY },
  error: { name: 'error_key', sql: ERROR_KEY },
} as const;
const SELECT = `select e.*, ${ERROR_KEY} as error_key, ${TITLE_KEY} as title_key from job_error e`;
