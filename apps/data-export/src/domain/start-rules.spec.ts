import { BUILT_IN } from './built-in-profiles.js';
import type { MappingSnapshot } from './mapping-profile.js';
import { planOf } from './record-plan.js';
import { idKindOf, reasonNotToRun, type StartAttempt } from './start-rules.js';

const instances: MappingSnapshot = {
  id: BUILT_IN.instanceMapping,
  name: 'm1',
  recordTypes: ['INSTANCE'],
  outputFormat: 'MARC',
  suppress999ff: false,
};
const custom = { ...instances, id: 'f4b5c2aa-6f0e-4a0d-8a84-0e7f6b7c0001' };
const holdings = { ...instances, id: BUILT_IN.holdingsMapping };
const attempt: StartAttempt = {
  idType: 'instance',
  source: 'lines',
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
    ['a query without a line yet runs', { source: 'query', lines: 0 }, undefined],
    [
      'holdings by query fail',
      { idType: 'holding', source: 'query', mapping: holdings },
      'error.uploadedFile.invalidExtension',
    ],
    [
      'all holdings run',
      { idType: 'holding', source: 'other', mapping: holdings, lines: 0 },
      undefined,
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
  ] as const)('%s', (_, change, code) => {
    expect(reasonNotToRun({ ...attempt, ...change })?.code).toBe(code);
  });
});

describe('what the ids are', () => {
  it('the request says, else the file, else the record type', () => {
    const both = { asked: 'holding', ofFile: 'authority' } as const;
    expect(idKindOf(both, 'INSTANCE', 'lines').idType).toBe('holding');
    expect(idKindOf({ ofFile: 'authority' }, 'INSTANCE', 'lines').idType).toBe('authority');
    expect(idKindOf({}, 'HOLDINGS', 'lines').idType).toBe('holding');
    expect(idKindOf({}, undefined, 'lines').idType).toBe('instance');
  });

  it('are those of items only if nothing else is said, and never those of a query', () => {
    expect(idKindOf({}, 'ITEM', 'lines')).toEqual({ idType: 'instance', items: true });
    expect(idKindOf({ asked: 'instance' }, 'ITEM', 'lines').items).toBe(false);
    expect(idKindOf({}, 'ITEM', 'query').items).toBe(false);
  });
});

describe('the records of a job', () => {
  const output = { format: 'MARC', encoding: 'UTF-8', oversize: 'fail' } as const;
  const wanted = (jobProfileId: string, idType: 'authority' | 'instance') =>
    planOf({ mapping: instances, jobProfileId, idType, output }).wanted;

  it('are live authorities with an ordinary profile, deleted ones with the other', () => {
    expect(wanted(BUILT_IN.authorityJob, 'authority')).toBe('live');
    expect(wanted(BUILT_IN.deletedAuthorityJob, 'authority')).toBe('deleted');
    expect(wanted(BUILT_IN.instanceJob, 'instance')).toBe('any');
  });
});
