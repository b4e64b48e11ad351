import type { MappingProfile } from '@quire/contracts/data-export';
import type { Failure } from '@quire/contracts/failure';
import { checkMappingProfile } from './mapping-profile.js';

describe('a mapping profile', () => {
  const refusal = (profile: Partial<MappingProfile>): Failure | undefined => {
    try {
      checkMappingProfile({ name: 'p', recordTypes: ['SRS'], ...profile });
      return undefined;
    } catch (error) {
      return error as Failure;
    }
  };

  it('may leave out fields', () => {
    expect(refusal({ suppress999ff: true, fieldsSuppression: '020, 900' })).toBeUndefined();
  });

  it.each([
    [{ recordTypes: ['SRS', 'INSTANCE'] }, 'forbidden'],
    [{ fieldsSuppression: '20,900' }, 'invalid'],
    [{ fieldsSuppression: '900', recordTypes: ['ITEM'] }, 'invalid'],
    [{ transformations: [{ fieldId: 'x', recordType: 'ITEM' }] }, 'invalid'],
  ] as const)('is refused as %j', (profile, kind) => {
    expect(refusal(profile as Partial<MappingProfile>)?.kind).toBe(kind);
  });

  it('names the tag that is none by its place', () => {
    const [first] = refusal({ fieldsSuppression: '900,2x0' })?.details.errors ?? [];
    expect(first).toEqual({
      message: 'must match "^\\d{3}$"',
      type: '1',
      code: '-1',
      parameters: [{ key: 'suppressionFields[1]', value: '2x0' }],
    });
  });
});
