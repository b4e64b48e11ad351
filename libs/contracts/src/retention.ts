import { Flag, Int } from './fields.js';

/** What retention has removed, or would remove: `POST /source-storage/retention` (source-record-storage, 9.2). */
export class RetentionReport {
  @Flag() readonly dryRun: boolean;
  /** Records that were deleted long enough ago. */
  @Int() readonly deletedRecords: number;
  /** Older generations beyond the number that is kept. */
  @Int() readonly oldGenerations: number;
  /** Finished ones without records. */
  @Int() readonly snapshots: number;
  /** Of records that were removed. */
  @Int() readonly tombstones: number;
  /** Replaced contents. */
  @Int() readonly history: number;
}
