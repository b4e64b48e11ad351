import { Injectable } from '@nestjs/common';
import type { QuickExport, QuickExportStarted } from '@quire/contracts/data-export';
import { invalid, violation } from '@quire/contracts/failure';
import { uuidBytes } from '@quire/contracts/ids';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { NO_LINES, type InputCounts } from '../db/file-definitions.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { quickBaseOf } from '../domain/file-name.js';
import { defaultJobProfileOf, idTypeOf } from '../domain/mapping-profile.js';
import { Fresh } from './fresh.js';
import { Launches } from './launches.js';

/** Ids in one statement. */
const BATCH_IDS = 10_000;

/** An export without a file: the ids or the query come in the request. */
@Injectable()
export class QuickExports {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly launches: Launches,
    private readonly fresh: Fresh,
  ) {}

  start(caller: Caller, request: QuickExport): Promise<QuickExportStarted> {
    const { type, recordType, uuids, criteria } = request;
    const named = type === 'uuid' ? uuids : criteria;
    if (named === undefined)
      throw invalid(violation('may not be null', type === 'uuid' ? 'uuids' : 'criteria', null));
    const jobProfileId = request.jobProfileId ?? defaultJobProfileOf(recordType);
    return withTenant(this.source, caller, async (tx) => {
      const profiles = await this.launches.profiles(tx, jobProfileId);
      const inputId = this.fresh.id();
      const lines = type === 'uuid' ? await this.keepIds(tx, inputId, uuids ?? []) : NO_LINES;
      const job = await this.newJob(tx, caller, { request, inputId, lines });
      await this.launches.launch(tx, caller, {
        ...job,
        profiles,
        idType: idTypeOf(undefined, undefined, recordType),
        recordType,
      });
      return { jobExecutionId: job.jobId, jobExecutionHrId: job.hrId };
    });
  }

  private async keepIds(
    tx: TenantTx,
    inputId: string,
    uuids: readonly string[],
  ): Promise<InputCounts> {
    let duplicated = 0;
    for (let start = 0; start < uuids.length; start += BATCH_IDS) {
      const ids = uuids.slice(start, start + BATCH_IDS).map(uuidBytes);
      const lines = ids.map((_, index) => start + index + 1);
      duplicated += await this.stores.ids.add(tx, inputId, { ids, lines, invalid: [] });
    }
    return { total: uuids.length, blank: 0, invalid: 0, duplicated };
  }

  /** The job and the file definition it stands for, as if that had been uploaded. */
  private async newJob(
    tx: TenantTx,
    caller: Caller,
    input: { readonly request: QuickExport; readonly inputId: string; readonly lines: InputCounts },
  ) {
    const { request, inputId, lines } = input;
    const uploadFormat = request.type === 'cql' ? ('cql' as const) : ('csv' as const);
    const baseName = quickBaseOf(request.fileName);
    const fileName = `${baseName}.csv`;
    const query = request.type === 'cql' ? { query: request.criteria ?? '' } : {};
    const [jobId, fileDefinitionId] = [this.fresh.id(), this.fresh.id()];
    const stamps = newStamps(caller, this.fresh.now());
    const hrId = await this.stores.jobs.nextHrId(tx);
    const shared = { inputId, baseName, lines, stamps };
    await this.stores.definitions.insert(tx, {
      ...shared,
      ...query,
      id: fileDefinitionId,
      jobId,
      fileName,
      uploadFormat,
      status: 'COMPLETED',
    });
    await this.stores.jobs.insert(tx, { ...shared, id: jobId, hrId, fileDefinitionId });
    return { ...query, jobId, hrId, fileDefinitionId, fileName, baseName, uploadFormat, lines };
  }
}
