import { Int, ListOf, MappingOfText, OneOf, Text } from './fields.js';

/** What mapping profiles of data-export can transform (`data-export.md`, 2.4 and appendix A). */
export const TRANSFORMED_RECORD_TYPES = ['INSTANCE', 'HOLDINGS', 'ITEM'] as const;
export type TransformedRecordType = (typeof TRANSFORMED_RECORD_TYPES)[number];

export class TransformationField {
  @Text() readonly fieldId: string;
  @Text() readonly displayNameKey: string;
  @Text() readonly path: string;
  @OneOf(TRANSFORMED_RECORD_TYPES, { optional: true }) readonly recordType?: TransformedRecordType;
  @Text({ optional: true }) readonly referenceDataValue?: string;
  @MappingOfText({ optional: true }) readonly metadataParameters?: Readonly<Record<string, string>>;
}

export class TransformationFields {
  @ListOf(() => TransformationField) readonly transformationFields: readonly TransformationField[];
  @Int({ optional: true }) readonly totalRecords?: number;
}
