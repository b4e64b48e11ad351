import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { ReportedLine } from '../domain/error-report.js';
import type { ExportJob } from '../domain/job-answer.js';
import type { FileKind } from './slices.js';

/** Lines of a job with a class and code in common. */
export interface LineCount {
  readonly class: string;
  readonly code: string | null;
  readonly n: number;
}

/** What an export was made from. */
export interface ExportSource {
  readonly name: string;
  readonly type: 'csv' | 'cql';
  /** Hexadecimal; of uploads. */
  readonly sha256?: string;
}

/** SHA-256 of whole files, as far as they are known. */
export type FileDigests = Readonly<Partial<Record<FileKind, Buffer>>>;

const BATCH_LINES = 500;

/** What is told of a job line by line and in sums, and the digests of its files. */
@Injectable()
export class JobReports {
  lineCounts(tx: TenantRead, jobId: string): Promise<LineCount[]> {
    return tx.query<LineCount & Record<string, unknown>>(
      `select class, code, count(*)::int as n from export_outcome where tenant_id = $1 and job_id = $2
       group by class, code order by class, code`,
      [tx.tenantId, jobId],
    );
  }

  /**
   * The next lines that are not exported or have a warning, in their order.
   *
   * @param after the last one that was read; absent: from the first on
   * @returns none: there are no more
   */
  problems(
    tx: TenantRead,
    { id, inputId, counts }: ExportJob,
    after: { readonly line: number; readonly class: string } = { line: 0, class: '' },
  ): Promise<ReportedLine[]> {
    // An export that was refused as it started has looked at no line.
    const looked = counts.invalid + counts.duplicated > 0;
    return tx.query<ReportedLine & Record<string, unknown>>(PROBLEMS, [
      tx.tenantId,
      inputId,
      id,
      looked,
      after.line,
      after.class,
      BATCH_LINES,
    ]);
  }

  /** Of the upload, or what was kept of it. */
  async source(tx: TenantRead, { id }: ExportJob): Promise<ExportSource | undefined> {
    const row = await tx.one<{ source: ExportSource | null }>(
      `select coalesce(j.source, (select jsonb_strip_nulls(jsonb_build_object('name', d.file_name,
           'type', d.upload_format, 'sha256', encode(d.sha256, 'hex')))
         from file_definition d where d.tenant_id = j.tenant_id and d.id = j.file_definition_id)) as source
       from job_execution j where j.tenant_id = $1 and j.id = $2`,
      [tx.tenantId, id],
    );
    return row?.source ?? undefined;
  }

  async digests(tx: TenantRead, jobId: string): Promise<FileDigests> {
    const row = await tx.one<{ file_sha256: Buffer | null; oversize_file_sha256: Buffer | null }>(
      'select file_sha256, oversize_file_sha256 from job_execution where tenant_id = $1 and id = $2',
      [tx.tenantId, jobId],
    );
    return {
      ...(row?.file_sha256 ? { output: row.file_sha256 } : {}),
      ...(row?.oversize_file_sha256 ? { oversize: row.oversize_file_sha256 } : {}),
    };
  }

  /** The oldest job whose files nobody has read yet; for so long nobody else gets it. */
  async claimUndigested(tx: TenantTx, leaseMs: number): Promise<string | undefined> {
    const row = await tx.one<{ id: string }>(
      `update job_execution set digest_until = clock_timestamp() + make_interval(secs => $2)
       where tenant_id = $1 and id = (
         select id from job_execution
         where tenant_id = $1 and file_sha256 is null and status in ('COMPLETED', 'COMPLETED_WITH_ERRORS')
           and output_removed_at is null and (digest_until is null or digest_until < clock_timestamp())
         order by completed_at limit 1 for update skip locked)
       returning id`,
      [tx.tenantId, leaseMs / 1000],
    );
    return row?.id;
  }

  /** Whoever had claimed it has not read its files: another may at once. */
  async giveBackUndigested(tx: TenantTx, jobId: string): Promise<void> {
    await tx.execute(
      'update job_execution set digest_until = null where tenant_id = $1 and id = $2',
      [tx.tenantId, jobId],
    );
  }

  async keepDigests(tx: TenantTx, jobId: string, digests: FileDigests): Promise<void> {
    await tx.execute(
      `update job_execution set file_sha256 = $3, oversize_file_sha256 = $4, digest_until = null
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, jobId, digests.output ?? null, digests.oversize ?? null],
    );
  }
}

/** Look-ups by key instead of a join: the planner knows nothing of a tenant's share of a table. */
const PROBLEMS = `
  with p as materialized (
    (select line, class, input, id, null::text as code, null::text as message, null::text as hrid, null::text as title
     from export_line where tenant_id = $1 and input_id = $2 and $4 and (line, class) > ($5, $6)
     order by line, class limit $7)
    union all
    (select ordinal, class, null, null, code, message, affected ->> 'hrid', affected ->> 'title'
     from export_outcome where tenant_id = $1 and job_id = $3 and (ordinal, class) > ($5, $6)
     order by ordinal, class limit $7)
    order by line, class limit $7),
  repeated as (
    select d.id, count(*)::int + 1 as lines from export_line d
    where d.tenant_id = $1 and d.input_id = $2 and d.class = 'DUPLICATED'
      and d.id in (select id from p where class = 'DUPLICATED')
    group by d.id)
  select p.line, p.class, p.input, coalesce(p.id, e.id) as id, r.lines as occurrences, p.code, p.message, p.hrid, p.title
  from p
  left join repeated r on r.id = p.id and p.class = 'DUPLICATED'
  left join lateral (select x.id from export_id x
    where x.tenant_id = $1 and x.input_id = $2 and x.ordinal = p.line limit 1) e on p.id is null and p.input is null
  order by p.line, p.class`;
