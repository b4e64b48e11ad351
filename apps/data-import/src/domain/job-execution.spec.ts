import { JOB_STATUSES } from '@quire/contracts/source-records';
import { endingOf, isEnded, JOB_TRANSITIONS, uiStatusOf } from './job-execution.js';

describe('an import job', () => {
  it.each(['COMMITTED', 'ERROR', 'DISCARDED', 'CANCELLED', 'PARENT'] as const)(
    'never leaves %s',
    (status) => {
      expect(JOB_TRANSITIONS[status]).toEqual([]);
    },
  );

  it('can end from every status that is not final', () => {
    const open = JOB_STATUSES.filter((status) => status !== 'PARENT' && !isEnded(status));
    expect(open).toContain('NEW');
    for (const status of open)
      expect(JOB_TRANSITIONS[status]).toEqual(
        expect.arrayContaining(['COMMITTED', 'ERROR', 'DISCARDED', 'CANCELLED']),
      );
  });

  it('never becomes new, and gets a file only while it is new', () => {
    for (const status of JOB_STATUSES) {
      expect(JOB_TRANSITIONS[status]).not.toContain('NEW');
      expect(JOB_TRANSITIONS[status].includes('FILE_UPLOADED')).toBe(status === 'NEW');
    }
  });

  it.each([
    ['PARENT', 'PARENT'],
    ['NEW', 'INITIALIZATION'],
    ['FILE_UPLOADED', 'INITIALIZATION'],
    ['PARSING_IN_PROGRESS', 'RUNNING'],
    ['PARSING_FINISHED', 'RUNNING_COMPLETE'],
    ['PROCESSING_IN_PROGRESS', 'PREPARING_FOR_PREVIEW'],
    ['PROCESSING_FINISHED', 'READY_FOR_PREVIEW'],
    ['COMMIT_IN_PROGRESS', 'RUNNING'],
    ['COMMITTED', 'RUNNING_COMPLETE'],
    ['ERROR', 'ERROR'],
    ['DISCARDED', 'DISCARDED'],
    ['CANCELLED', 'CANCELLED'],
  ] as const)('%s is shown as %s', (status, shown) => {
    expect(uiStatusOf(status)).toBe(shown);
  });

  it.each([
    ['all are saved', { created: 3, updated: 0, unchanged: 0, failed: 0 }, 'COMMITTED', 'SUCCESS'],
    ['there are none', { created: 0, updated: 0, unchanged: 0, failed: 0 }, 'COMMITTED', 'SUCCESS'],
    ['one fails', { created: 3, updated: 0, unchanged: 0, failed: 1 }, 'ERROR', 'PARTIAL'],
    ['others update', { created: 0, updated: 1, unchanged: 0, failed: 1 }, 'ERROR', 'PARTIAL'],
    ['others stay', { created: 0, updated: 0, unchanged: 1, failed: 1 }, 'ERROR', 'PARTIAL'],
    ['all fail', { created: 0, updated: 0, unchanged: 0, failed: 2 }, 'ERROR', 'FAILED'],
  ])('ends by its records: %s', (_, counts, status, result) => {
    expect(endingOf(counts)).toEqual({ status, result });
  });
});
