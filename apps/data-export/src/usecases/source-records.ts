import { Injectable } from '@nestjs/common';
import type { IdType } from '@quire/contracts/data-export';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { ServiceClient, UnexpectedAnswer } from '@quire/service/service-client';
import type { IdsBatch } from '../pipeline/export-slice.js';

/** What a worker asks for: the records of one batch of ids, as stored bytes in frames, in the order of the ids. */
export interface RecordsRequest {
  readonly scope: Scope;
  readonly jobId: string;
  readonly idType: IdType;
  readonly batch: IdsBatch;
  readonly signal: AbortSignal;
}

const ID_TYPE_OF: Readonly<Record<IdType, string>> = {
  instance: 'INSTANCE',
  holding: 'HOLDINGS',
  authority: 'AUTHORITY',
};

export const RECORDS_PATH = routes.fetchSourceRecords.path;

/** source-record-storage, as the exports see it. */
@Injectable()
export class SourceRecords {
  constructor(private readonly client: ServiceClient) {}

  /** @throws Failure unavailable or UnexpectedAnswer; both say whether another try can help */
  async fetch({
    scope,
    jobId,
    idType,
    batch,
    signal,
  }: RecordsRequest): Promise<AsyncIterable<Buffer>> {
    const call = {
      to: 'source-record-storage',
      method: 'POST',
      target: `${RECORDS_PATH}?idType=${ID_TYPE_OF[idType]}&duplicateIds=true`,
      scope,
      jobId,
      bytes: Buffer.from(batch.ids, 'latin1'),
      headers: { 'content-type': 'application/json', accept: 'application/octet-stream' },
      claims: { permissions: [routes.fetchSourceRecords.permission ?? ''] },
      signal,
    } as const;
    const { status, body } = await this.client.call(call);
    if (status === 200) return body as AsyncIterable<Buffer>;
    body.destroy();
    throw new UnexpectedAnswer(call, status, '');
  }
}
