import type { SentRecord } from '@quire/contracts/record-writing';
import {
  HRID_CHARACTERS_MAX,
  type ErrorRecord,
  type ExternalIdsHolder,
  type SourceRecordType,
} from '@quire/contracts/source-records';
import { isUuid } from '@quire/contracts/ids';
import type { ContentFacts, ReadableContent, UnreadableContent } from './parsed-content.js';
import { ID_NAMES } from './record-shapes.js';

/** From a record as it is sent to the columns of its row (source-record-storage, 2.1 to 2.4). */
export interface ExternalIds {
  readonly externalId: string | undefined;
  readonly externalHrid: string | undefined;
}

/** The pair of the type; others are dropped (section 2.2). */
export function externalIdsOf(
  type: SourceRecordType,
  holder: ExternalIdsHolder | undefined,
): ExternalIds {
  const names = ID_NAMES[type];
  if (!names) return { externalId: undefined, externalHrid: undefined };
  return { externalId: holder?.[names[0]], externalHrid: holder?.[names[1]] || undefined };
}

/** 001 stands for a number that was not sent, if it is no longer than one may be. */
export function hridOf(facts: ContentFacts | undefined): string | undefined {
  const hrid = facts?.hrid;
  return hrid !== undefined && hrid.length <= HRID_CHARACTERS_MAX ? hrid : undefined;
}

export interface SentInfo {
  readonly suppressDiscovery: boolean;
  readonly staffSuppress: boolean | null;
  readonly additionalInfo: object | null;
}

/** The properties that have a column, and the others as they are. */
export function infoOf(info: SentRecord['additionalInfo']): SentInfo {
  const { suppressDiscovery = false, staffSuppress = null, ...others } = info ?? {};
  const hasOthers = Object.keys(others).length > 0;
  return { suppressDiscovery, staffSuppress, additionalInfo: hasOthers ? others : null };
}

/** The matched id that 999 ff names; one that is none does not count. */
export function matchedIdOf(
  content: ReadableContent | UnreadableContent | undefined,
): string | undefined {
  const s = content && !content.failed ? content.facts.ids.s : undefined;
  return s !== undefined && isUuid(s) ? s.toLowerCase() : undefined;
}

/** Rule 2: a bibliographic record has both external ids and a 001. */
export function isComplete(
  { recordType, externalIdsHolder }: SentRecord,
  content: ReadableContent | UnreadableContent | undefined,
): boolean {
  if (recordType !== 'MARC_BIB') return true;
  const { externalId, externalHrid } = externalIdsOf(recordType, externalIdsHolder);
  const number = content?.failed ? content.hrid : content?.facts.hrid;
  return externalId !== undefined && externalHrid !== undefined && !!number;
}

/** As it is kept: of what was sent the JSON, so that text and object stay apart. */
export const keptError = ({
  description,
  content,
}: Pick<ErrorRecord, 'description' | 'content'>): { description: string; content: string } => ({
  description,
  content: JSON.stringify(content),
});

/** Columns that are read from the content; those of a record without are empty. */
export const contentColumns = (facts: ContentFacts | undefined) => ({
  controlNumberSource: facts?.controlNumberSource ?? null,
  leaderStatus: facts?.leaderStatus ?? null,
  title: facts?.title ?? null,
  parsed: facts?.parsed ?? false,
});
