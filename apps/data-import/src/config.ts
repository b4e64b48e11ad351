import { Int } from '@quire/contracts/fields';
import { WINDOWS } from './domain/release-score.js';

/** Settings of data-import, read from the environment by `readSettings`; the initial values are the defaults. */
export class ImportSettings {
  /** Largest file that is taken. */
  @Int({ min: 1, max: 2_147_483_648 }) readonly fileBytesMax: number = 2_147_483_648;
  /** Released chunks at once: per job, per tenant while another waits, in all. */
  @Int({ min: 1 }) readonly windowJob: number = WINDOWS.job;
  @Int({ min: 1 }) readonly windowTenant: number = WINDOWS.tenant;
  @Int({ min: 1 }) readonly windowTotal: number = WINDOWS.total;
  /** Uploads at once. */
  @Int({ min: 1 }) readonly uploadsOfTenantMax: number = 4;
  @Int({ min: 1 }) readonly uploadsMax: number = 16;
  /** Jobs of a tenant that run at once. */
  @Int({ min: 1 }) readonly runningJobsMax: number = 1000;
  /** How often late chunks, dead uploads, unfinished jobs and objects without a row are looked for. */
  @Int({ min: 1 }) readonly sweepMs: number = 30_000;
  /** A chunk without an answer for so long is late, and sent again. */
  @Int({ min: 1 }) readonly resendMs: number = 60_000;

  static readonly env = {
    fileBytesMax: 'MAX_FILE_BYTES',
    windowJob: 'WINDOW_JOB',
    windowTenant: 'WINDOW_TENANT',
    windowTotal: 'WINDOW_TOTAL',
    sweepMs: 'QUIRE_IMPORT_SWEEP_MS',
    resendMs: 'QUIRE_IMPORT_RESEND_MS',
  };
}

/** What was given, over the defaults. */
export function importSettings(given: Partial<ImportSettings>): ImportSettings {
  return Object.assign(new ImportSettings(), given);
}
