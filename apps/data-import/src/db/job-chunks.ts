import { Injectable } from '@nestjs/common';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkCounts } from '@quire/contracts/source-record-events';
import { int4Array, int8Array, uuidArray } from '@quire/postgres/bulk';
import type { SystemCalls, TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { ChunkSums } from '../domain/job-execution.js';
import type { Candidate } from '../domain/release-score.js';
import type { FileFormat } from '../domain/upload-chunk.js';

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
  readonly format: FileFormat;
  readonly xml_context: string | null;
  readonly refused: boolean;
  /** Null also for those that are too large and were framed before reasons were kept. */
  readonly refused_code: string | null;
  readonly refused_detail: string | null;
  readonly origins: string | null;
  readonly state: 'WAITING' | 'RELEASED' | 'DONE' | 'DROPPED';
  readonly attempt: number;
}

/** An entry of the log, found by its chunk. */
export interface EntryPlace {
  /** Order of the first frame of the chunk, of the last when descending. */
  readonly from: number;
  /** Entries of the chunk before it. */
  readonly skip: number;
}

interface CandidateRow {
  readonly tenant_id: string;
  readonly job_id: string;
  readonly waiting: string;
  readonly released: string;
  readonly first_waiting: number | null;
  readonly frames: string;
  readonly minutes: number;
  readonly in_order: boolean;
  readonly created_at: Date;
}

/** A file that a job reads. */
export interface ReadObject {
  readonly key: string;
  readonly format: FileFormat;
  readonly firstOrder: number;
}

/** How a frame is written in its file. */
export interface Written {
  readonly format: FileFormat;
  /** MARCXML: start tags of the elements around it, with their namespaces. */
  readonly xmlContext?: string;
  /** The object in which it stands. */
  readonly key: string;
}

/** Released again when no answer came for this long. */
const lateBy = (ms: string): string =>
  `state = 'RELEASED' and released_at < clock_timestamp() - ${ms} * interval '1 millisecond'`;

