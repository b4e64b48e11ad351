import {
  codedErrorText,
  errorSentence,
  RECORD_ERROR_CODES,
  type RecordErrorCode,
} from '@quire/marc/errors';
import { uuidV5 } from '@quire/contracts/ids';

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
const TYPE_NAME: Readonly<Record<string, string>> = {
  B: 'MARC_BIB',
  A: 'MARC_AUTHORITY',
  H: 'MARC_HOLDING',
};

export function errorText(record: FailedRecord): string {
  const { code, order, at } = record;
  if (isRecordErrorCode(code)) {
    const { field, detail } = record;
    const sentence = errorSentence({
      failed: true,
      code,
      offset: 0,
      ...(field ? { tag: field } : {}),
      ...(detail ? { detail } : {}),
    });
    return codedErrorText(code, sentence, { order, byte: at });
  }
  return (
    checkText(record) ??
    codedErrorText(code, CHECK_SENTENCES[code] ?? 'The record could not be stored', {
      order,
      byte: at,
    })
  );
}

const CHECK_SENTENCES: Readonly<Record<string, string>> = {
  STORE: 'The record could not be stored',
  MATCHED_ID: 'Field 999 ff $s holds no UUID',
  EXTERNAL_ID: 'Field 999 ff $i holds no UUID',
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
      return `Chosen job profile '${profileName}' does not support '${TYPE_NAME[type] ?? ''}' record type`;
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

function isRecordErrorCode(code: string): code is RecordErrorCode {
  return (RECORD_ERROR_CODES as readonly string[]).includes(code);
}
