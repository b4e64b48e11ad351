import {
  IMPORT_RESULTS,
  JobProfileInfo,
  ON_999FF,
  type ImportResult,
  type On999ff,
} from './data-import.js';
import {
  Anything,
  DateTime,
  Flag,
  Int,
  ListOf,
  Mapping,
  Nested,
  OneOf,
  Text,
  Uuid,
} from './fields.js';

/** Bodies and answers of what data-import does beyond FOLIO (`shared/spec/data-import.md`, section 14). */

/** How records are taken; what is absent follows the job profile and the tenant's settings (9.3, 9.4, 8.5). */
export class ImportJobOptions {
  @OneOf(ON_999FF, { optional: true }) readonly on999ff?: On999ff;
  @Flag({ optional: true }) readonly strict?: boolean;
  @Flag({ optional: true }) readonly skipUnchanged?: boolean;
}

export class DryRunRequest {
  @Nested(() => JobProfileInfo) readonly jobProfileInfo: JobProfileInfo;
  @Nested(() => ImportJobOptions, { optional: true }) readonly options?: ImportJobOptions;
}

export class DryRunStarted {
  @Uuid() readonly jobExecutionId: string;
}

export class RetryRequest {
  @Nested(() => ImportJobOptions, { optional: true }) readonly options?: ImportJobOptions;
}

export class ImportDetailCounts {
  @Int() readonly total: number;
  @Int() readonly created: number;
  @Int() readonly updated: number;
  @Int() readonly unchanged: number;
  @Int() readonly failed: number;
  @Int() readonly warned: number;
}

export class ImportMessage {
  /** Of data-import 8.7; `HINT` for what may be done about it. */
  @Text() readonly code: string;
  @Text() readonly text: string;
  @DateTime() readonly date: string;
}

/** Where the job stands among those of its tenant that wait (10.5). Score and parts are decimal numbers. */
export class ImportQueue {
  @Int() readonly position: number;
  @Mapping() readonly parts: Readonly<Record<string, number>>;
  @Anything({ description: 'a decimal number' }) readonly score: number;
}

/** Why nothing more of the job is sent just now. */
export class ImportWaiting {
  @Text() readonly reason: string;
  @Text() readonly text: string;
}

export class ImportRate {
  @Anything({ description: 'a decimal number' }) readonly recordsPerSecond: number;
  @DateTime({ optional: true }) readonly eta?: string;
}

export class ImportSource {
  @Text({ optional: true }) readonly fileName?: string;
  @Int({ optional: true }) readonly bytes?: number;
  @Text({ optional: true }) readonly sha256?: string;
}

export const UNDO_STATES = ['WAITING', 'RUNNING', 'DONE'] as const;

/** Taking back what the job has saved (14, 6). The status of the job stays. */
export class ImportUndo {
  /** `WAITING` until the last chunk that is out has come back. */
  @OneOf(UNDO_STATES) readonly state: (typeof UNDO_STATES)[number];
  @DateTime() readonly requestedDate: string;
  @DateTime({ optional: true }) readonly completedDate?: string;
  /** Records that are gone. */
  @Int({ optional: true }) readonly removed?: number;
  /** Records that have their former content again. */
  @Int({ optional: true }) readonly restored?: number;
  /** Records that were changed since: left as they are. */
  @Int({ optional: true }) readonly kept?: number;
}

/** All that is known of an import job beyond FOLIO's own view (14, 1). */
export class ImportDetails {
  @OneOf(IMPORT_RESULTS, { optional: true }) readonly result?: ImportResult;
  @Nested(() => ImportDetailCounts) readonly counts: ImportDetailCounts;
  /** Records by type: MARC_BIB, MARC_AUTHORITY, MARC_HOLDING. */
  @Mapping() readonly byType: Readonly<Record<string, number>>;
  @ListOf(() => ImportMessage) readonly messages: readonly ImportMessage[];
  /** Repairs by code. */
  @Mapping() readonly warnings: Readonly<Record<string, number>>;
  @Flag() readonly paused: boolean;
  /** Once somebody has asked for it. */
  @Nested(() => ImportUndo, { optional: true }) readonly undone?: ImportUndo;
  @Nested(() => ImportQueue, { optional: true }) readonly queue?: ImportQueue;
  @Nested(() => ImportWaiting, { optional: true }) readonly waiting?: ImportWaiting;
  @Nested(() => ImportRate, { optional: true }) readonly rate?: ImportRate;
  @Nested(() => ImportSource) readonly source: ImportSource;
  /** The job whose failed records this one takes up. */
  @Uuid({ optional: true }) readonly retryOf?: string;
  @Mapping({ optional: true }) readonly options?: object;
}
