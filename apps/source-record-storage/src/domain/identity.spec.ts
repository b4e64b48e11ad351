import {
  acceptedIds,
  externalKey,
  identify,
  NOTHING_STORED,
  type StoredGeneration,
  type StoredIds,
} from './identity.js';

const RECORD = '00000000-0000-5000-8000-000000000001';
const S = 'a1e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e11';
const I = 'b2e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e22';
const OLD_INSTANCE = 'c3e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e33';
const CURRENT = 'd4e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e44';

const third: StoredGeneration = {
  generation: 2,
  externalId: OLD_INSTANCE,
  current: { id: CURRENT, type: 'MARC_BIB', deleted: false },
  ofThisJob: false,
};

const stored = (changes: Partial<StoredIds>): StoredIds => ({ ...NOTHING_STORED, ...changes });

describe('the identity of a record', () => {
  it('is its own when nobody knows its ids', () => {
    expect(identify(RECORD, {}, 'MARC_BIB', NOTHING_STORED)).toEqual({
      matchedId: RECORD,
      externalId: undefined,
      generation: 0,
      supersededId: undefined,
      duplicate: false,
    });
    expect(identify(RECORD, { s: S, i: I }, 'MARC_BIB', NOTHING_STORED)).toMatchObject({
      matchedId: S,
      externalId: I,
      generation: 0,
    });
  });

  it('is that of its $s, one generation on', () => {
    const known = stored({ generations: new Map([[S, third]]) });
    expect(identify(RECORD, { s: S }, 'MARC_BIB', known)).toEqual({
      matchedId: S,
      externalId: OLD_INSTANCE,
      generation: 3,
      supersededId: CURRENT,
      duplicate: false,
    });
  });

  it('takes its $i for the external id, before that of the generation before', () => {
    const known = stored({ generations: new Map([[S, third]]) });
    expect(identify(RECORD, { s: S, i: I }, 'MARC_BIB', known).externalId).toBe(I);
  });

  it('is found by its $i where there is no $s, among records of its type', () => {
    const known = stored({
      matchedIds: new Map([[externalKey('MARC_BIB', I), S]]),
      generations: new Map([[S, third]]),
    });
    expect(identify(RECORD, { i: I }, 'MARC_BIB', known)).toMatchObject({
      matchedId: S,
      generation: 3,
    });
    expect(identify(RECORD, { i: I }, 'MARC_AUTHORITY', known)).toMatchObject({
      matchedId: RECORD,
      generation: 0,
    });
    expect(identify(RECORD, { s: RECORD, i: I }, 'MARC_BIB', known).matchedId).toBe(RECORD);
  });

  it('is a duplicate when this job made a generation of it already', () => {
    const known = stored({ generations: new Map([[S, { ...third, ofThisJob: true }]]) });
    expect(identify(RECORD, { s: S }, 'MARC_BIB', known).duplicate).toBe(true);
  });
});

describe('ids of a 999 ff', () => {
  it('are accepted in lower case, and only where they are UUIDs', () => {
    expect(acceptedIds({ count: 1, s: S.toUpperCase(), i: I })).toEqual({ s: S, i: I });
    expect(acceptedIds({ count: 1, s: 'x', i: I })).toEqual({ i: I });
    expect(acceptedIds({ count: 0 })).toEqual({});
  });
});
