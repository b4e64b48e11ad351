/** Reads what Quire keeps beside a record: its type, status, numbers and title. */

import { type MarcRecord, subfieldStart } from './record.js';

export type MarcRecordType = 'MARC_BIB' | 'MARC_AUTHORITY' | 'MARC_HOLDING';

/** Type of record by leader/06; undefined for a letter that MARC 21 does not know. */
export function recordTypeOf(leader06: number): MarcRecordType | undefined {
  return RECORD_TYPES[leader06];
}

const RECORD_TYPES: (MarcRecordType | undefined)[] = [];
for (const letter of 'acdefgijkmoprt') RECORD_TYPES[letter.charCodeAt(0)] = 'MARC_BIB';
for (const letter of 'uvxy') RECORD_TYPES[letter.charCodeAt(0)] = 'MARC_HOLDING';
RECORD_TYPES['z'.charCodeAt(0)] = 'MARC_AUTHORITY';

/** What is kept beside the record to find and show it. */
export interface RecordSummary {
  readonly recordType: MarcRecordType | undefined;
  /** Leader/05, one character. */
  readonly status: string;
  /** Does the status say that the record was deleted (`d`, `s`, `x`)? */
  readonly deleted: boolean;
  /** 001 as it stands; of an authority trimmed. Undefined if absent or empty. */
  readonly hrid: string | undefined;
  /** 003 as it stands. */
  readonly controlNumberSource: string | undefined;
  /** 004 of a holdings record: the 001 of its bibliographic record. */
  readonly parentHrid: string | undefined;
  readonly title: string;
}

/** Summary of a record; its title is as long as it is, to be cut by who has a limit. */
export function summarise(record: MarcRecord): RecordSummary {
  const recordType = recordTypeOf(record.bytes[6]!);
  const status = String.fromCharCode(record.bytes[5]!);
  const number = controlText(record, '001');
  const hrid = recordType === 'MARC_AUTHORITY' ? number?.trim() || undefined : number;
  return {
    recordType,
    status,
    deleted: status === 'd' || status === 's' || status === 'x',
    hrid,
    controlNumberSource: controlText(record, '003'),
    parentHrid: recordType === 'MARC_HOLDING' ? controlText(record, '004') : undefined,
    title: titleOf(record, recordType, hrid),
  };
}

/** Text of the first control field with this tag, or undefined if there is none or it is empty. */
export function controlText(record: MarcRecord, tag: string): string | undefined {
  const field = record.find(tag);
  return field < 0 ? undefined : record.text(field) || undefined;
}

/** Stands for a title where there is none. */
export const NO_TITLE = 'No content';

/**
 * Title of a record: of a bibliographic one the first 245 (`a b c f g h k n p s` in their order), of an authority the
 * first 1XX, of holdings `Holdings ` and the number.
 */
export function titleOf(
  record: MarcRecord,
  recordType = recordTypeOf(record.bytes[6]!),
  hrid = controlText(record, '001'),
): string {
  if (recordType === 'MARC_HOLDING') return hrid ? `Holdings ${hrid}` : NO_TITLE;
  const field = recordType === 'MARC_AUTHORITY' ? findHeading(record) : record.find('245');
  if (field < 0) return NO_TITLE;
  const codes = recordType === 'MARC_AUTHORITY' ? undefined : TITLE_CODES;
  return joinSubfields(record, field, codes) || NO_TITLE;
}

/** Codes as flags by their byte. */
const TITLE_CODES = new Uint8Array(256);
for (const code of 'abcfghknps') TITLE_CODES[code.charCodeAt(0)] = 1;

function findHeading(record: MarcRecord): number {
  for (let i = 0; i < record.fieldCount; i++) {
    if (record.packedTag(i) >> 16 === 0x31) return i;
  }
  return -1;
}

function joinSubfields(record: MarcRecord, field: number, codes?: Uint8Array): string {
  const { bytes } = record;
  const end = record.end(field);
  let joined = '';
  let at = subfieldStart(bytes, record.start(field) + 2, end);
  while (at < end) {
    const next = subfieldStart(bytes, at, end);
    const code = bytes[at]!;
    if (!codes || codes[code] === 1) {
      const from = at + codeBytes(code);
      const to = Math.min(end, next - 1);
      if (to > from) joined += (joined && ' ') + bytes.toString('utf8', from, to);
    }
    at = next;
  }
  return joined;
}

/** Length of a subfield code in UTF-8, by its first byte. */
function codeBytes(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
