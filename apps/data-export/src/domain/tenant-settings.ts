import { OVERSIZE_MODES } from '@quire/contracts/data-export';
import { DIALECTS } from '@quire/contracts/scope';
import { choiceSetting, integerSetting, textSetting } from '@quire/contracts/tenant-settings';
import { SLICE_SIZE_MAX } from './slice-size.js';

/** The most that a time may be set to: a hundred years. */
const DAYS = { min: 1, max: 36_500 };

/** Tenant settings of data-export (appendix D): those that something reads, and `sliceSize`, which clients set. */
export const EXPORT_TENANT_SETTINGS = {
  exportDialect: choiceSetting(
    DIALECTS,
    'default',
    'Form of job executions for requests that name no dialect.',
  ),
  oversize: choiceSetting(
    OVERSIZE_MODES,
    'fail',
    'What becomes of records that ISO 2709 cannot hold: they fail, or go into a file beside the output.',
  ),
  sliceSize: integerSetting(
    { min: 1, max: SLICE_SIZE_MAX },
    null,
    'Kept for clients that set it; without effect.',
  ),
  folioHost: textSetting(
    { pattern: '^https?://[^\\s/?#]+/?$', max: 1000 },
    'Where links to the inventory lead: scheme and host.',
  ),
  outputRetentionDays: integerSetting(
    DAYS,
    null,
    'Days after which outputs are removed; jobs and logs stay.',
  ),
  jobRetentionDays: integerSetting(
    DAYS,
    null,
    'Days after which jobs that have ended are removed, with their logs and outputs.',
  ),
} as const;
