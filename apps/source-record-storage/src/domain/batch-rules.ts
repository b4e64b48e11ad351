import type { Violation } from '@quire/contracts/failure';
import { brokenRule } from '@quire/contracts/failure';
import type { SentRecord } from '@quire/contracts/record-writing';
import { failures } from './failures.js';

/** What is asked of a batch of records, and what is said of those that are not taken (source-record-storage, section 5). */
export const messages = {
  invalid: (id: string, reason: string): string =>
    `Record ${id} has invalid parsed record; ${reason}`,
  duplicate: (id: string): string =>
    `Record ${id} was not saved; Incoming file may contain duplicates`,
  noRecord: (id: string): string => `Record with id ${id} was not updated`,
  noParsedRecord: (id: string): string => `Parsed Record with id '${id}' was not updated`,
} as const;

/** All records are of one snapshot. @returns it; undefined for an empty batch */
export function snapshotOf(records: readonly SentRecord[]): string | undefined {
  const ids = new Set(records.map(({ snapshotId }) => snapshotId));
  if (ids.size > 1) throw failures.severalSnapshots();
  return records[0]?.snapshotId;
}

export function checkSingleType(records: readonly SentRecord[]): void {
  if (new Set(records.map(({ recordType }) => recordType)).size > 1) throw failures.severalTypes();
}

/** A parsed record that is to be updated says which one it is. */
export function checkParsedIds(records: readonly SentRecord[]): void {
  if (records.some(({ parsedRecord }) => parsedRecord?.id === undefined))
    throw failures.parsedRecordWithoutId();
}

/** Something to be said of one record of a batch. */
export interface Remark {
  /** Place in the batch. */
  readonly at: number;
  readonly id: string;
  readonly message: string;
}

/** For the answer of a batch of which nothing was taken. */
export const violationOf = ({ at, id, message }: Remark): Violation =>
  brokenRule(message, 'source-storage.batch.record', `records[${at}]`, id);
