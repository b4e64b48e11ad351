import { Injectable } from '@nestjs/common';
import type { Caller } from '@quire/contracts/scope';
import type { TenantTx } from '@quire/postgres/tenant';
import { NO_LINES, type FileDefinitionRecord, type InputCounts } from '../db/file-definitions.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { Fresh } from './fresh.js';

/** What an export without a file of its own takes its ids from. */
export interface OwnInput {
  readonly baseName: string;
  readonly uploadFormat?: 'csv' | 'cql';
  readonly query?: string;
  /** Where its ids are, when they came with the request. */
  readonly ids?: { readonly inputId: string; readonly lines: InputCounts };
}

/** A job in state `NEW`. */
export interface NewJob {
  readonly jobId: string;
  readonly hrId: number;
  readonly fileDefinitionId: string;
  readonly fileName: string;
  readonly baseName: string;
  /** Non-blank lines; 0 as long as they are not known. */
  readonly total: number;
}

/** Makes jobs; in the caller's transaction. */
@Injectable()
export class NewJobs {
  constructor(
    private readonly stores: Stores,
    private readonly fresh: Fresh,
  ) {}

  /** With the file definition that it stands for, as if that had been uploaded. */
  async withOwnInput(tx: TenantTx, caller: Caller, input: OwnInput): Promise<NewJob> {
    const { baseName, query, uploadFormat = 'csv' } = input;
    const { inputId, lines } = input.ids ?? { inputId: this.fresh.id(), lines: NO_LINES };
    const [jobId, fileDefinitionId] = [this.fresh.id(), this.fresh.id()];
    const fileName = `${baseName}.csv`;
    const hrId = await this.stores.jobs.nextHrId(tx);
    const shared = { inputId, baseName, lines, stamps: newStamps(caller, this.fresh.now()) };
    await this.stores.definitions.insert(tx, {
      ...shared,
      ...(query === undefined ? {} : { query }),
      ...{ id: fileDefinitionId, jobId, fileName, uploadFormat, status: 'COMPLETED' },
    });
    await this.stores.jobs.insert(tx, { ...shared, id: jobId, hrId, fileDefinitionId });
    return { jobId, hrId, fileDefinitionId, fileName, baseName, total: lines.total };
  }

  /** Another job over the same upload. The ids of a query are found anew: they belong to the job they were found for. */
  async again(tx: TenantTx, caller: Caller, definition: FileDefinitionRecord): Promise<NewJob> {
    const { id: fileDefinitionId, fileName, baseName, lines, uploadFormat } = definition;
    const uploaded = uploadFormat === 'csv' ? definition.inputId : undefined;
    const jobId = this.fresh.id();
    const hrId = await this.stores.jobs.nextHrId(tx);
    const stamps = newStamps(caller, this.fresh.now());
    const inputId = uploaded ?? this.fresh.id();
    const job = { id: jobId, hrId, fileDefinitionId, inputId, baseName, lines, stamps };
    await this.stores.jobs.insert(tx, job);
    await this.stores.definitions.setJob(tx, fileDefinitionId, jobId);
    return { jobId, hrId, fileDefinitionId, fileName, baseName, total: lines.total };
  }
}
