import type { FetchedParsedRecord, TagRange } from '@quire/contracts/source-batches';
import type { RecordState, SourceRecordType } from '@quire/contracts/source-records';
import { externalIds } from './record-shapes.js';
import { contentOf, type StoredContent } from './stored-content.js';

export interface FetchedFacts {
  readonly id: string;
  readonly record_type: SourceRecordType;
  readonly state: RecordState;
  readonly external_id: string | null;
  readonly external_hrid: string | null;
}

/** One answer of a fetch: the record with the fields that were asked for (source-record-storage, section 5). */
export function fetchedRecordOf(
  facts: FetchedFacts,
  stored: StoredContent,
  ranges: readonly TagRange[],
): FetchedParsedRecord {
  const { id, record_type: recordType, state: recordState } = facts;
  const content = contentOf(stored);
  return {
    id,
    externalIdsHolder: externalIds(facts),
    recordType,
    recordState,
    parsedRecord: {
      id,
      content: recordType === 'EDIFACT' ? content : withTags(content, ranges),
    },
  };
}

/** Only fields whose tag lies in one of the ranges, in the order of the record; no ranges: all. */
function withTags(content: object | string, ranges: readonly TagRange[]): object | string {
  if (ranges.length === 0 || typeof content === 'string') return content;
  const { fields } = content as { fields: readonly object[] };
  const wanted = (tag: string): boolean => ranges.some(({ from, to }) => from <= tag && tag <= to);
  return { ...content, fields: fields.filter((field) => Object.keys(field).some(wanted)) };
}
