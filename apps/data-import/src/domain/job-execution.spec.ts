import { JOB_STATUSES, type JobStatus } from '@quire/contracts/source-records';
import {
  byHand,
  endingOf,
  isEnded,
  JOB_TRANSITIONS,
  TERMINAL,
  uiStatusOf,
  type Setting,
} from './job-execution.js';

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

  it('never becomes or leaves a parent of several', () => {
    for (const status of JOB_STATUSES) expect(JOB_TRANSITIONS[status]).not.toContain('PARENT');
    expect(JOB_TRANSITIONS.PARENT).toEqual([]);
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

describe('a status that somebody sets', () => {
  const set = (from: JobStatus, to: JobStatus, more: Partial<Setting> = {}): string =>
    byHand({ from, to, hasFile: false, openChunks: 0, ...more });

  it('is never the parent of several, and never changes one', () => {
    expect(set('NEW', 'PARENT')).toBe('to-parent');
    expect(set('PARENT', 'PARENT')).toBe('to-parent');
    expect(set('PARENT', 'ERROR')).toBe('of-parent');
  });

  it('changes nothing when it is the same, also at the end', () => {
    for (const status of JOB_STATUSES)
      if (status !== 'PARENT') expect(set(status, status)).toBe('unchanged');
  });

  it('cannot follow one that is final', () => {
    for (const from of TERMINAL)
      for (const to of JOB_STATUSES)
        if (to !== from && to !== 'PARENT') expect(set(from, to)).toBe('refused');
  });

  it('is COMMITTED only when every chunk is done', () => {
    expect(set('PARSING_IN_PROGRESS', 'COMMITTED', { openChunks: 1 })).toBe('refused');
    expect(set('PARSING_IN_PROGRESS', 'COMMITTED')).toBe('set');
  });

  it('of a job with a file can only be an end without success', () => {
    const allowed = JOB_STATUSES.filter(
      (to) => set('PARSING_IN_PROGRESS', to, { hasFile: true }) === 'set',
    );
    expect(allowed).toEqual(['ERROR', 'DISCARDED', 'CANCELLED']);
  });

  it('of a job without a file is any other', () => {
    for (const to of JOB_STATUSES)
      if (to !== 'PARENT' && to !== 'PROCESSING_FINISHED')
        expect(set('PROCESSING_FINISHED', to)).toBe('set');
  });
});
