import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { DryRunRequest } from '@quire/contracts/import-work';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { JobChunks } from '../db/job-chunks.js';
import { JobExecutions } from '../db/job-executions.js';
import { UploadDefinitions, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { messagesOf, type FileProblem } from '../domain/file-problem.js';
import { profileOf, type ImportJobProfile } from '../domain/job-profiles.js';
import { lastSegment } from '../domain/upload-definition.js';
import { Dispatch } from './dispatch.js';
import { ExtraJobs, type ExtraLaunch } from './extra-jobs.js';

/**
 * A dry run (data-import, 14, 3): a job of its own, listed nowhere, parses and checks all that is uploaded and says what an
 * import would do. The definition and its jobs stay as they are; nothing is saved, nobody hears of it.
 */
@Injectable()
export class DryRuns {
  constructor(
    private readonly source: DataSource,
    private readonly definitions: UploadDefinitions,
    private readonly jobs: JobExecutions,
    private readonly chunks: JobChunks,
    private readonly extra: ExtraJobs,
    private readonly dispatch: Dispatch,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** @returns the id of its job. @throws Failure 400 without uploaded files, 404, 422, 429 */
  async start(caller: Caller, definitionId: string, request: DryRunRequest): Promise<string> {
    const { id: profileId, dataType = 'MARC' } = request.jobProfileInfo;
    const profile = profileOf(profileId);
    if (!profile) throw failures.profileNotFound(profileId);
    const id = this.ids.next();
    await withTenant(this.source, caller, async (tx) => {
      // What is uploaded must not be replaced while it is taken over.
      if (!(await this.definitions.lock(tx, definitionId)))
        throw failures.definitionToProcessNotFound(definitionId);
      const all = await this.definitions.filesOf(tx, [definitionId]);
      const files = all.filter((file) => file.status === 'UPLOADED');
      if (files.length === 0) throw failures.nothingUploaded(definitionId);
      await this.extra.checkRoom(tx);
      const { fileName, sourcePath } = nameOf(files);
      await this.extra.add(tx, caller, { id, fileName, sourcePath, dryRun: true });
      const launch = { profile, asked: request.options ?? {}, isMarc: dataType === 'MARC' };
      await this.extra.launch(tx, id, await this.prepared(tx, id, files, launch));
    });
    this.dispatch.wake();
    return id;
  }

  private async prepared(
    tx: TenantTx,
    id: string,
    files: readonly FileRow[],
    { profile, asked, isMarc }: Wanted,
  ): Promise<ExtraLaunch> {
    const readable = isMarc ? files.filter((file) => file.problem === null) : [];
    let firstChunk = 0;
    let total = 0;
    let inOrder = false;
    for (const file of readable) {
      const from = await this.jobs.lock(tx, file.job_id);
      const place = { jobId: id, firstChunk, firstOrder: total };
      firstChunk += await this.chunks.copy(tx, file.job_id, place);
      total += Number(file.frames);
      inOrder ||= from?.in_order ?? false;
    }
    const problems = files.flatMap((file): FileProblem[] =>
      isMarc ? (file.problem === null ? [] : [file.problem]) : ['NOT_MARC'],
    );
    const [only] = readable;
    const sha256 = files.length === 1 ? (files[0]?.sha256 ?? null) : null;
    const content = { key: only?.object_key ?? null, bytes: sizeOf(files), sha256 };
    const base = { profile, asked, content, total, inOrder };
    if (!only) return { ...base, messages: [], problems };
    const known = await this.extra.duplicates(tx, readable);
    return { ...base, messages: [...problems.flatMap(messagesOf), ...known] };
  }
}

interface Wanted extends Pick<ExtraLaunch, 'asked'> {
  readonly profile: ImportJobProfile;
  readonly isMarc: boolean;
}

const sizeOf = (files: readonly FileRow[]): number =>
  files.reduce((sum, file) => sum + Number(file.bytes ?? 0), 0);

function nameOf(files: readonly FileRow[]): { fileName: string; sourcePath: string } {
  const [first] = files;
  const sourcePath = first?.name ?? '';
  const others = files.length > 1 ? ` and ${files.length - 1} more` : '';
  return { fileName: lastSegment(sourcePath) + others, sourcePath };
}
