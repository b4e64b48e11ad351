import { Injectable } from '@nestjs/common';
import { DiscardedLines } from './discarded-lines.js';
import { ErrorLogs } from './error-logs.js';
import { ExportIds } from './export-ids.js';
import { FileDefinitions } from './file-definitions.js';
import { JobExecutions } from './job-executions.js';
import { JobProfiles } from './job-profiles.js';
import { MappingProfiles } from './mapping-profiles.js';
import { Slices } from './slices.js';

/** The tables of this service, for use cases that touch several of them in one transaction. */
@Injectable()
export class Stores {
  readonly discarded = new DiscardedLines();

  constructor(
    readonly definitions: FileDefinitions,
    readonly ids: ExportIds,
    readonly jobs: JobExecutions,
    readonly slices: Slices,
    readonly logs: ErrorLogs,
    readonly jobProfiles: JobProfiles,
    readonly mappingProfiles: MappingProfiles,
  ) {}
}
