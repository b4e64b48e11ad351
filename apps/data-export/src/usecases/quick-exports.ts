import { Injectable } from '@nestjs/common';
import type { QuickExport, QuickExportStarted } from '@quire/contracts/data-export';
import { invalid, violation } from '@quire/contracts/failure';
import { uuidBytes } from '@quire/contracts/ids';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { Stores } from '../db/stores.js';
import { quickBaseOf } from '../domain/file-name.js';
import { userQuery } from '../domain/selection.js';
import { defaultJobProfileOf, idKindOf } from '../domain/start-rules.js';
import { Fresh } from './fresh.js';
import { Launches, parametersOf } from './launches.js';
import { NewJobs, type OwnInput } from './new-jobs.js';

/** Ids in one statement. */
const BATCH_IDS = 10_000;

/** An export without a file: the ids or the query come in the request. */
@Injectable()
export class QuickExports {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly launches: Launches,
    private readonly newJobs: NewJobs,
    private readonly fresh: Fresh,
  ) {}

  start(caller: Caller, request: QuickExport): Promise<QuickExportStarted> {
    const { type, recordType, uuids, criteria } = request;
    const named = type === 'uuid' ? uuids : criteria;
    if (named === undefined)
      throw invalid(violation('may not be null', type === 'uuid' ? 'uuids' : 'criteria', null));
    const { jobProfileId = defaultJobProfileOf(recordType) } = request;
    return withTenant(this.source, caller, async (tx) => {
      const profile = await this.launches.profile(tx, jobProfileId);
      const kind = idKindOf({}, recordType, type === 'cql' ? 'query' : 'lines');
      const input = await this.inputOf(tx, request);
      const job = await this.newJobs.withOwnInput(tx, caller, input);
      const { query, uploadFormat } = input;
      await this.launches.launch(tx, caller, {
        ...job,
        profile,
        request: parametersOf({ jobProfileId, recordType }, kind),
        ...(uploadFormat === 'cql'
          ? { selection: userQuery(query ?? '', kind.idType, job.fileName) }
          : {}),
      });
      return { jobExecutionId: job.jobId, jobExecutionHrId: job.hrId };
    });
  }

  private async inputOf(tx: TenantTx, request: QuickExport): Promise<OwnInput> {
    const { type, criteria = '', uuids = [], fileName } = request;
    const baseName = quickBaseOf(fileName);
    return type === 'cql'
      ? { baseName, uploadFormat: 'cql', query: criteria }
      : { baseName, ids: await this.keepIds(tx, uuids) };
  }

  private async keepIds(tx: TenantTx, uuids: readonly string[]): Promise<OwnInput['ids']> {
    const inputId = this.fresh.id();
    let duplicated = 0;
    for (let start = 0; start < uuids.length; start += BATCH_IDS) {
      const ids = uuids.slice(start, start + BATCH_IDS).map(uuidBytes);
      const lines = ids.map((_, index) => start + index + 1);
      duplicated += await this.stores.ids.add(tx, inputId, { ids, lines, invalid: [] });
    }
    return { inputId, lines: { total: uuids.length, blank: 0, invalid: 0, duplicated } };
  }
}
