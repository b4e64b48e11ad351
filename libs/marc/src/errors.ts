/**
 * What can be wrong with one MARC record, as a closed list of codes with a place.
 *
 * A bad record is a value, never an exception: a reader returns a `RecordError`, a repaired record carries
 * `RecordWarning`s, and reading goes on with the next record. Codes are contract (clients and logs hold them);
 * the sentences are for the cataloguer who has to mend the record and may be reworded.
 */

export const RECORD_ERROR_CODES = [
  'TRUNCATED',
  'TOO_LARGE',
  'LEADER',
  'BASE_ADDRESS',
  'DIRECTORY',
  'FIELD_TERMINATOR',
  'TAG',
  'NO_FIELDS',
  'ENCODING',
  'XML_SYNTAX',
  'JSON_SYNTAX',
  'JSON_STRUCTURE',
  'DOCTYPE_FORBIDDEN',
] as const;
export type RecordErrorCode = (typeof RECORD_ERROR_CODES)[number];

export const RECORD_WARNING_CODES = [
  'BYTES_SKIPPED',
  'TERMINATOR_ADDED',
  'LENGTH_MISMATCH',
  'BASE_REBUILT',
  'ENTRY_MAP',
  'DIRECTORY_REBUILT',
  'CONTROL_SUBFIELD',
  'INDICATOR',
  'NO_SUBFIELD',
  'CONTROL_CHAR',
  'ENCODING',
  'ENCODING_GUESSED',
  'FLAG_MISSING',
  'MARC8_UNKNOWN',
  'TRAILING_DATA',
  'OVERSIZE_LEADER',
  '999FF_STRIPPED',
] as const;
export type RecordWarningCode = (typeof RECORD_WARNING_CODES)[number];

/** Why a record could not be read or written. */
export interface RecordError {
  readonly failed: true;
  readonly code: RecordErrorCode;
  /** Bytes from the first byte of the record's frame; may equal its length ("at the end"). */
  readonly offset: number;
  /** The field concerned, where one is known; `LDR` for the leader. */
  readonly tag?: string;
  /** Sentence that replaces the one of the code, where more can be said. */
  readonly detail?: string;
}

/** What was repaired or noticed while a record was read. */
export interface RecordWarning {
  readonly code: RecordWarningCode;
  /** Bytes from the first byte of the frame to the first such place. */
  readonly offset: number;
  readonly tag?: string;
  /** How often in this field (bytes for BYTES_SKIPPED and TRAILING_DATA). */
  readonly count: number;
  readonly detail?: string;
}

export function recordError(
  code: RecordErrorCode,
  offset: number,
  more: { tag?: string; detail?: string } = {},
): RecordError {
  return { failed: true, code, offset, ...more };
}

/** A tag has three letters or digits. What stands in its place may be anything, in JSON as long as a record. */
const BAD_TAG_CHARACTERS_MAX = 20;

/** @param offset bytes from the first byte of the frame @returns TAG, with the beginning of what stands in place of a tag */
export function invalidTag(tag: string, offset = 0): RecordError {
  const beginning = [...tag.slice(0, 2 * BAD_TAG_CHARACTERS_MAX)];
  const shown = beginning.slice(0, BAD_TAG_CHARACTERS_MAX).join('');
  return recordError('TAG', offset, { tag: shown, detail: `Invalid tag: ${shown}` });
}

/** A hostile record can hold 75,000 faulty fields; beyond this many lines the counts go to the last line of the code. */
const WARNING_LINES_MAX = 100;

/** Where and how often, beside the code. */
interface WarningPlace {
  readonly tag?: string;
  readonly count?: number;
  readonly detail?: string;
  /** Offset at which the field starts: faults of one code in one field share a line. */
  readonly field?: number;
}

/** Collects warnings: one line per code and field, its first place and how often. */
export class WarningList {
  private readonly lines: (RecordWarning & { count: number })[] = [];
  /** The last line of each code and the field it is about: no search, for there may be a million faults. */
  private readonly last = new Map<RecordWarningCode, { line: { count: number }; field: number }>();

  add(code: RecordWarningCode, offset: number, place: WarningPlace = {}): void {
    const { tag, count = 1, detail, field = -1 } = place;
    const last = this.last.get(code);
    const sameField = field >= 0 && last?.field === field;
    if (last && (sameField || this.lines.length >= WARNING_LINES_MAX)) {
      last.line.count += count;
      return;
    }
    const line = { code, offset, ...(tag && { tag }), count, ...(detail && { detail }) };
    this.lines.push(line);
    this.last.set(code, { line, field });
  }

