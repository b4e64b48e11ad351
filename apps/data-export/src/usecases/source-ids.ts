import { Injectable } from '@nestjs/common';
import type { Route } from '@quire/contracts/route';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { ServiceClient, UnexpectedAnswer } from '@quire/service/service-client';
import { deletedBibsSearch, type DeletedBibs, type IdQuery } from '../domain/selection.js';

export interface IdsRequest {
  readonly scope: Scope;
  readonly jobId: string;
  readonly signal: AbortSignal;
}

/** An answer that says what is wrong is short. */
const REASON_CHARACTERS_MAX = 1000;

/** Queries have a door of their own; deleted records are searched by their MARC fields (`source-record-storage.md`, 7.2). */
const routeOf = ({ kind }: IdQuery | DeletedBibs): Route =>
  kind === 'query' ? routes.exportIds : routes.searchMarcRecords;

/** Where a list of ids is asked for, for the log. */
export const pathOf = (asked: IdQuery | DeletedBibs): string => routeOf(asked).path;

/** The lists of ids of source-record-storage, as the exports ask for them. */
@Injectable()
export class SourceIds {
  constructor(private readonly client: ServiceClient) {}

  /** @throws Failure unavailable, or UnexpectedAnswer with the text of the answer */
  async fetch(
    asked: IdQuery | DeletedBibs,
    { scope, jobId, signal }: IdsRequest,
  ): Promise<AsyncIterable<Buffer>> {
    const { permission } = routeOf(asked);
    const call = {
      to: 'source-record-storage',
      method: 'POST',
      target: pathOf(asked),
      scope,
      jobId,
      body: bodyOf(asked),
      claims: { permissions: permission === undefined ? [] : [permission] },
      signal,
    } as const;
    const { status, body } = await this.client.call(call);
    if (status === 200) return body as AsyncIterable<Buffer>;
    let reason = '';
    for await (const text of body.setEncoding('utf8') as AsyncIterable<string>) {
      reason += text;
      if (reason.length > REASON_CHARACTERS_MAX) break;
    }
    throw new UnexpectedAnswer(call, status, reason.slice(0, REASON_CHARACTERS_MAX));
  }
}

function bodyOf(asked: IdQuery | DeletedBibs): object {
  if (asked.kind === 'deleted bibs') return deletedBibsSearch(asked);
  const { query, recordType, deleted } = asked;
  return { query, recordType, ...(deleted === undefined ? {} : { deleted }) };
}
