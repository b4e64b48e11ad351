import { is999ff } from '@quire/marc/iso2709/stored';
import { isControlTag, packTag } from '@quire/marc/iso2709/grammar';
import { subfieldStart, type MarcRecord } from '@quire/marc/record';

/**
 * Keys by which the index of MARC fields finds a record (source-record-storage, 7.2): tag, subfield code and value as one
 * lexeme, `035a(OCoLC)63611770`; of a control field tag and value, `001in001`. They are taken from the bytes as they stand,
 * for every record of an import.
 *
 * A value is cut to {@link VALUE_BYTES_MAX}, which both sides do alike: equal values have equal keys, and a value that begins
 * with another has a key that does. Keys only find candidates, so nothing depends on what was cut off.
 */
const INDEXED = new Set(['001', '003', '010', '020', '022', '024', '028', '035'].map(packTag));
const TAG_999 = packTag('999');

/** Longest known OCLC, ISBN and publisher numbers are shorter by far; a lexeme holds 2,046. */
const VALUE_BYTES_MAX = 120;
/** More keys than this in a record are noise: it is then a candidate of every look-up. A tsvector holds 1 MiB. */
const KEYS_MAX = 1_000;

/** Codes that can be asked for; all others share one. */
const CODES = '0123456789abcdefghijklmnopqrstuvwxyz';
const OTHER_CODE = '*';

/** The key of a record with too many; it begins like no other key. */
const ANY_KEY = '*';

/** What `999 ff` must say if no keys are to be made of it: then the columns find the record. */
export interface OwnIds {
  readonly matchedId: string;
  readonly externalId: string | null;
}

export const isIndexed = (tag: string): boolean => INDEXED.has(packTag(tag));

/**
 * All keys of a record, each once, in the order of bytes, which is that of a tsvector.
 *
 * @param own absent for a record that has no 999 ff yet, or will have the right one
 */
export function marcKeys(record: MarcRecord, own?: OwnIds): Buffer[] {
  const keys: Buffer[] = [];
  for (let field = 0; field < record.fieldCount; field++) {
    const tag = record.packedTag(field);
    if (tag === TAG_999) addIds(record, field, own, keys);
    else if (INDEXED.has(tag)) addField(record, field, keys);
    if (keys.length > KEYS_MAX) return [Buffer.from(ANY_KEY)];
  }
  return distinct(keys);
}

function addField(record: MarcRecord, field: number, keys: Buffer[]): void {
  const tag = record.packedTag(field);
  const start = record.start(field);
  const end = record.end(field);
  if (isControlTag(tag)) {
    keys.push(key(tag, undefined, record.bytes, [start, end]));
    return;
  }
  let at = subfieldStart(record.bytes, start + 2, end);
  while (at < end) {
    const next = subfieldStart(record.bytes, at, end);
    const code = record.bytes[at]!;
    const known = IS_CODE[code] === 1;
    const from = known ? at + 1 : at + codeBytes(code);
    keys.push(key(tag, known ? code : OTHER_BYTE, record.bytes, [from, Math.min(end, next - 1)]));
    at = next;
  }
}

const IS_CODE = new Uint8Array(256);
for (const code of CODES) IS_CODE[code.charCodeAt(0)] = 1;
const OTHER_BYTE = OTHER_CODE.charCodeAt(0);

/** Length of a character in UTF-8, by its first byte. */
const codeBytes = (lead: number): number =>
  lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

function key(
  tag: number,
  code: number | undefined,
  bytes: Uint8Array,
  [from, to]: readonly [number, number],
): Buffer {
  const head = code === undefined ? 3 : 4;
  const end = cutAt(bytes, from, to);
  const made = Buffer.allocUnsafe(head + end - from);
  made[0] = tag >> 16;
  made[1] = (tag >> 8) & 0xff;
  made[2] = tag & 0xff;
  if (code !== undefined) made[3] = code;
  for (let at = from, into = head; at < end; at++, into++) made[into] = bytes[at]!;
  return made;
}

/** End of the value's first bytes, between two characters. */
function cutAt(bytes: Uint8Array, from: number, to: number): number {
  if (to - from <= VALUE_BYTES_MAX) return to;
  let end = from + VALUE_BYTES_MAX;
  while (end > from && (bytes[end]! & 0xc0) === 0x80) end--;
  return end;
}

const UUID_BYTES = 36;

/**
 * Ids in a 999 that the columns of the record do not tell: of other fields 999, and of a 999 ff that says something else. Only
 * what looks like an id counts, because libraries keep their items in 999 too.
 */
function addIds(record: MarcRecord, field: number, own: OwnIds | undefined, keys: Buffer[]): void {
  const ours = is999ff(record, field);
  if (ours && !own) return;
  for (const [code, text] of record.subfields(field)) {
    if ((code !== 's' && code !== 'i') || text.length !== UUID_BYTES) continue;
    const id = text.toLowerCase();
    if (ours && id === (code === 's' ? own?.matchedId : own?.externalId)) continue;
    keys.push(Buffer.from(`999${code}${id}`));
  }
}

function distinct(keys: Buffer[]): Buffer[] {
  if (keys.length < 2) return keys;
  keys.sort((one, other) => one.compare(other));
  return keys.filter((one, at) => at === 0 || !one.equals(keys[at - 1]!));
}

/** A key that is looked for; `prefix`: any key that begins with it. */
export interface WantedKey {
  readonly key: string;
  readonly prefix: boolean;
}

/**
 * The keys of which a record must have one if some value of the tag is, or begins with, this one.
 *
 * @param code absent: any subfield, or a control field
 */
export function wantedKeys(
  tag: string,
  code: string | undefined,
  value: string,
  prefix: boolean,
): WantedKey[] {
  const bytes = Buffer.from(value);
  const cut = bytes.toString('utf8', 0, cutAt(bytes, 0, bytes.length));
  const codes = isControlTag(packTag(tag)) ? [''] : code === undefined ? ALL_CODES : [code];
  return codes.map((one) => ({ key: `${tag}${one}${cut}`, prefix }));
}

const ALL_CODES = [...CODES, OTHER_CODE];

/** The key of an id in `999 $s` or `$i` that no column tells. */
export const wantedId = (code: 's' | 'i', id: string): WantedKey => ({
  key: `999${code}${id.toLowerCase()}`,
  prefix: false,
});

/** Records with too many keys: to be looked for besides. */
export const ALWAYS_WANTED: WantedKey = { key: ANY_KEY, prefix: false };
