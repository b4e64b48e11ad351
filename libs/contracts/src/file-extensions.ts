import { DATA_TYPES } from './data-import.js';
import { Flag, Int, ListOf, ListOfEnum, Nested, Text, Uuid } from './fields.js';
import { Metadata } from './metadata.js';

/** Bodies of file extensions and data types (data-import, 3.5 and 3.6). */
export type DataType = (typeof DATA_TYPES)[number];

export class FileExtensionUser {
  @Text({ optional: true }) readonly firstName?: string;
  @Text({ optional: true }) readonly lastName?: string;
  @Text({ optional: true }) readonly userName?: string;
}

export class FileExtension {
  @Uuid({ optional: true }) readonly id?: string;
  @Text({ optional: true }) readonly description?: string;
  @Text() readonly extension: string;
  @ListOfEnum(DATA_TYPES, { optional: true }) readonly dataTypes?: readonly DataType[];
  @Flag() readonly importBlocked: boolean;
  @Nested(() => FileExtensionUser, { optional: true }) readonly userInfo?: FileExtensionUser;
  @Nested(() => Metadata, { readOnly: true }) readonly metadata?: Metadata;
}

export class FileExtensions {
  @ListOf(() => FileExtension) readonly fileExtensions: readonly FileExtension[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

export class DataTypes {
  @ListOfEnum(DATA_TYPES) readonly dataTypes: readonly DataType[];
  @Int() readonly totalRecords: number;
}

export class SplitStatus {
  @Flag() readonly splitStatus: boolean;
}
