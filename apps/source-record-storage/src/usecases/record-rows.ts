import type { SentRecord } from '@quire/contracts/record-writing';
import type { RecordState } from '@quire/contracts/source-records';
import { valuesOf, type KeptRaw, type PartChanges } from '../db/record-writes.js';
import type { StoredRow } from '../db/stored-records.js';
import {
  contentWithIds,
  type ContentFacts,
  type ReadableContent,
  type UnreadableContent,
} from '../domain/parsed-content.js';
import {
  contentColumns,
  hridOf,
  infoOf,
  keptError,
  type ExternalIds,
} from '../domain/record-values.js';
import type { ChangedRecord, NewRecord } from './record-writing.js';

/** From records that were read to rows: new ones, and such that take over what was sent. */
export interface PreparedRecord {
  readonly id: string;
  readonly sent: SentRecord;
  /** Undefined: none was sent. */
  readonly content: ReadableContent | UnreadableContent | undefined;
  readonly externalIds: ExternalIds;
  /** Null: the content gives it. */
  readonly raw: KeptRaw | null;
}

interface Identity {
  readonly snapshotId: string;
  readonly matchedId: string;
  readonly generation: number;
}

/** @returns `invalid`: why the parsed content could not be read, which the row then has as its error record */
export function newRow(
  record: PreparedRecord,
  identity: Identity,
): { row: Pick<NewRecord, 'values' | 'parts'>; invalid: string | undefined } {
  const { id, sent, externalIds, raw } = record;
  const { facts, invalid, content = null, error = null } = partsFor(record, identity.matchedId);
  const values = {
    ...identity,
    id,
    type: sent.recordType,
    state: sent.state ?? 'ACTUAL',
    externalId: externalIds.externalId ?? null,
    externalHrid: externalIds.externalHrid ?? hridOf(facts) ?? null,
    order: sent.order ?? null,
    suppressedBefore: null,
    ...contentColumns(facts),
    ...infoOf(sent.additionalInfo),
  } as const;
  return { row: { values, parts: { id, content, raw, error } }, invalid };
}

/** Generation and matched id stay; so does what was not sent. */
export function replacementOf(before: StoredRow, record: PreparedRecord): ChangedRecord {
  const { sent, raw } = record;
  const stored = valuesOf(before);
  const { facts, content, error } = partsFor(record, before.matched_id);
  const state = sent.state ?? before.state;
  const values = {
    ...stored,
    snapshotId: sent.snapshotId,
    type: sent.recordType,
    state,
    suppressedBefore: suppressedBefore(before, state),
    order: sent.order ?? before.record_order,
    ...(content === undefined ? {} : contentColumns(facts)),
    ...(sent.externalIdsHolder ? externalColumns(record, facts, before) : {}),
    ...(sent.additionalInfo ? infoOf(sent.additionalInfo) : {}),
  };
  const { id } = before;
  const parts = { ...(content === undefined ? {} : { content }), ...(error ? { error } : {}) };
  return { before, values, parts: { id, raw, ...parts } };
}

/** What an un-delete gives back; a record that is not deleted has nothing of the kind. */
export function suppressedBefore(before: StoredRow, state: RecordState): boolean | null {
  if (state !== 'DELETED') return null;
  return before.suppressed_before ?? before.suppress_discovery;
}

function externalColumns(
  { sent, externalIds }: PreparedRecord,
  facts: ContentFacts | undefined,
  before: StoredRow,
): { externalId: string | null; externalHrid: string | null } {
  const number = sent.parsedRecord ? hridOf(facts) : before.external_hrid;
  return {
    externalId: externalIds.externalId ?? null,
    externalHrid: externalIds.externalHrid ?? number ?? null,
  };
}

interface Parts extends Pick<PartChanges, 'content' | 'error'> {
  readonly facts: ContentFacts | undefined;
  readonly invalid: string | undefined;
}

/** Content that cannot be read becomes an error record (section 2.4, rule 6). */
function partsFor({ sent, content: read }: PreparedRecord, matchedId: string): Parts {
  const { parsedRecord, errorRecord } = sent;
  const sentError = errorRecord ? { error: keptError(errorRecord) } : {};
  if (!read || !parsedRecord) return { facts: undefined, invalid: undefined, ...sentError };
  const stored = read.failed ? read : contentWithIds(read, { s: matchedId });
  if (!read.failed && !('failed' in stored))
    return { facts: read.facts, invalid: undefined, content: stored, ...sentError };
  const reason = 'failed' in stored ? stored.reason : '';
  const error = keptError({ description: reason, content: parsedRecord.content });
  return { facts: undefined, invalid: reason, content: null, error };
}