/** Chunks of jobs and their counts. Rows are changed under the lock of their job's row. */
@Injectable()
export class JobChunks {
  async candidates(system: SystemCalls): Promise<Candidate[]> {
    const rows = await system.call<CandidateRow>('select * from release_candidates()');
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      jobId: row.job_id,
      waiting: Number(row.waiting),
      released: Number(row.released),
      firstWaiting: row.first_waiting ?? 0,
      frames: Number(row.frames),
      minutes: row.minutes,
      inOrder: row.in_order,
      createdAt: row.created_at.getTime(),
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

  /** Jobs with a chunk whose answer is so late, ended ones too: the answer is counted. */
  async lateJobs(tx: TenantRead, ms: number): Promise<string[]> {
    const rows = await tx.query<{ job_id: string }>(
      `select distinct job_id from job_chunk where tenant_id = $1 and ${lateBy('$2')}`,
      [tx.tenantId, ms],
    );
    return rows.map((row) => row.job_id);
  }

  /** Under the lock of the job, as every change of its chunks. */
  releaseLate(tx: TenantTx, jobId: string, ms: number): Promise<ChunkRow[]> {
    return tx.query<ChunkRow>(
      `update job_chunk set released_at = clock_timestamp(), attempt = attempt + 1
       where tenant_id = $1 and job_id = $2 and ${lateBy('$3')} returning *`,
      [tx.tenantId, jobId, ms],
    );
  }

  /** How the frames with these orders are written; those that framing refused as the frames before them. */
  async written(
    tx: TenantRead,
    jobId: string,
    orders: readonly number[],
  ): Promise<ReadonlyMap<number, Written>> {
    const rows = await tx.query<
      Pick<ChunkRow, 'format' | 'xml_context' | 'object_key'> & { o: string }
    >(
      `select e.o, c.format, c.xml_context, c.object_key from unnest($3::int8[]) as e (o) cross join lateral (
         select format, xml_context, object_key from job_chunk where tenant_id = $1 and job_id = $2 and first_order <= e.o
         order by first_order desc limit 1) c`,
      [tx.tenantId, jobId, int8Array(orders)],
    );
    return new Map(
      rows.map(({ o, format, xml_context: context, object_key: key }) => [
        Number(o),
        { format, key, ...(context === null ? {} : { xmlContext: context }) },
      ]),
    );
  }

  /** The chunks of one job become those of another too, behind those it has, as if nothing had been done with them. */
  async copy(
    tx: TenantTx,
    from: string,
    to: { readonly jobId: string; readonly firstChunk: number; readonly firstOrder: number },
  ): Promise<number> {
    const numbers = await tx.query<{ chunk_no: number }>(
      'select chunk_no from job_chunk where tenant_id = $1 and job_id = $2',
      [tx.tenantId, from],
    );
    if (numbers.length === 0) return 0;
    return tx.execute(
      `insert into job_chunk (tenant_id, job_id, chunk_no, id, object_key, byte_offset, byte_length, first_order, count, frames, refused,
         format, xml_context, refused_code, refused_detail)
       select c.tenant_id, $3, c.chunk_no + $4, n.id, c.object_key, c.byte_offset, c.byte_length, c.first_order + $5, c.count, c.frames, c.refused,
         c.format, c.xml_context, c.refused_code, c.refused_detail
       from job_chunk c join unnest($6::int4[], $7::uuid[]) as n (chunk_no, id) on n.chunk_no = c.chunk_no
       where c.tenant_id = $1 and c.job_id = $2`,
      [
        tx.tenantId,
        from,
        to.jobId,
        to.firstChunk,
        to.firstOrder,
        int4Array(numbers.map((row) => row.chunk_no)),
        uuidArray(numbers.map((row) => uuidV5(to.jobId, `chunk:${row.chunk_no + to.firstChunk}`))),
      ],
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

  /** The first of them, at most so many. @returns how many are gone */
  removeSome(tx: TenantTx, jobId: string, rowsMax: number): Promise<number> {
    return tx.execute(
      `delete from job_chunk where tenant_id = $1 and job_id = $2 and chunk_no <= (
         select max(chunk_no) from (select chunk_no from job_chunk
           where tenant_id = $1 and job_id = $2 order by chunk_no limit $3) as first)`,
      [tx.tenantId, jobId, rowsMax],
    );
  }

  async sums(tx: TenantRead, jobId: string): Promise<ChunkSums> {
    const row = await tx.one<Record<string, string>>(
      `select count(*) filter (where state in ('WAITING', 'RELEASED')) as open,
         count(*) filter (where state = 'DROPPED') as dropped, coalesce(sum(created), 0) as created,
         coalesce(sum(updated), 0) as updated, coalesce(sum(unchanged), 0) as unchanged, coalesce(sum(failed), 0) as failed,
         coalesce(sum(warned), 0) as warned
       from job_chunk where tenant_id = $1 and job_id = $2`,
      [tx.tenantId, jobId],
    );
    const sum = (name: string): number => Number(row?.[name] ?? 0);
    return {
      open: sum('open'),
      dropped: sum('dropped'),
      created: sum('created'),
      updated: sum('updated'),
      unchanged: sum('unchanged'),
      failed: sum('failed'),
      warned: sum('warned'),
    };
  }

  /**
   * Where an entry of the log lies: every frame of a chunk that is done has exactly one. Undefined past the end.
   *
   * @param offset of the entry, from the end when descending
   */
  async placeOf(
    tx: TenantRead,
    jobId: string,
    { offset, descending }: { readonly offset: number; readonly descending: boolean },
  ): Promise<EntryPlace | undefined> {
    const row = await tx.one<{ first_order: string; count: number; before: string }>(
      `select c.first_order, c.count, c.before from (
         select first_order, count, handled, sum(handled) over (order by first_order ${descending ? 'desc' : 'asc'}) - handled as before
         from (select first_order, count, created + updated + unchanged + failed as handled from job_chunk
           where tenant_id = $1 and job_id = $2 and state = 'DONE') d) c
       where c.before <= $3 and c.before + c.handled > $3`,
      [tx.tenantId, jobId, offset],
    );
    if (!row) return undefined;
    const first = Number(row.first_order);
    return {
      from: descending ? first + row.count - 1 : first,
      skip: offset - Number(row.before),
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

  /** Records by type, B, A or H. */
  async byType(tx: TenantRead, jobId: string): Promise<Record<string, number>> {
    const rows = await tx.query<{ key: string; sum: string }>(
      `select t.key, sum(t.value::bigint) from job_chunk c cross join lateral jsonb_each_text(c.by_type) t
       where c.tenant_id = $1 and c.job_id = $2 group by t.key order by t.key`,
      [tx.tenantId, jobId],
    );
    return Object.fromEntries(rows.map((row) => [row.key, Number(row.sum)]));
  }

  /** Where the bytes of the job lie, in the order of its records: one object, or one for each file of a dry run. */
  async objects(tx: TenantRead, jobId: string): Promise<ReadObject[]> {
    const rows = await tx.query<Pick<ChunkRow, 'object_key' | 'format' | 'first_order'>>(
      `select object_key, format, min(first_order) as first_order from job_chunk where tenant_id = $1 and job_id = $2
       group by object_key, format order by 3`,
      [tx.tenantId, jobId],
    );
    return rows.map(({ object_key: key, format, first_order: first }) => ({
      key,
      format,
      firstOrder: Number(first),
    }));
  }
}
