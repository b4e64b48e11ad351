import { inOrderBy, parseJobOptions, settledOptions } from './job-options.js';

const CREATES = { match: 'none' } as const;
const MATCHES = { match: 'create-or-update' } as const;

describe('the import options of a job', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    [' ; ', {}],
    ['on999ff=accept', { on999ff: 'accept' }],
    [
      'on999ff=accept; strict=true; skipUnchanged=false',
      { on999ff: 'accept', strict: true, skipUnchanged: false },
    ],
    ['ON999FF = Strip ;STRICT=TRUE;', { on999ff: 'strip', strict: true }],
    [['strict=true', 'skipUnchanged=true'], { strict: true, skipUnchanged: true }],
  ])('are read from the header %j', (header, options) => {
    expect(parseJobOptions(header)).toEqual(options);
  });

  it.each([
    [
      'strictly=true',
      "X-Quire-Import-Options: 'strictly' is not an import option. Allowed are: on999ff=reject|accept|strip, strict=true|false, skipUnchanged=true|false",
    ],
    ['strict=yes', "X-Quire-Import-Options: 'strict' cannot be 'yes'. Allowed are: true, false"],
    ['strict', "X-Quire-Import-Options: 'strict' cannot be ''. Allowed are: true, false"],
    [
      'on999ff=accept, strict=true',
      "X-Quire-Import-Options: 'on999ff' cannot be 'accept, strict=true'. Allowed are: reject, accept, strip",
    ],
    ['strict=true; strict=false', "X-Quire-Import-Options: 'strict' is given twice"],
  ])('are refused with the reason when they are %j', (header, message) => {
    expect(() => parseJobOptions(header)).toThrow(
      expect.objectContaining({ kind: 'refused', message }),
    );
  });

  it('follow the profile where nothing is asked: only one that matches accepts ids', () => {
    const settled = { skipUnchanged: true, strict: false, assignInstanceIds: true, dryRun: false };
    expect(settledOptions({}, { profile: CREATES, assignInstanceIds: true })).toEqual({
      ...settled,
      on999ff: 'reject',
    });
    expect(settledOptions({}, { profile: MATCHES, assignInstanceIds: true })).toEqual({
      ...settled,
      on999ff: 'accept',
    });
  });

  it('are as asked, whatever the profile', () => {
    const asked = { on999ff: 'strip', strict: true, skipUnchanged: false } as const;
    expect(settledOptions(asked, { profile: MATCHES, assignInstanceIds: false })).toEqual({
      ...asked,
      assignInstanceIds: false,
      dryRun: false,
    });
  });

  it.each([
    [CREATES, 'reject', false],
    [CREATES, 'strip', false],
    [CREATES, 'accept', true],
    [MATCHES, 'reject', true],
  ] as const)(
    'of a profile with %j and %s say that chunks go in order: %s',
    (profile, on999ff, inOrder) => {
      expect(inOrderBy(profile, { on999ff })).toBe(inOrder);
    },
  );
});
