/** What a file is, told by its first bytes and never by its name. */

export type InputFormat =
  'ISO2709' | 'MARCXML' | 'MARC_JSON' | 'COMPRESSED' | 'EDIFACT' | 'UNKNOWN';

/** Bytes `recognise` should be given, if the file has as many; the mark of a tar archive lies at byte 257. */
export const RECOGNISE_BYTES = 512;

const SIGNATURES = [
  '1f8b', // gzip
  '504b0304', // zip
  '504b0506', // zip, empty
  '504b0708', // zip, spanned
  '28b52ffd', // zstd
  'fd377a585a00', // xz
  '377abcaf271c', // 7z
].map((hex) => Buffer.from(hex, 'hex'));
const BZIP2 = Buffer.from('BZh');
const TAR_AT = 257;
const TAR_MARKS = [Buffer.from('ustar\0'), Buffer.from('ustar  \0')];
const BOMS = [
  [0xef, 0xbb, 0xbf],
  [0xff, 0xfe],
  [0xfe, 0xff],
].map((bytes) => Buffer.from(bytes));
const BLANKS = new Set([0x00, 0x09, 0x0a, 0x0d, 0x1a, 0x20]);

/**
 * Names the format of a file from its beginning.
 *
 * `ISO2709` is also the answer for anything unheard of: a good record may follow. `UNKNOWN` means there was nothing but
 * blanks. UTF-16 is not told apart here: XML in it is `MARCXML`, and the XML reader refuses the encoding.
 */
export function recognise(head: Buffer): InputFormat {
  if (isCompressed(head)) return 'COMPRESSED';
  const at = firstByte(head);
  if (at === head.length) return 'UNKNOWN';
  const start = head.toString('latin1', at, at + 4);
  if (start.startsWith('<')) return 'MARCXML';
  if (start.startsWith('[') || start.startsWith('{')) return 'MARC_JSON';
  if (start.startsWith('UNA') || start === 'UNB+') return 'EDIFACT';
  return 'ISO2709';
}

function isCompressed(head: Buffer): boolean {
  if (SIGNATURES.some((signature) => holds(head, 0, signature))) return true;
  const level = head[BZIP2.length] ?? 0;
  if (holds(head, 0, BZIP2) && level >= 0x31 && level <= 0x39) return true;
  return TAR_MARKS.some((mark) => holds(head, TAR_AT, mark));
}

/** The first byte behind byte order marks and blanks; the length when there is none. */
function firstByte(head: Buffer): number {
  let at = 0;
  while (at < head.length) {
    const bom = BOMS.find((mark) => holds(head, at, mark));
    if (bom) at += bom.length;
    else if (BLANKS.has(head[at]!)) at++;
    else break;
  }
  return at;
}

function holds(bytes: Buffer, at: number, wanted: Buffer): boolean {
  return bytes.subarray(at, at + wanted.length).equals(wanted);
}
