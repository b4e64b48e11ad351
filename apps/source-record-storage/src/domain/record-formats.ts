import { jsonLine } from '@quire/marc/marc-json';
import { writeMarcXml, MARCXML_CLOSE, MARCXML_OPEN } from '@quire/marc/marcxml-write';
import { writeMrk } from '@quire/marc/mrk';
import {
  contentJson,
  contentOf,
  marcBytesOf,
  marcRecordOf,
  type StoredContent,
} from './stored-content.js';

/**
 * Records in the formats of catalogues instead of JSON (source-record-storage, section 14). One record as it is, a stream as
 * one document that any reader of the format takes:
 *
 *   marc          application/marc            ISO 2709, one behind the other
 *   marcxml       application/marcxml+xml     one `collection`
 *   marc-in-json  application/marc-in-json    one object per line
 *   mrk           text/x-mrk                  mnemonic text, a blank line behind each record
 *
 * What a format cannot carry is left out of a stream, because one bad record makes readers lose all that follow: EDIFACT and
 * records without parsed content in all of them; in ISO 2709 also records without leader and those of more than 99,999 bytes,
 * whose length it has no room for. Ask for JSON or MARCXML to see these. Control characters inside a text become U+FFFD, as in
 * exports; only marc-in-json keeps them.
 */
export const RECORD_FORMATS = ['marc', 'marcxml', 'marc-in-json', 'mrk'] as const;
export type RecordFormat = (typeof RECORD_FORMATS)[number];

export const MEDIA_TYPE: Readonly<Record<RecordFormat, string>> = {
  marc: 'application/marc',
  marcxml: 'application/marcxml+xml',
  'marc-in-json': 'application/marc-in-json',
  mrk: 'text/x-mrk; charset=utf-8',
};

/** Digits of a record's length (ISO 2709, leader 00–04). */
const MARC_BYTES_MAX = 99_999;

/** One record of a stream; undefined if the format cannot carry it. */
export function recordIn(format: RecordFormat, content: StoredContent): Buffer | undefined {
  switch (format) {
    case 'marc': {
      const bytes = marcBytesOf(content);
      return bytes && bytes.length <= MARC_BYTES_MAX ? bytes : undefined;
    }
    case 'marc-in-json':
      return marcJsonLine(content);
    case 'marcxml':
    case 'mrk': {
      const record = marcRecordOf(content);
      return record && (format === 'mrk' ? writeMrk(record) : writeMarcXml(record));
    }
  }
}

/** JSON is written anew: of an order it is kept as it was sent, with its line ends, and is no MARC. */
function marcJsonLine(content: StoredContent): Buffer | undefined {
  if (content.form === 'ISO2709') return jsonLine(contentJson(content));
  const json = content.form === 'JSON' ? contentOf(content) : {};
  return typeof json === 'object' && 'fields' in json ? jsonLine(JSON.stringify(json)) : undefined;
}

/** A document of one record. A single record of ISO 2709 may have any length: nothing follows it. */
export function documentOf(format: RecordFormat, content: StoredContent): Buffer | undefined {
  if (format === 'marc') return marcBytesOf(content);
  const record = recordIn(format, content);
  // eslint-disable-next-line no-restricted-properties -- one record
  return record && Buffer.concat([opening(format), record, closing(format)]);
}

const NOTHING = Buffer.alloc(0);
const XML_OPENING = Buffer.from(MARCXML_OPEN);
const XML_CLOSING = Buffer.from(MARCXML_CLOSE);

/** What stands before the first record. */
export const opening = (format: RecordFormat): Buffer =>
  format === 'marcxml' ? XML_OPENING : NOTHING;

/** What stands behind the last record. */
export const closing = (format: RecordFormat): Buffer =>
  format === 'marcxml' ? XML_CLOSING : NOTHING;
