import {
  choiceSetting,
  flagSetting,
  integerSetting,
  type SettingDefinition,
} from '@quire/contracts/tenant-settings';
import { DEFAULT_PROFILE_ID, profileOf } from './job-profiles.js';

/** The most that a time may be set to: a hundred years. */
const DAYS = { min: 1, max: 36_500 };

/** Starts by itself what is uploaded whole: off, or with this profile. */
const AUTO_PROCESS: SettingDefinition<string> = {
  default: 'off',
  description:
    'Processing starts by itself when every file of an upload definition is uploaded: "off", "on" (with the default job ' +
    'profile) or the id of a job profile.',
  check: (value) => {
    if (value === 'off' || value === 'on') return { value };
    const profile = typeof value === 'string' ? profileOf(value) : undefined;
    return profile
      ? { value: profile.id }
      : { message: 'must be one of [off, on] or the id of a job profile' };
  },
};

/** Tenant settings of data-import (sections 14 and 15): those that something reads. */
export const IMPORT_TENANT_SETTINGS = {
  AUTO_PROCESS,
  ASSIGN_INSTANCE_IDS: flagSetting(
    true,
    'New bibliographic records get an instance id that is derived from their own.',
  ),
  DUPLICATE_FILE: choiceSetting(
    ['warn', 'reject', 'off'],
    'warn',
    'What happens when a file is processed whose content was imported before.',
  ),
  ONLINE_IDLE_MINUTES: integerSetting(
    { min: 1, max: 1440 },
    10,
    'Minutes without a record batch after which a job that takes batches ends.',
  ),
  LARGE_FILE_UPLOAD: flagSetting(
    false,
    'What `GET /data-import/splitStatus` tells clients that ask whether to upload large files in parts.',
  ),
  DRAFT_DAYS: integerSetting(
    DAYS,
    7,
    'Days after which drafts that were never processed, and new jobs without file or batch, are removed.',
  ),
} as const;

/** The profile with which processing starts by itself. @param setting value of `AUTO_PROCESS` */
export function autoProfileId(setting: string): string | undefined {
  if (setting === 'off') return undefined;
  return setting === 'on' ? DEFAULT_PROFILE_ID : setting;
}
