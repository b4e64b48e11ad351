import type { SentRecord } from '@quire/contracts/record-writing';
import { messages } from './batch-rules.js';
import { contentWithIds, readContent, type ContentFacts } from './parsed-content.js';
import { externalIdsOf } from './record-values.js';
import type { StoredContent } from './stored-content.js';

/** What is stored of a record whose parsed content is to be replaced. */
export interface ParsedBefore {
  readonly record_type: SentRecord['recordType'];
  readonly matched_id: string;
  /** Null: no parsed content. */
  readonly content: Buffer | null;
}

export interface ParsedChange {
  readonly content: StoredContent;
  readonly facts: ContentFacts;
  /** Only what was sent. */
  readonly columns: {
    readonly externalId?: string;
    readonly externalHrid?: string;
    readonly suppressDiscovery?: boolean;
  };
}

/** The record that is meant: a parsed record has the id of its record. */
export const recordIdOf = ({ id, parsedRecord }: SentRecord): string =>
  id ?? parsedRecord?.id ?? '';

/** @returns why not, as a message of the batch (source-record-storage, section 5) */
export function parsedChangeOf(
  sent: SentRecord,
  before: ParsedBefore | undefined,
): ParsedChange | string {
  const id = recordIdOf(sent);
  const { parsedRecord, recordType, externalIdsHolder, additionalInfo } = sent;
  if (!before) return messages.noRecord(id);
  const partId = parsedRecord?.id ?? '';
  if (before.content === null || partId !== id || before.record_type !== recordType)
    return messages.noParsedRecord(partId);
  const read = readContent(recordType, parsedRecord?.content);
  if (read.failed) return messages.invalid(id, read.reason);
  const content = contentWithIds(read, { s: before.matched_id });
  if ('failed' in content) return messages.invalid(id, content.reason);
  const { externalId, externalHrid } = externalIdsOf(recordType, externalIdsHolder);
  const suppress = additionalInfo?.suppressDiscovery;
  return {
    content,
    facts: read.facts,
    columns: {
      ...(externalId === undefined ? {} : { externalId }),
      ...(externalHrid === undefined ? {} : { externalHrid }),
      ...(suppress === undefined ? {} : { suppressDiscovery: suppress }),
    },
  };
}
