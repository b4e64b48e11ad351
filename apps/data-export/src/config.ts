import { Int } from '@quire/contracts/fields';
import { WINDOWS } from './domain/slicing.js';

/** Settings of data-export, read from `QUIRE_…` variables by `readSettings`; the initial values are the defaults. */
export class ExportSettings {
  /** Largest id file, in units of 1,024 bytes. */
  @Int({ min: 1 }) readonly uploadKilobytesMax: number = 500_000;
  /** Slices that this process works on at once; one tenant has at most one less. */
  @Int({ min: 1, max: 64 }) readonly exportWorkers: number = 3;
  @Int({ min: 1 }) readonly windowJob: number = WINDOWS.job;
  @Int({ min: 1 }) readonly windowTenant: number = WINDOWS.tenant;
  @Int({ min: 1 }) readonly windowTotal: number = WINDOWS.total;
  /** How long a worker that says nothing keeps its slice, and how often it says something. */
  @Int({ min: 1 }) readonly leaseMs: number = 30_000;
  @Int({ min: 1 }) readonly leaseRenewMs: number = 5000;
  /** How often waiting work is looked for that no event announced. */
  @Int({ min: 1 }) readonly sweepMs: number = 5000;
  /** A job that was idle for so long with nothing to claim has lost an event, and is gone on with. Looked for twice as often. */
  @Int({ min: 2 }) readonly stallMs: number = 60_000;
  /** A job that was idle for so long has expired, and how often such jobs are looked for. */
  @Int({ min: 1 }) readonly expiryMs: number = 3_600_000;
  @Int({ min: 1 }) readonly expiryEveryMs: number = 600_000;
  /** Uploads are cleaned up when they are so old, and how often. */
  @Int({ min: 1 }) readonly cleanUpAgeMs: number = 86_400_000;
  @Int({ min: 1 }) readonly cleanUpEveryMs: number = 3_600_000;
  /** How often outputs and jobs are looked for that tenants want kept no longer. */
  @Int({ min: 1 }) readonly retentionEveryMs: number = 3_600_000;

  static readonly env = {
    windowJob: 'WINDOW_JOB',
    windowTenant: 'WINDOW_TENANT',
    windowTotal: 'WINDOW_TOTAL',
    leaseMs: 'QUIRE_EXPORT_LEASE_MS',
    leaseRenewMs: 'QUIRE_EXPORT_LEASE_RENEW_MS',
    sweepMs: 'QUIRE_EXPORT_SWEEP_MS',
    stallMs: 'QUIRE_EXPORT_STALL_MS',
  };
}

/** What was given, over the defaults. */
export function exportSettings(given: Partial<ExportSettings>): ExportSettings {
  return Object.assign(new ExportSettings(), given);
}
