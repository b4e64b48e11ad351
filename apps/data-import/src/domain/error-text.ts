import {
  codedErrorText,
  errorSentence,
  RECORD_ERROR_CODES,
  type RecordErrorCode,
} from '@quire/marc/errors';
import { uuidV5 } from '@quire/contracts/ids';
import type { MarcRecordType } from '@quire/contracts/source-records';

/** The `error` of a log entry, from the code of a failed record (data-import, 9.2 and 11.3). */
export interface FailedRecord {
  readonly jobId: string;
  readonly order: number;
  /** Byte offset of its frame in the file. */
  readonly at: number;
  readonly code: string;
  readonly field?: string | undefined;
  readonly detail?: string | undefined;
  /** B, A or H. */
  readonly type?: string | undefined;
  readonly profileName: string;
}

const NEW_THING: Readonly<Record<string, string>> = {
  B: 'Instance',
  A: 'MARC-Authority',
  H: 'MARC-Holding',
};
/** By the letter that stands for it in counts and errors of chunks. */
export const RECORD_TYPE_OF: Readonly<Partial<Record<string, MarcRecordType>>> = {
  B: 'MARC_BIB',
  A: 'MARC_AUTHORITY',
  H: 'MARC_HOLDING',
};

export function errorText(record: FailedRecord): string {
  const { code, order, at } = record;
  const known = isRecordErrorCode(code) ? undefined : checkText(record);
  return known ?? codedErrorText(code, sentenceOf(record), { order, byte: at });
}

/** The same for a person: one sentence without the place. */
export function errorWords(record: FailedRecord): string {
  const { code, type = 'B', profileName } = record;
  switch (code) {
    case 'RECORD_TYPE':
      return 'Leader/06 does not say what kind of record this is';
    case 'PROFILE_TYPE':
      return `The job profile '${profileName}' does not take ${TYPE_WORDS[type] ?? 'such'} records`;
    case 'EXISTING_999FF':
      return 'The record already has a field 999 ff with $s or $i, so it was exported from a catalogue like this one. Accept or strip the field by the option on999ff';
    case 'HOLDINGS_004':
      return 'Field 004 does not name a stored bibliographic record';
    default:
      return sentenceOf(record);
  }
}

function sentenceOf({ code, field, detail }: FailedRecord): string {
  if (!isRecordErrorCode(code)) return CHECK_SENTENCES[code] ?? 'The record could not be stored';
  return errorSentence({
    failed: true,
    code,
    offset: 0,
    ...(field ? { tag: field } : {}),
    ...(detail ? { detail } : {}),
  });
}

const CHECK_SENTENCES: Readonly<Record<string, string>> = {
  STORE: 'The record could not be stored',
  MATCHED_ID: 'Field 999 ff $s holds no UUID',
  EXTERNAL_ID: 'Field 999 ff $i holds no UUID',
};
const TYPE_WORDS: Readonly<Record<string, string>> = {
  B: 'bibliographic',
  A: 'authority',
  H: 'holdings',
};

/** Texts that FOLIO clients know. */
function checkText({
  code,
  jobId,
  order,
  type = 'B',
  profileName,
}: FailedRecord): string | undefined {
  switch (code) {
    case 'RECORD_TYPE':
      return JSON.stringify({
        message: `Error during analyze leader line for determining record type for record with id ${uuidV5(jobId, `file:${order}`)}`,
      });
    case 'PROFILE_TYPE':
      return `Chosen job profile '${profileName}' does not support '${RECORD_TYPE_OF[type] ?? ''}' record type`;
    case 'EXISTING_999FF':
      return JSON.stringify({
        error: `A new ${NEW_THING[type] ?? 'Instance'} was not created because the incoming record already contained a 999ff$s or 999ff$i field`,
      });
    case 'HOLDINGS_004':
      return JSON.stringify({
        message: "The 004 tag of the Holdings doesn't has a link to the Bibliographic record",
      });
    case 'DUPLICATE':
      return 'Incoming file may contain duplicates';
    default:
      return undefined;
  }
}

/** Says the code that the bytes gave no record? */
export const isParseError = (code: string): boolean => isRecordErrorCode(code);

function isRecordErrorCode(code: string): code is RecordErrorCode {
  return (RECORD_ERROR_CODES as readonly string[]).includes(code);
}
