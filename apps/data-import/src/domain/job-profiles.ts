import type {
  ImportJobProfile as ShownProfile,
  ProfileSnapshotWrapper,
} from '@quire/contracts/change-manager';
import type { ChunkProfile } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import type { MarcRecordType } from '@quire/contracts/source-records';

/** The built-in job profiles (data-import, section 6). */
export interface ImportJobProfile extends ChunkProfile {
  readonly description: string;
}

const profile = (
  id: string,
  name: string,
  recordTypes: ChunkProfile['recordTypes'],
  description: string,
): ImportJobProfile => ({ id, name, recordTypes, match: 'none', description });

/** What is taken when nobody names a profile. */
export const DEFAULT_PROFILE_ID = '36a83bc5-9fef-4baa-a36d-7a0f34351dfa';
export const DEFAULT_PROFILE = profile(
  DEFAULT_PROFILE_ID,
  'Quire - Create MARC records',
  ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'],
  'Stores MARC records of every type',
);

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
  DEFAULT_PROFILE,
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

/** The built-in profiles came with the service. */
export const BUILT_IN_AT = '2026-01-01T00:00:00.000+00:00';

export function jobProfileOf({ id, name, description }: ImportJobProfile): ShownProfile {
  return {
    id,
    name,
    description,
    dataType: 'MARC',
    tags: { tagList: [] },
    userInfo: { firstName: '', lastName: '', userName: 'System' },
    parentProfiles: [],
    childProfiles: [],
    hidden: false,
    metadata: {
      createdDate: BUILT_IN_AT,
      createdByUserId: SYSTEM_USER_ID,
      createdByUsername: 'System',
      updatedDate: BUILT_IN_AT,
      updatedByUserId: SYSTEM_USER_ID,
      updatedByUsername: 'System',
    },
  };
}

const FOLIO_RECORD: Readonly<Record<MarcRecordType, string>> = {
  MARC_BIB: 'MARC_BIBLIOGRAPHIC',
  MARC_AUTHORITY: 'MARC_AUTHORITY',
  MARC_HOLDING: 'MARC_HOLDINGS',
};

/** A profile with one action for each type and deed, all ids derived from its own. */
export function wrapperOf(profile: ImportJobProfile): ProfileSnapshotWrapper {
  const actions = profile.match === 'none' ? ['CREATE'] : ['CREATE', 'UPDATE'];
  const idOf = (path: string): string => uuidV5(profile.id, `wrapper:${path}`);
  const children = profile.recordTypes.flatMap((type) =>
    actions.map((action) => ({ action, type })),
  );
  return {
    id: idOf('/'),
    profileId: profile.id,
    contentType: 'JOB_PROFILE',
    content: jobProfileOf(profile),
    childSnapshotWrappers: children.map(({ action, type }, order) => {
      const id = idOf(`/${order}/profile`);
      const folioRecord = FOLIO_RECORD[type];
      return {
        id: idOf(`/${order}`),
        profileId: id,
        contentType: 'ACTION_PROFILE',
        order,
        content: { id, name: `${profile.name}: ${action} ${folioRecord}`, action, folioRecord },
        childSnapshotWrappers: [],
      };
    }),
  };
}

/** By the id of a profile or of its wrapper: clients have both. */
export const wrappedProfileOf = (id: string): ImportJobProfile | undefined =>
  profileOf(id) ?? JOB_PROFILES.find((one) => wrapperOf(one).id === id.toLowerCase());
