import { endingOf, failedOf, sameParameters, type JobCounts } from './job-execution.js';

const counts = (some: Partial<JobCounts>): JobCounts => ({
  total: 0,
  exported: 0,
  invalid: 0,
  duplicated: 0,
  notFound: 0,
  faulty: 0,
  ...some,
});

describe('the end of an export', () => {
  it.each([
    ['one good id', { exported: 1, total: 1 }, 'COMPLETED', undefined],
    [
      'one record that is too long',
      { faulty: 1, total: 1 },
      'FAIL',
      'error.binaryFile.notGenerated',
    ],
    [
      'both together',
      { exported: 1, faulty: 1, total: 2 },
      'COMPLETED_WITH_ERRORS',
      'error.someRecordsFailed',
    ],
    [
      'A, A and junk',
      { exported: 1, duplicated: 1, invalid: 1, total: 3 },
      'COMPLETED_WITH_ERRORS',
      'error.someRecordsFailed',
    ],
    ['only ids nobody knows', { notFound: 2, total: 2 }, 'FAIL', 'error.binaryFile.notGenerated'],
    ['no line at all', {}, 'FAIL', 'error.readingFromInputFile'],
  ])('%s', (_, some, status, code) => {
    const ending = endingOf(counts(some));
    expect(ending?.status).toBe(status);
    expect(ending?.rows.map((row) => row.code)).toEqual(code === undefined ? [] : [code]);
  });

  it('tells how many failed', () => {
    const ending = endingOf(counts({ exported: 1, invalid: 1, notFound: 2, total: 4 }));
    expect(ending?.rows[0]?.values).toEqual(['3']);
  });

  it('is none when a line is in no class', () => {
    expect(endingOf(counts({ exported: 1, total: 2 }))).toBeUndefined();
  });

  it('counts four classes as failed', () => {
    expect(failedOf(counts({ invalid: 1, duplicated: 2, notFound: 4, faulty: 8 }))).toBe(15);
  });
});

describe('an export that is repeated', () => {
  const asked = { jobProfileId: 'p', idType: 'instance' } as const;

  it('is the same with the same parameters', () => {
    expect(sameParameters(asked, { ...asked })).toBe(true);
  });

  it.each([
    { ...asked, jobProfileId: 'q' },
    { ...asked, idType: 'holding' as const },
    { ...asked, recordType: 'ITEM' },
  ])('is another with %j', (other) => {
    expect(sameParameters(asked, other)).toBe(false);
  });
});
