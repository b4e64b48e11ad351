/**
 * Says what a refused record was about, as far as that can be told: whoever has to mend it looks for a number or a title.
 */

import { type RecordSummary, recordTypeOf, summarise } from '../fields.js';
import {
  ENTRY_BYTES,
  FIELD_TERMINATOR,
  isControlTag,
  isForbiddenControl,
  LEADER_BYTES,
  packTag,
  SUBFIELD_DELIMITER,
} from './grammar.js';
import { type FieldBytes, writeRecord } from './write.js';

/** The parts of a summary that a damaged record may still tell. */
export type Salvage = Partial<Pick<RecordSummary, 'recordType' | 'hrid' | 'title'>>;

/** Fields that a summary looks at: the first of each is enough. */
const TELLING = /^(001|245|1..)$/;
/** A title that begins later is not looked for. */
const FIELDS_MAX = 1_000;

/**
 * Type, number and title of a frame that could not be read; what is uncertain is left out.
 *
 * Takes the n-th field by its end mark for the n-th directory entry. Bytes that are not UTF-8 become U+FFFD.
 */
export function salvage(frame: Buffer): Salvage {
  const recordType = recordTypeOf(frame[6] ?? -1);
  const fields = tellingFields(frame);
  const leader = frame.toString('latin1', 0, LEADER_BYTES);
  const record = fields.length > 0 ? writeRecord(leader, fields) : undefined;
  if (!record || record.failed) return recordType ? { recordType } : {};
  const { hrid, title } = summarise(record);
  const titled = recordType === 'MARC_HOLDING' || fields.some(({ tag }) => tag !== '001');
  return { ...(recordType && { recordType }), ...(hrid && { hrid }), ...(titled && { title }) };
}

function tellingFields(frame: Buffer): FieldBytes[] {
  const fields: FieldBytes[] = [];
  const seen = new Set<string>();
  let start = frame.indexOf(FIELD_TERMINATOR, LEADER_BYTES) + 1;
  if (start === 0) return fields;
  const count = Math.min(FIELDS_MAX, Math.floor((start - 1 - LEADER_BYTES) / ENTRY_BYTES));
  for (let i = 0; i < count; i++) {
    const end = frame.indexOf(FIELD_TERMINATOR, start);
    if (end < 0) break;
    const at = LEADER_BYTES + i * ENTRY_BYTES;
    const tag = frame.toString('latin1', at, at + 3);
    if (TELLING.test(tag) && !seen.has(tag)) {
      seen.add(tag);
      fields.push({ tag, body: readable(frame.subarray(start, end), tag) });
    }
    start = end + 1;
  }
  return fields;
}

/** Valid UTF-8 without control characters but the delimiters of a data field. */
function readable(body: Buffer, tag: string): Buffer {
  const bytes = Buffer.from(body.toString());
  const delimited = !isControlTag(packTag(tag));
  for (let i = 0; i < bytes.length; i++) {
    const delimiter = delimited && bytes[i] === SUBFIELD_DELIMITER;
    if (isForbiddenControl(bytes[i]!) && !delimiter) bytes[i] = 0x20;
  }
  return bytes;
}
