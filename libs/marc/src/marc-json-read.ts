/**
 * Reads MARC-in-JSON (see `marc-json.ts`), as bytes of a file or already parsed, into a record.
 *
 * Whoever sends it has seen no grammar, so the shape is checked strictly: a field has one tag, a subfield one code.
 * Faults of single characters are repaired with a warning, as in ISO 2709; their place is told by the tag alone.
 */

import { isUtf8 } from 'node:buffer';
import {
  invalidTag,
  recordError,
  type RecordError,
  type RecordWarningCode,
  WarningList,
} from './errors.js';
import { LEADER_BYTES, packTag, isControlTag, RECORD_BYTES_MAX } from './iso2709/grammar.js';
import {
  controlField,
  dataField,
  type FieldBytes,
  replaceControls,
  writeRecord,
} from './iso2709/write.js';
import { MarcRecord } from './record.js';

/** Objects and lists in one another that a record may have. */
const JSON_DEPTH_MAX = 64;

/**
 * A record from one object of a file. Never throws, whatever the bytes.
 *
 * @param options `strict`: characters that cannot be read are error `ENCODING`, not a warning
 * @returns the errors of `readMarcJson`, for what is no JSON too
 */
export function readMarcJsonFrame(
  frame: Buffer,
  options: { strict?: boolean } = {},
): MarcRecord | RecordError {
  if (frame.length > RECORD_BYTES_MAX) return recordError('TOO_LARGE', 0);
  const parsed = parseMarcJson(frame);
  if (parsed.failed) return parsed;
  const read = readMarcJson(parsed.json);
  if (read.failed) return read;
  const warnings = new WarningList();
  if (!isUtf8(frame)) warnings.add('ENCODING', 0);
  const all = [...warnings.list, ...read.warnings];
  if (options.strict && all.some(({ code }) => code === 'ENCODING')) {
    return recordError('ENCODING', 0);
  }
  return new MarcRecord(read.bytes, read.table, all);
}

/** JSON that is not nested too deep to be walked. @returns error `JSON_STRUCTURE` for what is no JSON */
export function parseMarcJson(text: Buffer): { failed: false; json: unknown } | RecordError {
  if (depthOf(text) > JSON_DEPTH_MAX) {
    return structure(`Objects and lists are nested more than ${JSON_DEPTH_MAX} deep`);
  }
  try {
    return { failed: false, json: JSON.parse(text.toString()) as unknown };
  } catch {
    return structure('The object is not well-formed JSON');
  }
}

/** How deep brackets are nested outside of texts. */
function depthOf(json: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (inText) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > deepest) deepest = depth;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return deepest;
}

/**
 * A record from its JSON.
 *
 * @param leaderInstead taken where the JSON has no leader; without it that is an error
 * @returns error `JSON_STRUCTURE`, `LEADER`, `TAG`, `NO_FIELDS` or `TOO_LARGE`, with offset 0
 */
export function readMarcJson(json: unknown, leaderInstead?: string): MarcRecord | RecordError {
  if (!isObject(json)) return structure('A record is an object with leader and fields');
  const { leader = leaderInstead, fields } = json;
  if (typeof leader !== 'string' || leader.length !== LEADER_BYTES) {
    return recordError('LEADER', 0, { tag: 'LDR' });
  }
  if (!Array.isArray(fields)) return structure('"fields" is not a list');
  const reader = new JsonFields();
  if (/[^\x20-\x7e]/.test(leader)) reader.warn('CONTROL_CHAR', 'LDR', 0);
  const bodies: FieldBytes[] = [];
  for (const [index, field] of (fields as unknown[]).entries()) {
    const body = reader.field(field, index);
    if ('failed' in body) return body;
    bodies.push(body);
  }
  const written = writeRecord(leader.toWellFormed(), bodies);
  if (written.failed) return written;
  const warnings = [...reader.warnings.list, ...written.warnings];
  return new MarcRecord(written.bytes, written.table, warnings);
}

