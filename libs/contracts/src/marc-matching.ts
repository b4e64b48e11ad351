import { Flag, Int, ListOf, ListOfText, OneOf, Text, Uuid } from './fields.js';
import { INTEGER_MAX } from './paging.js';

/** Records by values of their MARC fields: `POST /source-storage/records/matching` (source-record-storage, 7.1). */
export const MATCH_TYPES = [
  'EXACTLY_MATCHES',
  'EXISTING_VALUE_CONTAINS_INCOMING_VALUE',
  'INCOMING_VALUE_CONTAINS_EXISTING_VALUE',
  'EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE',
  'INCOMING_VALUE_BEGINS_WITH_EXISTING_VALUE',
  'EXISTING_VALUE_ENDS_WITH_INCOMING_VALUE',
  'INCOMING_VALUE_ENDS_WITH_EXISTING_VALUE',
] as const;
export type MatchType = (typeof MATCH_TYPES)[number];
export const MATCH_QUALIFIERS = ['BEGINS_WITH', 'ENDS_WITH', 'CONTAINS'] as const;
export type MatchQualifier = (typeof MATCH_QUALIFIERS)[number];
export const COMPARISON_PARTS = ['NUMERICS_ONLY', 'ALPHANUMERICS_ONLY'] as const;
export type ComparisonPart = (typeof COMPARISON_PARTS)[number];
export const LOGICAL_OPERATORS = ['AND', 'OR'] as const;
export type LogicalOperator = (typeof LOGICAL_OPERATORS)[number];
export const MATCHED_RECORD_TYPES = ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'] as const;
export type MatchedRecordType = (typeof MATCHED_RECORD_TYPES)[number];

const INDICATOR = '^[a-z0-9\\s*]?$';

export class MarcMatchFilter {
  /** Incoming values, of which one must match. */
  @ListOfText({ min: 1 }) readonly values: readonly string[];
  @Text({ pattern: '^[0-9]{3}$' }) readonly field: string;
  /** Absent, empty or a blank: a blank; `*`: any. */
  @Text({ optional: true, pattern: INDICATOR }) readonly indicator1?: string;
  @Text({ optional: true, pattern: INDICATOR }) readonly indicator2?: string;
  /** Absent or empty: any subfield. */
  @Text({ optional: true, pattern: '^[a-z0-9]?$' }) readonly subfield?: string;
  /** `EXACTLY_MATCHES` unless said. */
  @OneOf(MATCH_TYPES, { optional: true }) readonly matchType?: MatchType;
  /** What the stored value must also be like; of no effect without its value. */
  @OneOf(MATCH_QUALIFIERS, { optional: true }) readonly qualifier?: MatchQualifier;
  @Text({ optional: true }) readonly qualifierValue?: string;
  /** Only this part of both sides is compared. */
  @OneOf(COMPARISON_PARTS, { optional: true }) readonly comparisonPartType?: ComparisonPart;
}

export class MarcMatching {
  @ListOf(() => MarcMatchFilter, { min: 1 }) readonly filters: readonly MarcMatchFilter[];
  @OneOf(MATCHED_RECORD_TYPES) readonly recordType: MatchedRecordType;
  /** How filters are joined: `AND` unless said. */
  @OneOf(LOGICAL_OPERATORS, { optional: true }) readonly logicalOperator?: LogicalOperator;
  /** 1000 unless said. */
  @Int({ optional: true, min: 1, max: INTEGER_MAX }) readonly limit?: number;
  @Int({ optional: true, max: INTEGER_MAX }) readonly offset?: number;
  /** True unless said. Without the count the search ends with the page. */
  @Flag({ optional: true }) readonly returnTotalRecordsCount?: boolean;
}

export class MatchedRecordIdentifier {
  @Uuid() readonly recordId: string;
  @Uuid() readonly externalId: string;
}

export class MatchedRecordIdentifiers {
  /** In the order of record ids, each once. */
  @ListOf(() => MatchedRecordIdentifier) readonly identifiers: readonly MatchedRecordIdentifier[];
  @Int({ optional: true }) readonly totalRecords?: number;
}
