import type { SourceRecordType } from '@quire/contracts/source-records';
import { storable } from '@quire/contracts/storable';
import { errorSentence, type RecordError } from '@quire/marc/errors';
import { controlText, NO_TITLE, titleOf } from '@quire/marc/fields';
import { find999ff, type Ids999ff } from '@quire/marc/iso2709/stored';
import { withJson999ff, type MarcJsonSent } from '@quire/marc/marc-json-edit';
import { isExact, parseMarcJson, readMarcJson } from '@quire/marc/marc-json-read';
import type { MarcRecord } from '@quire/marc/record';
import { NO_LEADER, type StoredContent } from './stored-content.js';
import { cut, TITLE_BYTES_MAX } from './title.js';

/**
 * From parsed content as it is sent to what is stored of it (source-record-storage, 2.4 and 11).
 *
 * MARC-in-JSON, as an object or as the text of one, becomes ISO 2709 where that carries it exactly: no text had to be
 * repaired, no property is left over. What is readable besides stays the JSON that was sent: a record without leader, with
 * control characters in its text, with indicators that are none. What cannot be read at all is told with its reason; so is a
 * record of more than 1 MiB, which nothing that exports or indexes records could take.
 */
export interface ReadableContent {
  readonly failed: false;
  readonly facts: ContentFacts;
  /** What is stored if no id has to be written into it. */
  readonly stored: StoredContent;
  /** MARC only. */
  readonly json?: MarcJsonSent;
}

export interface UnreadableContent {
  readonly failed: true;
  /** One sentence. */
  readonly reason: string;
  /** What was sent, as text that Postgres can keep. */
  readonly sent: string;
  /** 001, where that much can be seen. */
  readonly hrid: string | undefined;
}

/** What is kept beside a record. */
export interface ContentFacts {
  /** Source records show it: not MARC without leader (section 2.4, rule 7). */
  readonly parsed: boolean;
  /** Leader/05 if it is one that MARC knows. */
  readonly leaderStatus: string | undefined;
  /** 001. */
  readonly hrid: string | undefined;
  /** 003. */
  readonly controlNumberSource: string | undefined;
  /** At most 300 bytes. */
  readonly title: string;
  readonly ids: Ids999ff;
}

/** @param content as JSON has it: an object, or text */
export function readContent(
  type: SourceRecordType,
  content: unknown,
): ReadableContent | UnreadableContent {
  if (type === 'EDIFACT') return readEdifact(content);
  const parsed = jsonOf(content);
  if (parsed.failed) return unreadable(content, parsed);
  const json = withoutNullLeader(parsed.json);
  const record = readMarcJson(json, NO_LEADER);
  if (record.failed && !isEmptyRecord(record)) return unreadable(content, record, json);
  const sent = json as MarcJsonSent;
  return {
    failed: false,
    facts: factsOf(type, sent, record),
    stored: stored(sent, record),
    json: sent,
  };
}

/**
 * The content with the ids of its record in 999 ff; the order of the other fields stays. EDIFACT is left alone.
 *
 * @returns unreadable if that makes it longer than 1 MiB
 */
export function contentWithIds(
  content: ReadableContent,
  ids: { s: string; i?: string | undefined },
): StoredContent | UnreadableContent {
  if (!content.json) return content.stored;
  const json = withJson999ff(content.json, ids);
  const record = readMarcJson(json, NO_LEADER);
  return record.failed ? unreadable(content.json, record) : stored(json, record);
}

/** A record whose fields are all to come is readable: it will have its 999 ff. */
const isEmptyRecord = ({ code }: RecordError): boolean => code === 'NO_FIELDS';

function jsonOf(content: unknown): ReturnType<typeof parseMarcJson> {
  if (typeof content === 'string') return parseMarcJson(Buffer.from(content));
  return { failed: false, json: content };
}

/** `null` is the same as absent (conventions, section 8). */
function withoutNullLeader(json: unknown): unknown {
  if (!isObject(json) || json['leader'] !== null) return json;
  return { ...json, leader: undefined };
}

function stored(json: MarcJsonSent, record: MarcRecord | RecordError): StoredContent {
  return json.leader !== undefined && !record.failed && isExact(json, record)
    ? { form: 'ISO2709', bytes: record.bytes }
    : { form: 'JSON', bytes: Buffer.from(JSON.stringify(json)) };
}

/** Statuses that a record may have in the API (section 2.1). */
const STATUSES = 'acdnposx';

function factsOf(
  type: Exclude<SourceRecordType, 'EDIFACT'>,
  { leader }: MarcJsonSent,
  record: MarcRecord | RecordError,
): ContentFacts {
  const status = leader?.charAt(5) ?? '';
  const parsed = leader !== undefined;
  const leaderStatus = status !== '' && STATUSES.includes(status) ? status : undefined;
  if (record.failed) return { ...NO_FACTS, parsed, leaderStatus };
  const number = controlText(record, '001');
  const hrid = type === 'MARC_AUTHORITY' ? number?.trim() || undefined : number;
  return {
    parsed,
    leaderStatus,
    hrid,
    controlNumberSource: controlText(record, '003'),
    title: cut(titleOf(record, type, hrid), TITLE_BYTES_MAX),
    ids: find999ff(record),
  };
}

const NO_FACTS: ContentFacts = {
  parsed: true,
  leaderStatus: undefined,
  hrid: undefined,
  controlNumberSource: undefined,
  title: NO_TITLE,
  ids: { count: 0 },
};

/** A message as it is, or what some client has made of it in JSON. */
function readEdifact(content: unknown): ReadableContent | UnreadableContent {
  if (typeof content !== 'string' && !isObject(content))
    return {
      failed: true,
      reason: 'The content is neither text nor an object',
      sent: textOf(content),
      hrid: undefined,
    };
  if (content === '')
    return { failed: true, reason: 'The content is empty', sent: '', hrid: undefined };
  const parsed = jsonOf(content);
  const stored: StoredContent =
    !parsed.failed && isObject(parsed.json)
      ? { form: 'JSON', bytes: Buffer.from(JSON.stringify(parsed.json)) }
      : { form: 'TEXT', bytes: Buffer.from(content as string) };
  return { failed: false, facts: NO_FACTS, stored };
}

function unreadable(content: unknown, error: RecordError, json?: unknown): UnreadableContent {
  return {
    failed: true,
    // It may repeat a tag that was sent.
    reason: textOf(errorSentence(error)),
    sent: textOf(content),
    hrid: looseNumber(json),
  };
}

const textOf = (content: unknown): string =>
  storable(typeof content === 'string' ? content : JSON.stringify(content ?? null));

/** 001 of JSON that is no record, if it is where it should be. */
function looseNumber(json: unknown): string | undefined {
  if (!isObject(json) || !Array.isArray(json['fields'])) return undefined;
  const field = (json['fields'] as unknown[]).find(
    (one) => isObject(one) && Object.hasOwn(one, '001'),
  );
  const number = (field as Record<string, unknown> | undefined)?.['001'];
  return typeof number === 'string' && number !== '' ? number : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
