/** Writes records in MARC-8, for binary export. */

import { isAscii } from 'node:buffer';
import { WarningList } from '../errors.js';
import { Marc8Encoder } from '../marc8-encode.js';
import type { MarcRecord } from '../record.js';
import { ENTRY_BYTES, LEADER_BYTES } from './grammar.js';
import { type ExportLimit, exportLimit, writeStored } from './write.js';

/** A record of which nothing may be read as UTF-8: leader/09 is blank. */
export interface Marc8Record {
  readonly failed: false;
  readonly bytes: Buffer;
}

const BLANK = 0x20;
const CHARSET_AT = 9;
const INDICATORS = 2;

/**
 * The record as ISO 2709 in MARC-8, leader/09 blank; characters without a form there as `&#xHHHH;`.
 *
 * @returns the limit of ISO 2709 that the record breaks when written so, if it breaks one: references and escape
 *   sequences may make it longer than it was
 */
export function toMarc8(
  record: MarcRecord,
): Marc8Record | ({ readonly failed: true } & ExportLimit) {
  const encoder = new Marc8Encoder();
  const count = record.fieldCount;
  const tags = new Uint32Array(count);
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    encodeField(encoder, record.body(i), record.isControl(i));
    tags[i] = record.packedTag(i);
    ends[i] = encoder.endField();
  }
  const pieces = { leader: record.bytes, tags, ends, data: encoder.bytes };
  const written = writeStored(pieces, new WarningList());
  if (written.failed) {
    const length = LEADER_BYTES + count * ENTRY_BYTES + 1 + encoder.bytes.length + 1;
    return { failed: true, limit: 'record', length };
  }
  const limit = exportLimit(written);
  if (limit) return { failed: true, ...limit };
  written.bytes[CHARSET_AT] = BLANK;
  return { failed: false, bytes: written.bytes };
}

/** A field's body; no mark may fall on an indicator. */
function encodeField(encoder: Marc8Encoder, body: Buffer, control: boolean): void {
  if (isAscii(body)) {
    encoder.plain(body);
    return;
  }
  if (control) {
    encoder.text(body.toString());
    return;
  }
  encoder.plain(body.subarray(0, INDICATORS));
  encoder.subfields(body.toString('utf8', INDICATORS));
}
