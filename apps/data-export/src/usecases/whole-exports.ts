import { Injectable } from '@nestjs/common';
import type {
  ExportAll,
  ExportDeletedAuthorities,
  ExportDeletedRecords,
} from '@quire/contracts/data-export';
import type { Caller } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { checkDeletedAuthorities } from '../db/deleted-authorities.js';
import { BUILT_IN } from '../domain/built-in-profiles.js';
import { failures } from '../domain/failures.js';
import {
  deletedAuthorities,
  deletedBibs,
  everything,
  type Selection,
} from '../domain/selection.js';
import { DEFAULT_JOB_PROFILE } from '../domain/start-rules.js';
import { Fresh } from './fresh.js';
import { Launches, parametersOf } from './launches.js';
import { NewJobs } from './new-jobs.js';

const AUTHORITIES_LIMIT = 100;

interface WholeExport {
  readonly baseName: string;
  readonly jobProfileId: string;
  readonly idType: 'instance' | 'holding' | 'authority';
  readonly selection: Selection;
}

/** Exports that name no ids: everything of a type, and what was deleted. All answer with the id of their job. */
@Injectable()
export class WholeExports {
  constructor(
    private readonly source: DataSource,
    private readonly launches: Launches,
    private readonly newJobs: NewJobs,
    private readonly fresh: Fresh,
  ) {}

  all(caller: Caller, request: ExportAll): Promise<string> {
    const { idType = 'instance', deletedRecords = true, suppressedFromDiscovery = false } = request;
    const { jobProfileId = DEFAULT_JOB_PROFILE[idType] } = request;
    const selection = everything({ idType, deletedRecords, suppressedFromDiscovery });
    return this.start(caller, { baseName: `${idType}-all`, jobProfileId, idType, selection });
  }

  deleted(caller: Caller, days: ExportDeletedRecords): Promise<string> {
    const { from, to } = days;
    if (from !== undefined && to !== undefined && from > to) throw failures.badDateRange();
    return this.start(caller, {
      baseName: 'deleted-marc-bib-records',
      jobProfileId: BUILT_IN.instanceJob,
      idType: 'instance',
      selection: deletedBibs(days, this.fresh.now()),
    });
  }

  deletedAuthorities(caller: Caller, asked: ExportDeletedAuthorities): Promise<string> {
    const { query, limit = AUTHORITIES_LIMIT, offset = 0 } = asked;
    checkDeletedAuthorities(query);
    return this.start(caller, {
      baseName: 'deleted-authority-records',
      jobProfileId: BUILT_IN.deletedAuthorityJob,
      idType: 'authority',
      selection: deletedAuthorities(query, { offset, limit }),
    });
  }

  private start(caller: Caller, whole: WholeExport): Promise<string> {
    const { baseName, jobProfileId, idType, selection } = whole;
    return withTenant(this.source, caller, async (tx) => {
      const profile = await this.launches.profile(tx, jobProfileId);
      const job = await this.newJobs.withOwnInput(tx, caller, { baseName });
      const request = parametersOf({ jobProfileId }, { idType, items: false });
      await this.launches.launch(tx, caller, { ...job, profile, request, selection });
      return job.jobId;
    });
  }
}
