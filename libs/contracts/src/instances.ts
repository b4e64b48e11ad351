import { Anything, Flag, Int, ListOf, ListOfText, Nested, OneOf, Text, Uuid } from './fields.js';
import { Metadata } from './metadata.js';

/** Rows of the instance view (source-record-storage, 8.2 and 14): what a bibliographic record says, as queries see it. */
export class AlternativeTitle {
  @Text() readonly alternativeTitle: string;
}

export class InstanceSeries {
  @Text() readonly value: string;
}

export const NAME_TYPES = ['Personal name', 'Corporate name', 'Meeting name'] as const;

export class InstanceContributor {
  @Text() readonly name: string;
  @OneOf(NAME_TYPES) readonly nameType: (typeof NAME_TYPES)[number];
  /** Of a 1XX field. */
  @Flag() readonly primary: boolean;
  @Text({ optional: true }) readonly relator?: string;
  @Text({ optional: true }) readonly authorityId?: string;
}

export class InstanceIdentifier {
  @Text() readonly value: string;
  @Text() readonly type: string;
}

export class InstanceDates {
  @Text({ optional: true }) readonly dateType?: string;
  @Text({ optional: true }) readonly date1?: string;
  @Text({ optional: true }) readonly date2?: string;
}

export class InstancePublication {
  @Text({ optional: true }) readonly publisher?: string;
  @Text({ optional: true }) readonly place?: string;
  @Text({ optional: true }) readonly dateOfPublication?: string;
}

export class InstanceSubject {
  @Text() readonly value: string;
}

export class InstanceClassification {
  @Text() readonly classificationNumber: string;
  @Text() readonly type: string;
}

export class ElectronicAccess {
  @Text() readonly uri: string;
}

/** A field of the record that a value was taken from. */
export class MarcSource {
  /** `LDR` for the leader. */
  @Text() readonly tag: string;
  /** Place among the fields of the record, from 0; absent for the leader. */
  @Int({ optional: true }) readonly place?: number;
  /** As in formatted records (section 3.1): both indicators and the subfields, or the text of a control field. */
  @Text() readonly content: string;
}

/** Where the value of an index comes from. */
export class ValueSource {
  /** Name of the index in queries. */
  @Text() readonly index: string;
  @Anything() readonly value: unknown;
  /** Fields of the record that say so. */
  @ListOf(() => MarcSource) readonly fields: readonly MarcSource[];
  /** What stands beside the record's content and says so: `externalIdsHolder.instanceId`, `state`, `metadata` … */
  @Text({ optional: true }) readonly property?: string;
}

export class Instance {
  @Uuid() readonly id: string;
  @Text({ optional: true }) readonly hrid?: string;
  @Text() readonly source: string;
  @Text({ optional: true }) readonly title?: string;
  @Text({ optional: true }) readonly indexTitle?: string;
  /** Of 880 fields; the words of `title` find them. */
  @ListOfText({ optional: true }) readonly linkedTitles?: readonly string[];
  @ListOf(() => AlternativeTitle, { optional: true })
  readonly alternativeTitles?: readonly AlternativeTitle[];
  @ListOf(() => InstanceSeries, { optional: true }) readonly series?: readonly InstanceSeries[];
  @ListOf(() => InstanceContributor, { optional: true })
  readonly contributors?: readonly InstanceContributor[];
  @ListOf(() => InstanceIdentifier, { optional: true })
  readonly identifiers?: readonly InstanceIdentifier[];
  @ListOfText({ optional: true }) readonly isbn?: readonly string[];
  @ListOfText({ optional: true }) readonly issn?: readonly string[];
  @ListOfText({ optional: true }) readonly oclc?: readonly string[];
  @ListOfText({ optional: true }) readonly languages?: readonly string[];
  @Nested(() => InstanceDates, { optional: true }) readonly dates?: InstanceDates;
  @ListOf(() => InstancePublication, { optional: true })
  readonly publication?: readonly InstancePublication[];
  @ListOfText({ optional: true }) readonly dateOfPublication?: readonly string[];
  @ListOf(() => InstanceSubject, { optional: true }) readonly subjects?: readonly InstanceSubject[];
  @ListOf(() => InstanceClassification, { optional: true })
  readonly classifications?: readonly InstanceClassification[];
  @ListOf(() => ElectronicAccess, { optional: true })
  readonly electronicAccess?: readonly ElectronicAccess[];
  @Text({ optional: true }) readonly instanceTypeCode?: string;
  @Text({ optional: true }) readonly instanceFormatCode?: string;
  @Text({ optional: true }) readonly modeOfIssuance?: string;
  @Text({ optional: true }) readonly recordKind?: string;
  @Flag() readonly discoverySuppress: boolean;
  @Flag() readonly staffSuppress: boolean;
  @Flag() readonly deleted: boolean;
  @Uuid() readonly snapshotId: string;
  /** Matched id of the record that makes the row. */
  @Uuid() readonly recordId: string;
  /** Other current records with the same instance id. */
  @Int() readonly duplicates: number;
  @Nested(() => Metadata) readonly metadata: Metadata;
  /** With `explain=true`. */
  @ListOf(() => ValueSource, { optional: true }) readonly explanation?: readonly ValueSource[];
}

export class Instances {
  @ListOf(() => Instance) readonly instances: readonly Instance[];
  @Int({ optional: true }) readonly totalRecords?: number;
}