  get list(): readonly RecordWarning[] {
    return this.lines;
  }
}

const ERROR_SENTENCES: Record<RecordErrorCode, string> = {
  TRUNCATED: 'The record breaks off before its end',
  TOO_LARGE: 'The record is longer than 1 MiB',
  LEADER: 'The leader is missing or does not have 24 characters',
  BASE_ADDRESS: 'The place where the fields begin cannot be found',
  DIRECTORY: 'The directory does not match the fields of the record',
  FIELD_TERMINATOR: 'A field does not end where the directory says it ends',
  TAG: 'Invalid tag',
  NO_FIELDS: 'The record has no fields',
  ENCODING: 'The characters of the record cannot be read',
  XML_SYNTAX: 'The XML is not well-formed; the rest of the file cannot be read',
  JSON_SYNTAX: 'The JSON is not well-formed; the rest of the file cannot be read',
  JSON_STRUCTURE: 'The JSON does not have the form of a MARC record',
  DOCTYPE_FORBIDDEN: 'A document type declaration (DOCTYPE) is not allowed',
};

const WARNING_SENTENCES: Record<RecordWarningCode, string> = {
  BYTES_SKIPPED: 'Bytes before the record that belong to no record were skipped',
  TERMINATOR_ADDED: 'The end mark of the record was missing and was added',
  LENGTH_MISMATCH: 'The record length in the leader was wrong and was computed anew',
  BASE_REBUILT: 'The leader told a wrong place for the first field; it was found again',
  ENTRY_MAP: 'The leader describes an unusual directory, which was read as described',
  DIRECTORY_REBUILT: 'The directory was wrong and was made anew from the end marks of the fields',
  CONTROL_SUBFIELD: 'A control field holds a subfield mark, which was kept',
  INDICATOR: 'The field did not have exactly two valid indicators; they were padded or cut',
  NO_SUBFIELD: 'The field has no subfield, or a subfield mark without a code that was left out',
  CONTROL_CHAR: 'Control characters were replaced by U+FFFD',
  ENCODING: 'Bytes that are not valid UTF-8 were replaced by U+FFFD',
  ENCODING_GUESSED: 'The record is not UTF-8 as it claims; its characters were read by best guess',
  FLAG_MISSING: 'The record is in UTF-8 although its leader does not say so',
  MARC8_UNKNOWN: 'Unknown MARC-8 characters were replaced by U+FFFD',
  TRAILING_DATA: 'Data that belongs to no field was left out',
  OVERSIZE_LEADER: 'The record or a field is too long for the numbers of ISO 2709',
  '999FF_STRIPPED': 'An existing field 999 ff was removed',
};

/** The plain sentence of an error, without its place. */
export function errorSentence(error: RecordError): string {
  if (error.detail) return error.detail;
  const sentence = ERROR_SENTENCES[error.code];
  return error.tag ? `${sentence} (field ${error.tag})` : sentence;
}

/** The plain sentence of a warning, with field and count where they say something. */
export function warningSentence(warning: RecordWarning): string {
  const sentence = warning.detail ?? WARNING_SENTENCES[warning.code];
  const field = warning.tag ? `field ${warning.tag}` : '';
  const times = warning.count > 1 ? `${warning.count} times` : '';
  const place = [field, times].filter(Boolean).join(', ');
  return place ? `${sentence} (${place})` : sentence;
}

/**
 * Error text of log entries and journal rows. Clients parse this JSON.
 *
 * @param order position of the record in its input, from 0
 * @param byte position in the file, from 0; left out for records of a batch, which have no file
 */
export function codedErrorText(
  name: string,
  sentence: string,
  place: { order: number; byte?: number },
): string {
  const byte = place.byte === undefined ? '' : `, byte ${place.byte}`;
  const message = `${sentence} (record ${place.order + 1}${byte})`;
  return JSON.stringify({ errors: [{ name, message }] });
}

/** `codedErrorText` of a record error; `frameOffset` is where its frame begins in the file. */
export function recordErrorText(error: RecordError, order: number, frameOffset?: number): string {
  const byte = frameOffset === undefined ? {} : { byte: frameOffset + error.offset };
  return codedErrorText(error.code, errorSentence(error), { order, ...byte });
}
