import { TRANSFORMATION_PATTERN, type MappingProfile } from '@quire/contracts/data-export';
import type { Failure } from '@quire/contracts/failure';
import { checkMappingProfile } from './mapping-profile-checks.js';
import { lockAfter } from './profile-lock.js';
import { shippedFields } from './transformation-fields.js';

function refusalOf(work: () => void): Failure | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as Failure;
  }
}

const refusal = (profile: Partial<MappingProfile>): Failure | undefined =>
  refusalOf(() =>
    checkMappingProfile({ name: 'p', recordTypes: ['SRS'], ...profile }, shippedFields),
  );

const title = { fieldId: 'instance.title', recordType: 'INSTANCE' } as const;
const barcode = { fieldId: 'item.barcode', recordType: 'ITEM' } as const;

describe('a mapping profile', () => {
  it.each([
    [{ suppress999ff: true, fieldsSuppression: '020, 900' }],
    [{ fieldsSuppression: ' ' }],
    [{ fieldsSuppression: '900', recordTypes: ['ITEM', 'SRS'] }],
    [{ fieldsSuppression: '900', recordTypes: [] }],
    [{ outputFormat: 'MARCXML' }],
    [{ transformations: [{ ...title, transformation: '' }, title] }],
    [{ transformations: [{ ...title, transformation: '001  ' }] }],
    [{ transformations: [{ ...barcode, transformation: '901  $a' }] }],
    [{ transformations: [{ ...barcode, transformation: '900ff$12' }] }],
    [{ recordTypes: ['SRS', 'HOLDINGS', 'ITEM'] }],
  ] as const)('may say %j', (profile) => {
    expect(refusal(profile as Partial<MappingProfile>)).toBeUndefined();
  });

  it.each([
    ['245'],
    ['245 0'],
    ['24500$'],
    ['24500$abc'],
    ['x24500$a'],
    ['24500$a '],
    // A data field needs a subfield, a control field takes none.
    ['24500'],
    ['001  $a'],
    ['008  $a'],
  ])('takes no transformation %j', (transformation) => {
    const answer = refusal({ transformations: [title, { ...title, transformation }] });
    expect(answer?.details.errors).toEqual([
      {
        message: `must match "${TRANSFORMATION_PATTERN}"`,
        type: '1',
        code: '-1',
        parameters: [{ key: 'transformations[1].transformation', value: transformation }],
      },
    ]);
  });

  it.each([
    [
      { transformations: [{ ...barcode, transformation: '' }] },
      'invalid',
      'Transformations for fields with item record type cannot be empty. Please provide a value.',
    ],
    [
      { transformations: [{ ...title, fieldId: ' ' }] },
      'invalid',
      'Field id is missing for mapping profile transformation',
    ],
    [
      { transformations: [{ ...title, fieldId: 'instance.nonsense' }] },
      'invalid',
      "Transformation doesn't exist for provided fieldId: instance.nonsense",
    ],
    [
      { transformations: [{ ...title, recordType: 'HOLDINGS' }] },
      'invalid',
      'Transformation record type is missing or incorrect according to provided fieldId: instance.title, expected record type: INSTANCE',
    ],
    [
      { recordTypes: ['SRS', 'INSTANCE'] },
      'forbidden',
      'SRS record type cannot be combined together with INSTANCE record type',
    ],
    [
      { fieldsSuppression: '900', recordTypes: ['ITEM'] },
      'invalid',
      'Suppression field can not be used only for Item record type',
    ],
  ] as const)('is refused as %j', (profile, kind, message) => {
    expect(refusal(profile as Partial<MappingProfile>)).toMatchObject({ kind, message });
  });

  it('is judged in the order of the rules', () => {
    const all: Partial<MappingProfile> = {
      recordTypes: ['SRS', 'INSTANCE'],
      fieldsSuppression: 'x',
      transformations: [{ ...title, fieldId: 'x' }, { ...title, fieldId: '' }, barcode],
    };
    expect(refusal(all)?.message).toMatch(/^Transformations for fields with item/);
    const transformations = all.transformations?.slice(0, 2) ?? [];
    expect(refusal({ ...all, transformations })?.message).toMatch(/^Field id is missing/);
    expect(refusal({ ...all, transformations: transformations.slice(0, 1) })?.message).toMatch(
      /^Transformation doesn't exist/,
    );
    expect(refusal({ ...all, transformations: [] })?.kind).toBe('forbidden');
  });

  it('names each tag that is none by its place', () => {
    const errors = refusal({ fieldsSuppression: '900,2x0,,020' })?.details.errors ?? [];
    expect(errors[0]).toEqual({
      message: 'must match "^\\d{3}$"',
      type: '1',
      code: '-1',
      parameters: [{ key: 'suppressionFields[1]', value: '2x0' }],
    });
    expect(errors.map((one) => one.parameters[0]?.key)).toEqual([
      'suppressionFields[1]',
      'suppressionFields[2]',
    ]);
  });
});

describe('the lock of a profile', () => {
  it.each([
    [false, undefined, false, false],
    [false, false, false, false],
    [false, true, true, true],
    [true, false, true, false],
  ])('before %p, asked %p, may lock %p: %p', (before, asked, mayLock, after) => {
    expect(lockAfter(before, asked, mayLock)).toBe(after);
  });

  it.each([
    [false, true, false, 'You do not have permission to lock this profile.'],
    [true, false, false, 'You do not have permission to unlock this profile.'],
    [true, undefined, true, /^This profile is locked\. Please unlock/],
    [true, true, true, /^This profile is locked\. Please unlock/],
  ])('before %p, asked %p, may lock %p: refused', (before, asked, mayLock, text) => {
    expect(() => lockAfter(before, asked, mayLock)).toThrow(text);
    expect(refusalOf(() => void lockAfter(before, asked, mayLock))?.kind).toBe('forbidden');
  });
});
