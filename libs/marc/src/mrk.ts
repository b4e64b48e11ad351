/**
 * Writes the mnemonic text form of MARC that MarcEdit, MARCMaker and pymarc know (`.mrk`), for people who look at records or
 * mend them by hand:
 *
 *   record  = "=LDR  " leader LF { field } LF                     a blank line ends it
 *   field   = "=" tag two blanks ( text | ind1 ind2 { "$" code text } ) LF
 *
 * Blanks of control fields and indicators are written as `\`; those of the leader and of subfields stand as they are. What has
 * a meaning of its own is written by its name: `{dollar}`, `{lcub}`, `{rcub}` and `{bsol}`. A line has one field: line ends in
 * texts become blanks. The text is UTF-8 and holds records of any length.
 */

import type { MarcRecord } from './record.js';

/** One record with the blank line behind it. */
export function writeMrk(record: MarcRecord): Buffer {
  // One decoding of all fields is several times cheaper than one per subfield; end marks and delimiters stay in it.
  const data = record.bytes.toString('utf8', record.start(0), record.bytes.length - 1);
  let mrk = `=LDR  ${record.leader}\n`;
  let start = 0;
  for (let i = 0; i < record.fieldCount; i++) {
    const end = data.indexOf('\x1e', start);
    const body = data.slice(start, end);
    const text = record.isControl(i)
      ? visibleBlanks(escaped(body))
      : visibleBlanks(escaped(body.slice(0, 2))) + escaped(body.slice(2));
    mrk += `=${record.tag(i)}  ${text}\n`;
    start = end + 1;
  }
  return Buffer.from(`${mrk}\n`);
}

const visibleBlanks = (text: string): string => text.replaceAll(' ', '\\');

const TO_ESCAPE = /[$\\{}\p{Cc}]/gu;
const INSTEAD: Readonly<Record<string, string>> = {
  $: '{dollar}',
  '\\': '{bsol}',
  '{': '{lcub}',
  '}': '{rcub}',
  '\x1f': '$',
  '\r': ' ',
  '\n': ' ',
};

const escaped = (text: string): string => text.replace(TO_ESCAPE, (char) => INSTEAD[char] ?? char);
