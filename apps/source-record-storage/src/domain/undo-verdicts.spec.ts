import { conflictOf, isFinished, sumOf } from './undo-verdicts.js';

const FREE = {
  later_generation: null,
  later_snapshot: null,
  changed_cause: null,
  changed_in: null,
  blocked: false,
};

describe('a record that an undo finds', () => {
  it('is taken back when nobody has changed it since', () => {
    expect(conflictOf(FREE)).toBeUndefined();
  });

  it('stays for the first reason that there is', () => {
    const blocked = { ...FREE, blocked: true };
    expect(conflictOf(blocked)).toBe('another record has the number of its former generation');
    const changed = { ...blocked, changed_cause: 'UPDATE' };
    expect(conflictOf(changed)).toBe('changed by a user');
    expect(conflictOf({ ...changed, changed_in: 'job' })).toBe("changed by snapshot 'job'");
    const superseded = { ...changed, later_generation: 3, later_snapshot: 'job' };
    expect(conflictOf(superseded)).toBe("superseded by generation 3 of snapshot 'job'");
  });

  it.each([
    ['DELETE', 'deleted by a user'],
    ['UNDELETE', 'un-deleted by a user'],
    ['SUPPRESS', 'suppressed or shown by a user'],
  ])('stays after %s with the reason "%s"', (changed_cause, reason) => {
    expect(conflictOf({ ...FREE, changed_cause })).toBe(reason);
  });
});

describe('an undo', () => {
  it('is for what has ended, however it did', () => {
    expect(['COMMITTED', 'ERROR', 'CANCELLED'].every(isFinished)).toBe(true);
    expect(['NEW', 'PARSING_IN_PROGRESS', 'DISCARDED', 'PARENT'].some(isFinished)).toBe(false);
  });

  it('counts over its batches', () => {
    const counts = sumOf({ removed: 1, kept: 2 }, { removed: 10, restored: 20 });
    expect(counts).toEqual({ removed: 11, restored: 20, kept: 2 });
  });
});
