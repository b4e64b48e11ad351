import { Injectable } from '@nestjs/common';
import type { ChunkCounts, ChunkError } from '@quire/contracts/source-records';
import { uuidV5 } from '@quire/contracts/ids';
import { int8Array, jsonbArray, textArray, uuidArray } from '@quire/postgres/bulk';
import type { SystemCalls, TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { ChunkSums } from '../domain/job-execution.js';
import type { Candidate } from '../domain/release-score.js';

export interface ChunkRow {
  readonly id: string;
  readonly job_id: string;
  readonly chunk_no: number;
  readonly object_key: string;
  readonly byte_offset: string;
  readonly byte_length: string;
  readonly first_order: string;
  readonly count: number;
  readonly frames: string;
  readonly refused: boolean;
  readonly state: 'WAITING' | 'RELEASED' | 'DONE' | 'DROPPED';
  readonly attempt: number;
}

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
}

/** Chunks of jobs, their counts, and the errors of their failed records. */
@Injectable()
export class JobChunks {
  /** Released again when no answer came for this long. */
  static readonly LATE = "interval '60 seconds'";

  async candidates(system: SystemCalls): Promise<Candidate[]> {
    const rows = await system.call<Record<string, string>>('select * from release_candidates()');
    return rows.map((row) => ({
      tenantId: row['tenant_id'] ?? '',
      jobId: row['job_id'] ?? '',
      waiting: Number(row['waiting']),
      released: Number(row['released']),
      firstWaiting: Number(row['first_waiting'] ?? 0),
      frames: Number(row['frames']),
      minutes: Number(row['minutes']),
      inOrder: row['in_order'] as unknown as boolean,
      createdAt: new Date(row['created_at'] ?? 0).getTime(),
    }));
  }

  /** The lowest waiting chunks of a job, released. */
  async release(tx: TenantTx, jobId: string, count: number): Promise<ChunkRow[]> {
    const rows = await tx.query<ChunkRow>(
      `update job_chunk set state = 'RELEASED', released_at = clock_timestamp(), attempt = attempt + 1
       where tenant_id = $1 and job_id = $2 and chunk_no in (
         select chunk_no from job_chunk where tenant_id = $1 and job_id = $2 and state = 'WAITING' order by chunk_no limit $3)
       returning *`,
      [tx.tenantId, jobId, count],
    );
    return rows.sort((a, b) => a.chunk_no - b.chunk_no);
  }

  releaseLate(tx: TenantTx): Promise<ChunkRow[]> {
    return tx.query<ChunkRow>(
      `update job_chunk set released_at = clock_timestamp(), attempt = attempt + 1
       where tenant_id = $1 and state = 'RELEASED' and released_at < clock_timestamp() - ${JobChunks.LATE} returning *`,
      [tx.tenantId],
    );
  }

  find(tx: TenantTx, chunkId: string): Promise<ChunkRow | undefined> {
    return tx.one<ChunkRow>('select * from job_chunk where tenant_id = $1 and id = $2 for update', [
      tx.tenantId,
      chunkId,
    ]);
  }

  refused(tx: TenantRead, jobId: string): Promise<ChunkRow[]> {
    return tx.query<ChunkRow>(
      `select * from job_chunk where tenant_id = $1 and job_id = $2 and refused and state = 'WAITING'`,
      [tx.tenantId, jobId],
    );
  }

  async setDone(tx: TenantTx, chunkId: string, counts: ChunkCounts): Promise<void> {
    await tx.execute(
      `update job_chunk set state = 'DONE', created = $3, updated = $4, unchanged = $5, failed = $6, warned = $7, by_type = $8, warnings = $9
       where tenant_id = $1 and id = $2`,
      [
        tx.tenantId,
        chunkId,
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.failed,
        counts.warned,
        JSON.stringify(counts.byType),
        JSON.stringify(counts.warnings),
      ],
    );
  }

  async setDropped(tx: TenantTx, chunkId: string): Promise<void> {
    await tx.execute(`update job_chunk set state = 'DROPPED' where tenant_id = $1 and id = $2`, [
      tx.tenantId,
      chunkId,
    ]);
  }

  async dropWaiting(tx: TenantTx, jobId: string): Promise<void> {
    await tx.execute(
      `update job_chunk set state = 'DROPPED' where tenant_id = $1 and job_id = $2 and state = 'WAITING'`,
      [tx.tenantId, jobId],
    );
  }

  async removeAll(tx: TenantTx, jobId: string): Promise<void> {
    await tx.execute('delete from job_chunk where tenant_id = $1 and job_id = $2', [
      tx.tenantId,
      jobId,
    ]);
  }

  async sums(tx: TenantRead, jobId: string): Promise<ChunkSums & { warned: number }> {
    const row = await tx.one<Record<string, string>>(
      `select count(*) filter (where state in ('WAITING', 'RELEASED')) as open, coalesce(sum(created), 0) as created,
         coalesce(sum(updated), 0) as updated, coalesce(sum(unchanged), 0) as unchanged, coalesce(sum(failed), 0) as failed,
         coalesce(sum(warned), 0) as warned
       from job_chunk where tenant_id = $1 and job_id = $2`,
      [tx.tenantId, jobId],
    );
    const sum = (name: string): number => Number(row?.[name] ?? 0);
    return {
      open: sum('open'),
      created: sum('created'),
      updated: sum('updated'),
      unchanged: sum('unchanged'),
      failed: sum('failed'),
      warned: sum('warned'),
    };
  }

  async warnings(tx: TenantRead, jobId: string): Promise<Record<string, number>> {
    const rows = await tx.query<{ key: string; sum: string }>(
      `select w.key, sum(w.value::bigint) from job_chunk c cross join lateral jsonb_each_text(c.warnings) w
       where c.tenant_id = $1 and c.job_id = $2 group by w.key order by w.key`,
      [tx.tenantId, jobId],
    );
    return Object.fromEntries(rows.map((row) => [row.key, Number(row.sum)]));
  }

  async addErrors(tx: TenantTx, jobId: string, errors: readonly ChunkError[]): Promise<void> {
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

  errors(
    tx: TenantRead,
    jobId: string,
    page: { offset: number; limit: number },
  ): Promise<ErrorRow[]> {
    return tx.query<ErrorRow>(
      `select * from job_error where tenant_id = $1 and job_id = $2 order by record_order offset $3 limit $4`,
      [tx.tenantId, jobId, page.offset, page.limit],
    );
  }

  async countErrors(tx: TenantRead, jobId: string): Promise<number> {
    const row = await tx.one<{ count: string }>(
      'select count(*) from job_error where tenant_id = $1 and job_id = $2',
      [tx.tenantId, jobId],
    );
    return Number(row?.count ?? 0);
  }

  /** Where the failed records lie in the uploaded file, in its order. */
  async *errorPlaces(
    tx: TenantRead,
    jobId: string,
  ): AsyncGenerator<{ offset: number; length: number }> {
    const sql =
      'select byte_offset, byte_length from job_error where tenant_id = $1 and job_id = $2 order by record_order';
    for await (const rows of tx.cursor<{ byte_offset: string; byte_length: string }>(
      sql,
      [tx.tenantId, jobId],
      1000,
    )) {
      for (const row of rows)
        yield { offset: Number(row.byte_offset), length: Number(row.byte_length) };
    }
  }
}
