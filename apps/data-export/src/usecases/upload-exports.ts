import { Injectable } from '@nestjs/common';
import type { StartExport } from '@quire/contracts/data-export';
import type { Caller } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { FileDefinitionRecord } from '../db/file-definitions.js';
import { Stores } from '../db/stores.js';
import { failures } from '../domain/failures.js';
import type { ExportJob } from '../domain/job-answer.js';
import { sameParameters } from '../domain/job-execution.js';
import { userQuery } from '../domain/selection.js';
import { idKindOf } from '../domain/start-rules.js';
import { Launches, parametersOf } from './launches.js';
import { NewJobs, type NewJob } from './new-jobs.js';

/** Exports of uploaded files. */
@Injectable()
export class UploadExports {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly launches: Launches,
    private readonly newJobs: NewJobs,
  ) {}

  /**
   * Starts the export of an uploaded file. The same request again starts nothing while the job runs or after it completed;
   * after FAIL it makes a new job.
   *
   * @returns the id of the job
   */
  start(caller: Caller, request: StartExport): Promise<string> {
    const { fileDefinitionId, jobProfileId, recordType } = request;
    return withTenant(this.source, caller, async (tx) => {
      const definition = await this.stores.definitions.lock(tx, fileDefinitionId);
      if (!definition) throw failures.unknownFileDefinition(fileDefinitionId);
      const profile = await this.launches.profile(tx, jobProfileId);
      if (definition.status !== 'COMPLETED') throw failures.fileNotUploaded(fileDefinitionId);
      const { uploadFormat, idType: ofFile } = definition;
      const source = uploadFormat === 'cql' ? 'query' : 'lines';
      const kind = idKindOf({ asked: request.idType, ofFile }, recordType, source);
      const parameters = parametersOf(request, kind);
      const last = await this.stores.jobs.lock(tx, definition.jobId);
      if (last?.request && last.status !== 'FAIL') {
        if (sameParameters(last.request, parameters)) return last.id;
        throw failures.exportAlreadyStarted(fileDefinitionId);
      }
      const job =
        last?.status === 'NEW'
          ? uploadedJob(last, definition)
          : await this.newJobs.again(tx, caller, definition);
      const { query = '', fileName } = definition;
      const selection = userQuery(query, kind.idType, fileName);
      await this.launches.launch(tx, caller, {
        ...job,
        ...{ profile, request: parameters },
        ...(source === 'query' ? { selection } : {}),
      });
      return job.jobId;
    });
  }
}

/** The job that the upload made. */
function uploadedJob(job: ExportJob, { id, fileName, lines }: FileDefinitionRecord): NewJob {
  const { id: jobId, hrId, baseName } = job;
  return { jobId, hrId, fileDefinitionId: id, fileName, baseName, total: lines.total };
}
