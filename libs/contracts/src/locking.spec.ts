import { changeVersion, checkIfMatch, nextVersion } from './locking.js';

const ID = '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a';
const conflictWith = (sent: string): string =>
  `Cannot update record ${ID} because it has been changed (optimistic locking): ` +
  `Stored _version is 7, _version of request is ${sent}`;

describe('a change of a resource with a version', () => {
  it.each([
    ['the body', { sent: 7 }],
    ['If-Match', { ifMatch: '"7"' }],
    ['If-Match, with -1 in the body for no version', { sent: -1, ifMatch: '"7"' }],
    ['the body, and If-Match any', { sent: 7, ifMatch: '*' }],
    ['both', { sent: 7, ifMatch: '"7"' }],
  ])('stores the next version when %s names the stored one', (_, named) => {
    expect(changeVersion({ id: ID, stored: 7, ...named })).toBe(8);
  });

  it.each([
    [{}, '<NULL>'],
    [{ sent: -1 }, '<NULL>'],
    [{ sent: 6 }, '6'],
    [{ sent: 8 }, '8'],
    [{ ifMatch: '"6"' }, '6'],
    [{ ifMatch: 'W/"7"' }, '-1'],
    [{ ifMatch: '*' }, '<NULL>'],
  ])('is a conflict that says both versions: %j', (named, sent) => {
    const change = (): unknown => changeVersion({ id: ID, stored: 7, ...named });
    expect(change).toThrow(
      expect.objectContaining({ kind: 'conflict', message: conflictWith(sent) }),
    );
  });

  it('is refused when header and body differ, even if one of them is right', () => {
    expect(() => changeVersion({ id: ID, stored: 7, sent: 7, ifMatch: '"6"' })).toThrow(
      expect.objectContaining({ kind: 'refused', message: 'If-Match and _version differ.' }),
    );
  });

  it('begins again at 0 after the largest integer', () => {
    expect(nextVersion(2_147_483_647)).toBe(0);
  });
});

describe('a deletion', () => {
  it('needs no version, but holds to one that is named', () => {
    expect(() => checkIfMatch({ id: ID, stored: 7 })).not.toThrow();
    expect(() => checkIfMatch({ id: ID, stored: 7, ifMatch: '"7"' })).not.toThrow();
    expect(() => checkIfMatch({ id: ID, stored: 7, ifMatch: '*' })).not.toThrow();
    const stale = (): void => checkIfMatch({ id: ID, stored: 7, ifMatch: '"6"' });
    expect(stale).toThrow(
      expect.objectContaining({ kind: 'conflict', message: conflictWith('6') }),
    );
  });
});
