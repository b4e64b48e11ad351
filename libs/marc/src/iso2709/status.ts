import type { RecordError } from '../errors.js';
import type { MarcRecord } from '../record.js';
import { controlField, fieldBytes, writeRecord } from './write.js';

/** What a change of a record's status writes into it. */
export interface StatusMark {
  /** Leader/05, one character. */
  readonly status: string;
  /** Text of 005: `latestTransaction` of the moment. */
  readonly changed: string;
}

/** A moment as 005 has it: `yyyyMMddHHmmss.f` in UTC, with tenths of a second. */
export function latestTransaction(moment: Date): string {
  const digits = moment.toISOString().replace(/\D/g, '');
  return `${digits.slice(0, 14)}.${digits.slice(14, 15)}`;
}

/**
 * The record with another status and date of change: first 001, then the one 005, then everything as before.
 *
 * @returns error `TOO_LARGE` if the new field makes it longer than 1 MiB
 */
export function withStatus(
  record: MarcRecord,
  { status, changed }: StatusMark,
): MarcRecord | RecordError {
  const fields = fieldBytes(record);
  const number = record.find('001');
  const others = fields.filter(({ tag }, index) => tag !== '005' && index !== number);
  const first = number < 0 ? [] : [fields[number]!];
  const leader = record.leader.slice(0, 5) + status + record.leader.slice(6);
  return writeRecord(leader, [...first, controlField('005', changed), ...others]);
}
