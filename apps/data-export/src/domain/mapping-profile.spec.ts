import { BUILT_IN } from './built-in-profiles.js';
import {
  idTypeOf,
  planOf,
  reasonNotToRun,
  type MappingSnapshot,
  type StartAttempt,
} from './mapping-profile.js';

const instances: MappingSnapshot = {
  id: BUILT_IN.instanceMapping,
  name: 'm1',
  recordTypes: ['INSTANCE'],
  outputFormat: 'MARC',
  suppress999ff: false,
};
const custom = { ...instances, id: 'f4b5c2aa-6f0e-4a0d-8a84-0e7f6b7c0001' };
const attempt: StartAttempt = {
  idType: 'instance',
  uploadFormat: 'csv',
  fileName: 'a.csv',
  jobProfileId: BUILT_IN.instanceJob,
  mapping: instances,
  lines: 1,
};

describe('an export that starts', () => {
  it.each([
    ['ids of instances with the built-in profile run', {}, undefined],
    [
      'a profile for source records runs',
      { mapping: { ...custom, recordTypes: ['SRS'] } },
      undefined,
    ],
    ['no line fails', { lines: 0 }, 'error.readingFromInputFile'],
    [
      'holdings by query fail',
      { idType: 'holding', uploadFormat: 'cql' },
      'error.uploadedFile.invalidExtension',
    ],
    ['authorities with another profile fail', { idType: 'authority' }, 'error.messagePlaceholder'],
    [
      'authorities with their own profile run',
      { idType: 'authority', mapping: { ...instances, id: BUILT_IN.authorityMapping } },
      undefined,
    ],
    [
      'instances with the profile of deleted authorities fail',
      { jobProfileId: BUILT_IN.deletedAuthorityJob },
      'error.onlyForSetToDeletion',
    ],
    ['records to be generated need an inventory', { mapping: custom }, 'error.callingUri'],
    ['holdings to be generated need an inventory', { idType: 'holding' }, 'error.callingUri'],
    ['items need an inventory', { recordType: 'ITEM' }, 'error.callingUri'],
  ] as const)('%s', (_, change, code) => {
    expect(reasonNotToRun({ ...attempt, ...change })?.code).toBe(code);
  });
});

describe('what the ids are', () => {
  it('the request says, else the file, else the record type', () => {
    expect(idTypeOf('holding', 'authority', 'INSTANCE')).toBe('holding');
    expect(idTypeOf(undefined, 'authority', 'INSTANCE')).toBe('authority');
    expect(idTypeOf(undefined, undefined, 'HOLDINGS')).toBe('holding');
    expect(idTypeOf(undefined, undefined, undefined)).toBe('instance');
  });

  it('an ordinary authority profile takes live records, the other one deleted ones', () => {
    expect(planOf(instances, BUILT_IN.authorityJob, 'authority').wanted).toBe('live');
    expect(planOf(instances, BUILT_IN.deletedAuthorityJob, 'authority').wanted).toBe('deleted');
    expect(planOf(instances, BUILT_IN.instanceJob, 'instance').wanted).toBe('any');
  });
});
