import {
  AnyUuid,
  DateTime,
  Flag,
  Int,
  ListOf,
  ListOfText,
  Mapping,
  Nested,
  Open,
  OneOf,
  Text,
  Uuid,
} from './fields.js';
import {
  ENCODINGS,
  EXPORT_STATUSES,
  OUTPUT_FORMATS,
  RunBy,
  Transformation,
  UPLOAD_FORMATS,
} from './data-export.js';
import type { Encoding, ExportStatus, OutputFormat } from './data-export.js';

/** What data-export tells of jobs beyond their execution, and who ran them (`data-export.md`, 2.2, 2.3, 5.2, B12). */
export class ExportAccounting {
  @Int() readonly total: number;
  @Int() readonly blank: number;
  @Int() readonly exported: number;
  @Int() readonly failed: number;
  @Int() readonly invalid: number;
  @Int() readonly duplicated: number;
  @Int() readonly notFound: number;
  @Int() readonly faulty: number;
  @Int() readonly warnings: number;
  @Int() readonly recordsWritten: number;
  @Int() readonly sourceRecordDuplicates: number;
  /** Lines by the code of what is wrong with them. */
  @Mapping() readonly byCode: Readonly<Record<string, number>>;
}

export class ManifestJob {
  @Uuid() readonly id: string;
  @Int() readonly hrId: number;
  @OneOf(EXPORT_STATUSES) readonly status: ExportStatus;
  @DateTime({ optional: true }) readonly startedDate?: string;
  @DateTime({ optional: true }) readonly completedDate?: string;
  @Nested(() => RunBy, { optional: true }) readonly runBy?: RunBy;
}

export class ManifestProfile {
  @Uuid({ optional: true }) readonly id?: string;
  @Text({ optional: true }) readonly name?: string;
}

export class ManifestMappingProfile {
  @Uuid() readonly id: string;
  @Text() readonly name: string;
  @ListOfText() readonly recordTypes: readonly string[];
  @OneOf(OUTPUT_FORMATS) readonly outputFormat: string;
  @Text({ optional: true }) readonly fieldsSuppression?: string;
  @Flag() readonly suppress999ff: boolean;
  @ListOf(() => Transformation, { optional: true })
  readonly transformations?: readonly Transformation[];
}

export class ManifestSource {
  @Text() readonly name: string;
  @OneOf(UPLOAD_FORMATS) readonly type: string;
  @Text({ optional: true }) readonly sha256?: string;
}

export class ManifestSlice {
  @Int() readonly size: number;
  @Text() readonly sha256: string;
}

export class ManifestFile {
  @Uuid() readonly fileId: string;
  @Text() readonly fileName: string;
  @OneOf(OUTPUT_FORMATS) readonly format: OutputFormat;
  @OneOf(ENCODINGS) readonly encoding: Encoding;
  @Int() readonly size: number;
  @Int() readonly records: number;
  /** Of the whole file; absent until a pass after the end has read it. */
  @Text({ optional: true }) readonly sha256?: string;
  @ListOf(() => ManifestSlice) readonly slices: readonly ManifestSlice[];
}

export class ExportManifest {
  @Nested(() => ManifestJob) readonly job: ManifestJob;
  @Nested(() => ManifestProfile) readonly jobProfile: ManifestProfile;
  @Nested(() => ManifestMappingProfile, { optional: true })
  readonly mappingProfile?: ManifestMappingProfile;
  @Nested(() => ManifestSource, { optional: true }) readonly source?: ManifestSource;
  @Nested(() => ExportAccounting) readonly accounting: ExportAccounting;
  @ListOf(() => ManifestFile) readonly files: readonly ManifestFile[];
}

export class RelatedUser {
  @AnyUuid() readonly userId: string;
  @Text({ optional: true }) readonly firstName?: string;
  @Text({ optional: true }) readonly lastName?: string;
}

export class RelatedUsers {
  @ListOf(() => RelatedUser) readonly relatedUsers: readonly RelatedUser[];
  @Int({ optional: true }) readonly totalRecords?: number;
}

@Open()
export class ExportConfiguration {
  @Text({ optional: true }) readonly key?: string;
  @Text({ optional: true }) readonly value?: string;
}
