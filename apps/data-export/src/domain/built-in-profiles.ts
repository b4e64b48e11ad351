/** The profiles every tenant has (`data-export.md`, appendix C): made with the tenant, restored if missing, never changed. */
export const BUILT_IN = {
  instanceJob: '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a',
  holdingsJob: '5e9835fc-0e51-44c8-8a47-f7b8fce35da7',
  authorityJob: '56944b1c-f3f9-475b-bed0-7387c33620ce',
  deletedAuthorityJob: '2c9be114-6d35-4408-adac-9ead35f51a27',
  instanceMapping: '25d81cbe-9686-11ea-bb37-0242ac130002',
  holdingsMapping: '1ef7d0ac-f0a8-42b5-bbbb-c7e249009c13',
  authorityMapping: '5d636597-a59d-4391-a270-4e79d5ba70e3',
} as const;

export interface BuiltInJobProfile {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly mappingProfileId: string;
  readonly at: string;
}

export interface BuiltInMappingProfile {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly recordTypes: readonly string[];
  readonly at: string;
}

const AT = '2020-07-28T00:00:00.000Z';

/** In the order of the lists: a script that takes the first job profile gets the default one. */
export const BUILT_IN_JOB_PROFILES: readonly BuiltInJobProfile[] = [
  {
    id: BUILT_IN.instanceJob,
    name: 'Default instances export job profile',
    description: 'Default instances export job profile',
    mappingProfileId: BUILT_IN.instanceMapping,
    at: AT,
  },
  {
    id: BUILT_IN.holdingsJob,
    name: 'Default holdings export job profile',
    description: 'Default holdings job profile',
    mappingProfileId: BUILT_IN.holdingsMapping,
    at: AT,
  },
  {
    id: BUILT_IN.authorityJob,
    name: 'Default authority export job profile',
    description: 'Default authority job profile',
    mappingProfileId: BUILT_IN.authorityMapping,
    at: AT,
  },
  {
    id: BUILT_IN.deletedAuthorityJob,
    name: 'Deleted authority export job profile',
    description: 'Deleted authority export job profile',
    mappingProfileId: BUILT_IN.authorityMapping,
    at: '2024-03-14T00:00:00.000Z',
  },
];

export const BUILT_IN_MAPPING_PROFILES: readonly BuiltInMappingProfile[] = [
  {
    id: BUILT_IN.instanceMapping,
    name: 'Default instance mapping profile',
    description: 'Default mapping profile for the inventory instance record',
    recordTypes: ['INSTANCE'],
    at: AT,
  },
  {
    id: BUILT_IN.holdingsMapping,
    name: 'Default holdings mapping profile',
    description: 'Default mapping profile for MARC for holdings record',
    recordTypes: ['HOLDINGS'],
    at: AT,
  },
  {
    id: BUILT_IN.authorityMapping,
    name: 'Default authority mapping profile',
    description: 'Default authority profile for MARC for authority record',
    recordTypes: ['AUTHORITY'],
    at: AT,
  },
];

/** How profile 1 is called in dialect `2020`, in its name and in its description. */
export const NAME_OF_2020 = 'Default job profile';
