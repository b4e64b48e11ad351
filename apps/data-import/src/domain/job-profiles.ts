import type { ChunkProfile } from '@quire/contracts/data-import';

/** The built-in job profiles (data-import, section 6). */
export interface ImportJobProfile extends ChunkProfile {
  readonly description: string;
}

const profile = (
  id: string,
  name: string,
  recordTypes: ChunkProfile['recordTypes'],
  description: string,
): ImportJobProfile => ({
  id,
  name,
  recordTypes,
  match: 'none',
  description,
});

/** What is taken when nobody names a profile. */
export const DEFAULT_PROFILE_ID = '36a83bc5-9fef-4baa-a36d-7a0f34351dfa';

export const JOB_PROFILES: readonly ImportJobProfile[] = [
  profile(
    'e34d7b92-9b83-11eb-a8b3-0242ac130003',
    'Default - Create instance and SRS MARC Bib',
    ['MARC_BIB'],
    'Stores MARC bibliographic records; others fail one by one',
  ),
  profile(
    '6eefa4c6-bbf7-4845-ad82-de7fc5abd0e3',
    'Default - Create SRS MARC Authority',
    ['MARC_AUTHORITY'],
    'Stores MARC authority records; others fail one by one',
  ),
  profile(
    '80898dee-449f-44dd-9c8e-37d5eb469b1d',
    'Default - Create Holdings and SRS MARC Holdings',
    ['MARC_HOLDING'],
    'Stores MARC holdings records; others fail one by one',
  ),
  profile(
    DEFAULT_PROFILE_ID,
    'Quire - Create MARC records',
    ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'],
    'Stores MARC records of every type',
  ),
  {
    id: 'f5480378-9acd-4f7e-8219-6410f4ac9582',
    name: 'Quire - Create or update MARC records',
    recordTypes: ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'],
    match: 'create-or-update',
    description:
      'Looks for each record among the stored ones by 999 ff $s, else by 001 with 003; updates it, skips it when nothing changed, or stores it as new',
  },
];

export const profileOf = (id: string): ImportJobProfile | undefined =>
  JOB_PROFILES.find((one) => one.id === id.toLowerCase());
