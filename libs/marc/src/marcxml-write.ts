/**
 * Writes MARCXML, the XML form of MARC 21 records (namespace `http://www.loc.gov/MARC21/slim`), one element a record:
 *
 *   record       = <record> leader controlfield* datafield* </record>, the fields in their order
 *   controlfield = <controlfield tag="001"> text
 *   datafield    = <datafield tag="245" ind1="1" ind2="0"> (<subfield code="a"> text)*
 *
 * Whatever a record holds, what is written is well-formed: characters that XML 1.0 cannot hold (they are no text of
 * any catalogue) become U+FFFD, and line ends that a reader would change are written as references.
 */

import type { MarcRecord } from './record.js';

export const MARCXML_NAMESPACE = 'http://www.loc.gov/MARC21/slim';

/** What stands before the first record of a file and behind the last one. */
export const MARCXML_OPEN = `<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="${MARCXML_NAMESPACE}">\n`;
export const MARCXML_CLOSE = '</collection>\n';

/** One `record` element in UTF-8 with a line end behind it. A data field without subfields is an empty element. */
export function writeMarcXml(record: MarcRecord): Buffer {
  // One decoding of all fields is several times cheaper than one per subfield; end marks and delimiters stay in it.
  const data = record.bytes.toString('utf8', record.start(0), record.bytes.length - 1);
  let xml = `<record><leader>${escaped(record.leader)}</leader>`;
  let start = 0;
  for (let i = 0; i < record.fieldCount; i++) {
    const end = data.indexOf('\x1e', start);
    const body = data.slice(start, end);
    const tag = record.tag(i);
    xml += record.isControl(i)
      ? `<controlfield tag="${tag}">${escaped(body)}</controlfield>`
      : dataText(tag, body);
    start = end + 1;
  }
  return Buffer.from(`${xml}</record>\n`);
}

/** Searches in the field alone: in the whole record a field without delimiters would be searched to its very end. */
function dataText(tag: string, body: string): string {
  let xml = `<datafield tag="${tag}" ind1="${escaped(body[0]!)}" ind2="${escaped(body[1]!)}">`;
  let at = body.indexOf('\x1f', 2);
  while (at >= 0) {
    const next = body.indexOf('\x1f', at + 1);
    const text = at + 1 + (body.codePointAt(at + 1)! > 0xffff ? 2 : 1);
    const value = next < 0 ? body.slice(text) : body.slice(text, next);
    xml += `<subfield code="${escaped(body.slice(at + 1, text))}">${escaped(value)}</subfield>`;
    at = next;
  }
  return `${xml}</datafield>`;
}

/** What cannot stand as it is in text or between quotes, by XML 1.0 or by what readers make of it. */
const TO_ESCAPE = /[&<>"\p{Cc}\ufffe\uffff]/gu;
const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Text and attribute values alike. U+007F to U+009F are allowed, but not all readers leave them as they are. */
function escaped(text: string): string {
  return text.replace(TO_ESCAPE, (char) => {
    const unit = char.charCodeAt(0);
    const allowed = unit >= 0x7f ? unit < 0xfffe : unit === 9 || unit === 10 || unit === 13;
    return REFERENCES[char] ?? (allowed ? `&#${unit};` : '\ufffd');
  });
}
