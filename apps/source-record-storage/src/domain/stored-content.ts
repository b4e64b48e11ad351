import type { SourceRecordType } from '@quire/contracts/source-records';
import { latestTransaction, withStatus } from '@quire/marc/iso2709/status';
import { openStored } from '@quire/marc/iso2709/stored';
import { toMarcJson, marcJsonText } from '@quire/marc/marc-json';
import { withJsonStatus, type MarcJsonSent } from '@quire/marc/marc-json-edit';
import { readMarcJson } from '@quire/marc/marc-json-read';
import type { MarcRecord } from '@quire/marc/record';

/** Columns `form` and `content` of `record_content`: how a record's parsed content is kept, and what is made of it. */
export type ContentForm = 'ISO2709' | 'JSON' | 'TEXT';

export interface StoredContent {
  readonly form: ContentForm;
  /** ISO 2709 in stored form; or JSON or text in UTF-8. */
  readonly bytes: Buffer;
}

/** Stands in where a record has no leader, so that the rest of it can be read. */
export const NO_LEADER = ' '.repeat(24);

/** As clients see it: MARC-in-JSON or other JSON as an object, an EDIFACT message as text. */
export function contentOf({ form, bytes }: StoredContent): object | string {
  switch (form) {
    case 'ISO2709':
      return toMarcJson(openStored(bytes));
    case 'JSON':
      return JSON.parse(bytes.toString()) as object;
    case 'TEXT':
      return bytes.toString();
  }
}

/** `JSON.stringify(contentOf(…))`, without the object. For streams. */
export function contentJson({ form, bytes }: StoredContent): string {
  switch (form) {
    case 'ISO2709':
      return marcJsonText(openStored(bytes));
    case 'JSON':
      return bytes.toString();
    case 'TEXT':
      return JSON.stringify(bytes.toString());
  }
}

/**
 * The MARC record in it, for who reads fields: of JSON with its repairs, and with a leader of blanks where it has none.
 *
 * @returns undefined for content that is no MARC
 */
export function marcRecordOf({ form, bytes }: StoredContent): MarcRecord | undefined {
  if (form === 'ISO2709') return openStored(bytes);
  if (form === 'TEXT') return undefined;
  const record = readMarcJson(JSON.parse(bytes.toString()), NO_LEADER);
  return record.failed ? undefined : record;
}

/** ISO 2709 for exports, of JSON with its repairs; undefined for content that has no leader or is no MARC. */
export function marcBytesOf({ form, bytes }: StoredContent): Buffer | undefined {
  if (form === 'ISO2709') return bytes;
  if (form === 'TEXT') return undefined;
  const record = readMarcJson(JSON.parse(bytes.toString()));
  return record.failed ? undefined : record.bytes;
}

/**
 * The content after a soft delete (`d`), or after it was taken back (`c`): leader/05 and 005 (section 3.2). EDIFACT has
 * neither and stays as it is; a record without leader gets its 005.
 */
export function contentWithStatus(
  type: SourceRecordType,
  content: StoredContent,
  status: 'c' | 'd',
  now: Date,
): StoredContent {
  if (type === 'EDIFACT') return content;
  const mark = { status, changed: latestTransaction(now) };
  if (content.form !== 'ISO2709') {
    const json = withJsonStatus(JSON.parse(content.bytes.toString()) as MarcJsonSent, mark);
    return { ...content, bytes: Buffer.from(JSON.stringify(json)) };
  }
  const record = withStatus(openStored(content.bytes), mark);
  // At the very limit of 1 MiB there is no room for 005: the status counts.
  return {
    ...content,
    bytes: record.failed ? withLeaderStatus(content.bytes, status) : record.bytes,
  };
}

function withLeaderStatus(bytes: Buffer, status: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(status, 5, 'latin1');
  return copy;
}
