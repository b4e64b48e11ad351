import { generationOf, NO_GENERATIONS, type StoredGenerations } from './generations.js';

const stored = (changes: Partial<StoredGenerations>): StoredGenerations => ({
  ...NO_GENERATIONS,
  ...changes,
});

describe('the generation of a record', () => {
  it('is 0 for the first, or what was sent', () => {
    expect(generationOf(NO_GENERATIONS)).toBe(0);
    expect(generationOf(NO_GENERATIONS, 5)).toBe(5);
  });

  it('follows the last one of a finished snapshot', () => {
    expect(generationOf(stored({ newest: 3, newestOther: 3, finished: 3 }))).toBe(4);
  });

  it('is the sent one only if that is larger than all', () => {
    const three = stored({ newest: 3, newestOther: 3, finished: 3 });
    expect(generationOf(three, 7)).toBe(7);
    expect(generationOf(three, 3)).toBe(4);
    expect(generationOf(three, 0)).toBe(4);
  });

  it('collides with one that a running snapshot or this one has made, whatever its number', () => {
    expect(generationOf(stored({ newest: 0, newestOther: 0 }))).toBeUndefined();
    expect(generationOf(stored({ newest: 5, newestOther: 5 }))).toBeUndefined();
    expect(generationOf(stored({ newest: 2, newestOther: 2, finished: 1 }))).toBeUndefined();
  });

  it('does not collide with the record itself, and does not fall when it is saved again', () => {
    expect(generationOf(stored({ newest: 0, own: 0 }))).toBe(0);
    expect(generationOf(stored({ newest: 4, own: 4 }))).toBe(4);
    expect(generationOf(stored({ newest: 4, newestOther: 3, finished: 3, own: 4 }))).toBe(4);
    expect(generationOf(stored({ newest: 2, finished: 2 }))).toBe(3);
  });

  it('ends where numbers end', () => {
    const last = 2_147_483_647;
    expect(
      generationOf(stored({ newest: last, newestOther: last, finished: last })),
    ).toBeUndefined();
  });
});
