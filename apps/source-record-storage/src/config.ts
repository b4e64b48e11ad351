import { Int } from '@quire/contracts/fields';

/** A hundred years: more is a mistake, and less than what dates of Postgres can take. */
const DAYS_MAX = 36_500;

/** Settings of source-record-storage, read from the environment by `readSettings`; the initial values are the defaults. */
export class StorageSettings {
  /** Days that deleted records are kept; 0: for ever. */
  @Int({ max: DAYS_MAX }) readonly deletedRetentionDays: number = 0;
  /** Older generations of a record that are kept; 0: all. */
  @Int({ max: 2_147_483_647 }) readonly oldGenerationsKeep: number = 0;
  /** Days that finished snapshots without records are kept; 0: for ever. */
  @Int({ max: DAYS_MAX }) readonly snapshotRetentionDays: number = 0;
  /** Days that streams tell of records that were removed; 0: for ever. */
  @Int({ max: DAYS_MAX }) readonly tombstoneDays: number = 365;
  /** Days that replaced contents are kept; 0: for ever. */
  @Int({ max: DAYS_MAX }) readonly historyDays: number = 365;

  static readonly env = {
    deletedRetentionDays: 'SRS_DELETED_RETENTION_DAYS',
    oldGenerationsKeep: 'SRS_OLD_GENERATIONS_KEEP',
    snapshotRetentionDays: 'SRS_SNAPSHOT_RETENTION_DAYS',
    tombstoneDays: 'SRS_TOMBSTONE_DAYS',
    historyDays: 'SRS_HISTORY_DAYS',
  };
}

/** What was given, over the defaults. */
export function storageSettings(given: Partial<StorageSettings>): StorageSettings {
  return Object.assign(new StorageSettings(), given);
}
