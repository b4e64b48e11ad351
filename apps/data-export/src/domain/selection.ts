import { CqlError } from '@quire/cql/errors';
import { BODY_LIMITS, parseCql } from '@quire/cql/parser';
import type { InstanceIdsDeleted, InstanceIdsType } from '@quire/contracts/source-records';
import type { IdType } from '@quire/contracts/data-export';
import { logRows, type LogRow } from './error-codes.js';

/**
 * Where the ids of a job come from when they did not come with the request: they are found after the start, by a worker
 * (`data-export.md`, 12.1 and section 14, B3).
 */
export type Selection = IdQuery | DeletedBibs | FailedLines;

export interface IdQuery {
  readonly kind: 'query';
  readonly query: string;
  readonly recordType: InstanceIdsType;
  readonly deleted?: InstanceIdsDeleted;
  /** A part of what is found. */
  readonly page?: { readonly offset: number; readonly limit: number };
  /** The file or request that a user wrote the query in, for the log row when it is none. */
  readonly writtenIn?: string;
}

/** Bibliographic records with leader/05 `d` whose 005 lies between two days. */
export interface DeletedBibs {
  readonly kind: 'deleted bibs';
  readonly from?: string;
  readonly to?: string;
}

/** The lines of another job that were not found or faulty. */
export interface FailedLines {
  readonly kind: 'failed lines';
  readonly jobId: string;
}

const RECORD_TYPE: Readonly<Record<IdType, InstanceIdsType>> = {
  instance: 'INSTANCE',
  holding: 'HOLDING',
  authority: 'AUTHORITY',
};

/** The query of a user. */
export function userQuery(query: string, idType: IdType, writtenIn: string): IdQuery {
  return { kind: 'query', query: query.trim(), recordType: RECORD_TYPE[idType], writtenIn };
}

const ALL = 'cql.allRecords=1';
/** Authorities know no suppression. */
const NOT_SUPPRESSED = 'cql.allRecords=1 not discoverySuppress==true';

export interface EverythingAsked {
  readonly idType: IdType;
  readonly deletedRecords: boolean;
  readonly suppressedFromDiscovery: boolean;
}

/** All ids of a type. */
export function everything(asked: EverythingAsked): IdQuery {
  const { idType, deletedRecords, suppressedFromDiscovery } = asked;
  return {
    kind: 'query',
    query: suppressedFromDiscovery || idType === 'authority' ? ALL : NOT_SUPPRESSED,
    recordType: RECORD_TYPE[idType],
    deleted: deletedRecords ? 'include' : 'exclude',
  };
}

export function deletedAuthorities(
  query: string | undefined,
  page: { readonly offset: number; readonly limit: number },
): IdQuery {
  return {
    kind: 'query',
    query: query === undefined || query.trim() === '' ? ALL : query.trim(),
    recordType: 'AUTHORITY',
    deleted: 'only',
    page,
  };
}

const DAY_MS = 86_400_000;

/** Both days absent: yesterday, in UTC. */
export function deletedBibs(
  days: { readonly from?: string; readonly to?: string },
  now: Date,
): DeletedBibs {
  if (days.from === undefined && days.to === undefined) {
    const yesterday = new Date(now.getTime() - DAY_MS).toISOString().slice(0, 10);
    return { kind: 'deleted bibs', from: yesterday, to: yesterday };
  }
  return { kind: 'deleted bibs', ...days };
}

/** The search in which source-record-storage finds them; an open end leaves its half out. */
export function deletedBibsSearch({ from, to }: DeletedBibs): object {
  const half = (word: string, day: string | undefined): string[] =>
    day === undefined ? [] : [`005.date ${word} '${day.replaceAll('-', '')}'`];
  return {
    leaderSearchExpression: "p_05 = 'd'",
    fieldsSearchExpression: [...half('from', from), ...half('to', to)].join(' and '),
    deleted: true,
  };
}

/** Bytes of a query file that are looked at: more cannot be a query within the limits. */
export const QUERY_BYTES_MAX = 4 * BODY_LIMITS.charactersMax + 1;

/** Why a text is no query; undefined when it may be asked. */
export function queryProblem(query: string, writtenIn: string): LogRow | undefined {
  if (query.trim() === '') return logRows.unreadableInput();
  try {
    parseCql(query.trim(), BODY_LIMITS);
  } catch (error) {
    if (error instanceof CqlError) return logRows.invalidCql(writtenIn, error.column);
    throw error;
  }
  return undefined;
}