/** Faults that change nothing of what the record says. */
const HARMLESS: ReadonlySet<RecordWarningCode> = new Set(['NO_SUBFIELD', 'OVERSIZE_LEADER']);

/**
 * Does a record say all that the JSON says from which it was read? Nothing was repaired, and no property is left over. The
 * numbers of the leader that every writer computes anew (00–04, 09–17, 20–23) do not count, nor does the order of properties.
 */
export function isExact(json: unknown, record: MarcRecord): boolean {
  if (!isObject(json) || record.warnings.some(({ code }) => !HARMLESS.has(code))) return false;
  if (!hasOnly(json, RECORD_KEYS)) return false;
  return (json['fields'] as unknown[]).every((field) => {
    const content = onlyEntry(field)?.[1];
    return !isObject(content) || hasOnly(content, DATA_KEYS);
  });
}

const RECORD_KEYS: ReadonlySet<string> = new Set(['leader', 'fields']);
const DATA_KEYS: ReadonlySet<string> = new Set(['ind1', 'ind2', 'subfields']);

function hasOnly(json: object, keys: ReadonlySet<string>): boolean {
  return Object.keys(json).every((key) => keys.has(key));
}

/** Turns fields into bytes and remembers what had to be repaired. */
class JsonFields {
  readonly warnings = new WarningList();

  field(field: unknown, index: number): FieldBytes | RecordError {
    const entry = onlyEntry(field);
    if (!entry) return structure(`Field ${index + 1} is not an object with one tag`);
    const [tag, content] = entry;
    if (!/^[0-9A-Za-z]{3}$/.test(tag)) return invalidTag(tag);
    if (isControlTag(packTag(tag))) {
      if (typeof content !== 'string') return structure(`Field ${tag} is not text`, tag);
      return controlField(tag, this.text(content, tag, index));
    }
    if (!isObject(content) || !Array.isArray(content['subfields'])) {
      return structure(`Field ${tag} has no list of subfields`, tag);
    }
    const indicators = [content['ind1'], content['ind2']].map((one) =>
      this.indicator(one, tag, index),
    );
    const subfields: [string, string][] = [];
    for (const subfield of content['subfields'] as unknown[]) {
      const [code, text] = onlyEntry(subfield) ?? [];
      if (
        code === undefined ||
        typeof text !== 'string' ||
        (code.length !== 1 && [...code].length !== 1)
      ) {
        return structure(`A subfield of field ${tag} is not an object with one code`, tag);
      }
      subfields.push([this.text(code, tag, index), this.text(text, tag, index)]);
    }
    if (subfields.length === 0) this.warn('NO_SUBFIELD', tag, index);
    return dataField(tag, indicators.join(''), subfields);
  }

  warn(code: RecordWarningCode, tag: string, field: number): void {
    this.warnings.add(code, 0, { tag, field });
  }

  private indicator(indicator: unknown, tag: string, field: number): string {
    if (typeof indicator === 'string' && /^[\x20-\x7e]$/.test(indicator)) return indicator;
    this.warn('INDICATOR', tag, field);
    return ' ';
  }

  private text(text: string, tag: string, field: number): string {
    if (!text.isWellFormed()) this.warn('ENCODING', tag, field);
    const clean = replaceControls(text);
    if (clean !== text) this.warn('CONTROL_CHAR', tag, field);
    return clean;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Key and value of an object that has just one. A list of its entries would cost more than reading them. */
function onlyEntry(value: unknown): [string, unknown] | undefined {
  if (!isObject(value)) return undefined;
  let only: string | undefined;
  for (const key in value) {
    if (only !== undefined) return undefined;
    only = key;
  }
  return only === undefined ? undefined : [only, value[only]];
}

function structure(detail: string, tag?: string): RecordError {
  return recordError('JSON_STRUCTURE', 0, { ...(tag && { tag }), detail });
}
