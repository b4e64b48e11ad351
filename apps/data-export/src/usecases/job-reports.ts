import { Injectable } from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import type {
  ExportAccounting,
  ExportManifest,
  ManifestFile,
  ManifestJob,
} from '@quire/contracts/export-reports';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { JobReports } from '../db/job-reports.js';
import type { FileKind } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import { ExportTenantSettings } from '../db/tenant-settings.js';
import { accountingOf } from '../domain/accounting.js';
import { REPORT_HEADER, reportLine, type ReportedLine } from '../domain/error-report.js';
import { failures } from '../domain/failures.js';
import type { ExportFile, ExportJob } from '../domain/job-answer.js';
import { hasFile, isTerminal } from '../domain/job-execution.js';

/** What there is to know of a job, for who checks the numbers (`data-export.md`, section 14, B1, B2 and B12). */
@Injectable()
export class Reports {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly reports: JobReports,
    private readonly settings: ExportTenantSettings,
  ) {}

  /** During the job and after it, from one snapshot. */
  accounting(scope: Scope, id: string): Promise<ExportAccounting> {
    return readTenant(this.source, scope, async (tx) =>
      this.accountingOf(tx, await this.job(tx, id)),
    );
  }

  /** @throws Failure 404 for an unknown job and for one that has not ended */
  manifest(scope: Scope, id: string): Promise<ExportManifest> {
    return readTenant(this.source, scope, async (tx) => {
      const job = await this.job(tx, id);
      if (!isTerminal(job.status)) throw failures.manifestNotAvailable(id);
      const { jobProfileId, jobProfileName, mapping } = job;
      const source = await this.reports.source(tx, job);
      return {
        job: jobOf(job),
        jobProfile: {
          ...(jobProfileId === undefined ? {} : { id: jobProfileId }),
          ...(jobProfileName === undefined ? {} : { name: jobProfileName }),
        },
        ...(mapping === undefined ? {} : { mappingProfile: mapping }),
        ...(source === undefined ? {} : { source }),
        accounting: await this.accountingOf(tx, job),
        files: await this.files(tx, job),
      };
    });
  }

  /** The report by line in pieces. @throws Failure 404 before the first one */
  async errorReport(scope: Scope, id: string): Promise<AsyncGenerator<string>> {
    const [job, host] = await readTenant(this.source, scope, async (tx) => [
      await this.job(tx, id),
      await this.settings.read(tx, 'folioHost'),
    ]);
    return this.reportLines(scope, job, host);
  }

  /** A transaction for each piece: one for all of them would last as long as the client reads. */
  private async *reportLines(
    scope: Scope,
    job: ExportJob,
    host: string | null,
  ): AsyncGenerator<string> {
    yield REPORT_HEADER;
    for (let last: ReportedLine | undefined; ;) {
      const lines: ReportedLine[] = await readTenant(this.source, scope, async (tx) => {
        // A report of half the lines must not look like a whole one.
        await this.job(tx, job.id);
        return this.reports.problems(tx, job, last);
      });
      last = lines.at(-1);
      if (!last) return;
      yield lines.map((line) => reportLine(line, job.idType, host)).join('');
    }
  }

  private async job(tx: TenantRead, id: string): Promise<ExportJob> {
    const job = await this.stores.jobs.find(tx, id);
    if (!job) throw failures.jobExecutionNotFound();
    return job;
  }

  private async accountingOf(tx: TenantRead, job: ExportJob): Promise<ExportAccounting> {
    return accountingOf(job, await this.reports.lineCounts(tx, job.id));
  }

  /** A job that failed has none. */
  private async files(tx: TenantRead, job: ExportJob): Promise<ManifestFile[]> {
    if (!hasFile(job.status)) return [];
    const digests = await this.reports.digests(tx, job.id);
    const { format, encoding } = job.output;
    const described = async (kind: FileKind, file: ExportFile): Promise<ManifestFile> => {
      const parts = await this.stores.slices.parts(tx, job.id, kind);
      const sha256 = digests[kind]?.toString('hex');
      return {
        ...file,
        ...(kind === 'output' ? { format, encoding } : { format: 'MARCXML', encoding: 'UTF-8' }),
        size: parts.reduce((sum, part) => sum + part.bytes, 0),
        records: parts.reduce((sum, part) => sum + part.records, 0),
        ...(sha256 === undefined ? {} : { sha256 }),
        slices: parts.map((part) => ({ size: part.bytes, sha256: part.sha256.toString('hex') })),
      };
    };
    return [
      ...(job.file ? [await described('output', job.file)] : []),
      ...(job.oversizeFile ? [await described('oversize', job.oversizeFile)] : []),
    ];
  }
}

function jobOf({ id, hrId, status, startedAt, completedAt, runBy }: ExportJob): ManifestJob {
  return {
    ...{ id, hrId, status },
    ...(startedAt ? { startedDate: formatDate(startedAt) } : {}),
    ...(completedAt ? { completedDate: formatDate(completedAt) } : {}),
    ...(runBy ? { runBy } : {}),
  };
}
