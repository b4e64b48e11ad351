import { NOTHING_STORED, numberKey, type StoredIds } from './identity.js';
import { Matching } from './matching.js';

const S = 'a1e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e11';
const OTHER = 'b2e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e22';
const THIRD = 'c3e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e33';
const key = numberKey('MARC_BIB', 'x1', 'OCoLC');

function storing(numbers: readonly string[]): StoredIds {
  const current = { id: THIRD, type: 'MARC_BIB', deleted: false } as const;
  const generation = { generation: 0, externalId: undefined, current, ofThisJob: false };
  return {
    ...NOTHING_STORED,
    generations: new Map([S, OTHER].map((id) => [id, generation])),
    numbers: new Map([[key, numbers]]),
  };
}

const asked = { type: 'MARC_BIB', s: undefined, hrid: 'x1', source: 'OCoLC' } as const;

describe('the record that a frame is meant for', () => {
  it('is that of its $s, before that of its number', () => {
    const matching = new Matching(storing([OTHER]));
    expect(matching.find({ ...asked, s: S })).toEqual({ matchedId: S });
    expect(matching.find({ ...asked, s: THIRD })).toEqual({ matchedId: OTHER });
  });

  it('is of the same type', () => {
    const matching = new Matching(storing([OTHER]));
    expect(matching.find({ ...asked, type: 'MARC_AUTHORITY', s: S })).toBe('none');
  });

  it('has the same 001 and the same 003, or neither has a 003', () => {
    const matching = new Matching(storing([OTHER]));
    expect(matching.find(asked)).toEqual({ matchedId: OTHER });
    expect(matching.find({ ...asked, source: undefined })).toBe('none');
    expect(matching.find({ ...asked, hrid: undefined })).toBe('none');
  });

  it('cannot be told when several have that number', () => {
    expect(new Matching(storing([S, OTHER])).find(asked)).toBe('several');
  });

  it('may have been made by a frame before it', () => {
    const matching = new Matching(storing([]));
    matching.add(THIRD, { type: 'MARC_BIB', hrid: 'x1', source: 'OCoLC' });
    expect(matching.find(asked)).toEqual({ matchedId: THIRD });
    expect(matching.find({ ...asked, s: THIRD, hrid: 'x2' })).toEqual({ matchedId: THIRD });
  });

  it('is no longer found by a number that a frame before it has changed', () => {
    const matching = new Matching(storing([OTHER]));
    matching.add(OTHER, { type: 'MARC_BIB', hrid: 'x2', source: 'OCoLC' });
    expect(matching.find(asked)).toBe('none');
    expect(matching.find({ ...asked, hrid: 'x2' })).toEqual({ matchedId: OTHER });
  });
});
