import type { MarcMatchFilter, MatchType } from '@quire/contracts/marc-matching';
import { readRecord } from '@quire/marc/iso2709/read';
import { marcRecord } from '@quire/testing/marc';
import { matchingSearch } from './marc-matching.js';
import { containsOf, lookupOf, matches, readsContent } from './marc-search-tree.js';
import { SearchedRecord } from './searched-record.js';

const MATCHED = '6a1f2c3d-0000-4000-8000-0123456789ab';
const EXTERNAL = '7b1f2c3d-0000-4000-8000-0123456789ab';

const record = readRecord(
  marcRecord({
    fields: [
      ['001', 'in001'],
      ['007', '12569'],
      ['024', '80', { a: 'test123', b: '' }],
      ['035', '  ', { a: '(OCoLC)63611770' }],
      ['035', '9 ', { a: 'ocm 77' }],
      ['999', '  ', { s: 'shelf' }],
      ['999', 'ff', { s: MATCHED, i: EXTERNAL }],
    ],
  }),
);
if (record.failed) throw new Error(record.code);
const ids = { hrid: 'in001', matchedId: MATCHED, externalId: EXTERNAL };
const bib = new SearchedRecord(ids, record);

type Filter = Partial<MarcMatchFilter>;
const searchOf = (logicalOperator: 'AND' | 'OR', ...filters: readonly Filter[]) =>
  matchingSearch({
    recordType: 'MARC_BIB',
    logicalOperator,
    filters: filters.map((filter) => ({ field: '035', values: [], ...filter })),
  });
const found = (...filters: readonly Filter[]): boolean => matches(searchOf('AND', ...filters), bib);

describe('a filter', () => {
  it('takes an absent, empty or blank indicator for a blank, and * for any', () => {
    const oclc = { field: '035', subfield: 'a', values: ['(OCoLC)63611770'] };
    for (const indicator of [undefined, '', ' ', '*'])
      expect(
        found({ ...oclc, ...(indicator === undefined ? {} : { indicator1: indicator }) }),
      ).toBe(true);
    expect(found({ ...oclc, indicator1: '9' })).toBe(false);
    const test = { field: '024', subfield: 'a', values: ['12345', 'test123'] };
    expect(found(test)).toBe(false);
    expect(found({ ...test, indicator1: '8', indicator2: '0' })).toBe(true);
    expect(found({ ...test, indicator1: '*', indicator2: '*' })).toBe(true);
    expect(found({ ...test, indicator1: '*', indicator2: '1' })).toBe(false);
  });

  it('looks at some subfield with its code, or at any without', () => {
    expect(found({ subfield: 'z', values: ['(OCoLC)63611770'] })).toBe(false);
    expect(found({ values: ['(OCoLC)63611770'] })).toBe(true);
    expect(found({ subfield: '', values: ['(OCoLC)63611770'] })).toBe(true);
  });

  it('compares the text of control fields, whatever else it says', () => {
    expect(found({ field: '007', indicator1: '9', subfield: 'a', values: ['12569'] })).toBe(true);
    expect(found({ field: '006', values: ['12569'] })).toBe(false);
  });

  it('compares columns for 001 and the ids of 999 ff', () => {
    const other = new SearchedRecord({ ...ids, hrid: 'in002' }, record);
    const number = searchOf('AND', { field: '001', values: ['in002'] });
    expect([matches(number, bib), matches(number, other)]).toEqual([false, true]);
    const ff = { field: '999', indicator1: 'f', indicator2: 'f' };
    expect(found({ ...ff, subfield: 's', values: [MATCHED] })).toBe(true);
    expect(found({ ...ff, subfield: 'i', values: [EXTERNAL.toUpperCase()] })).toBe(true);
    expect(found({ ...ff, subfield: 'i', values: [MATCHED] })).toBe(false);
    expect(found({ field: '999', subfield: 's', values: ['shelf'] })).toBe(true);
    expect(matches(number, new SearchedRecord({ ...ids, hrid: null }, record))).toBe(false);
  });

  it.each<[MatchType, string, string]>([
    ['EXACTLY_MATCHES', 'test123', 'test12'],
    ['EXISTING_VALUE_CONTAINS_INCOMING_VALUE', 'st12', 'tset'],
    ['INCOMING_VALUE_CONTAINS_EXISTING_VALUE', 'a test1234', 'test12'],
    ['EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE', 'test', 'est'],
    ['INCOMING_VALUE_BEGINS_WITH_EXISTING_VALUE', 'test1234', 'atest123'],
    ['EXISTING_VALUE_ENDS_WITH_INCOMING_VALUE', 't123', '12'],
    ['INCOMING_VALUE_ENDS_WITH_EXISTING_VALUE', 'atest123', 'test1234'],
  ])('by %s', (matchType, hit, miss) => {
    const filter = { field: '024', indicator1: '8', indicator2: '0', subfield: 'a', matchType };
    expect(found({ ...filter, values: [miss, hit] })).toBe(true);
    expect(found({ ...filter, values: [miss] })).toBe(false);
    expect(found({ ...filter, values: [hit.toUpperCase()] })).toBe(false);
  });

  it('compares parts of both sides, and looks at the whole value for the qualifier', () => {
    const oclc = { field: '035', subfield: 'a' };
    const numbers = { ...oclc, comparisonPartType: 'NUMERICS_ONLY' } as const;
    expect(found({ ...numbers, values: ['63611770'] })).toBe(true);
    expect(found({ ...numbers, values: ['ocn-6361/1770'] })).toBe(true);
    expect(
      found({ ...numbers, values: ['63611770'], qualifier: 'BEGINS_WITH', qualifierValue: '(OC' }),
    ).toBe(true);
    expect(
      found({ ...numbers, values: ['63611770'], qualifier: 'BEGINS_WITH', qualifierValue: '636' }),
    ).toBe(false);
    const alphanumerics = { ...oclc, comparisonPartType: 'ALPHANUMERICS_ONLY' } as const;
    const contains = { qualifier: 'CONTAINS', qualifierValue: 'OCoLC' } as const;
    expect(found({ ...alphanumerics, values: ['OCoLC63611770'], ...contains })).toBe(true);
    expect(found({ ...alphanumerics, values: ['ocolc63611770'] })).toBe(false);
    const ends = { ...oclc, values: ['(OCoLC)63611770'], qualifier: 'ENDS_WITH' } as const;
    expect(found({ ...ends, qualifierValue: '770' })).toBe(true);
    expect(found({ ...ends, qualifierValue: '77' })).toBe(false);
    expect(found(ends)).toBe(true);
  });

  it('looks at the qualifier and the value of one and the same field', () => {
    const filter = { field: '035', indicator1: '*', subfield: 'a', values: ['ocm 77'] };
    expect(found({ ...filter, qualifier: 'BEGINS_WITH', qualifierValue: '(OCoLC)' })).toBe(false);
  });

  it('finds nothing by a side of which nothing is left', () => {
    const part = {
      field: '024',
      indicator1: '8',
      indicator2: '0',
      comparisonPartType: 'NUMERICS_ONLY',
    } as const;
    expect(found({ ...part, values: ['no digits'] })).toBe(false);
    const contained = { ...part, matchType: 'INCOMING_VALUE_CONTAINS_EXISTING_VALUE' } as const;
    expect(found({ ...contained, subfield: 'b', values: ['1'] })).toBe(false);
    const plain = { field: '024', indicator1: '8', indicator2: '0', values: [''] };
    expect(found({ ...plain, subfield: 'b' })).toBe(true);
    expect(found({ ...plain, subfield: 'a' })).toBe(false);
    expect(found({ ...plain, matchType: 'EXISTING_VALUE_CONTAINS_INCOMING_VALUE' })).toBe(false);
  });
});

describe('several filters', () => {
  const hit = { field: '007', values: ['12569'] };
  const miss = { field: '007', values: ['x'] };

  it('are joined per record', () => {
    expect(matches(searchOf('AND', hit, miss), bib)).toBe(false);
    expect(matches(searchOf('OR', hit, miss), bib)).toBe(true);
    expect(matches(searchOf('AND', hit, hit), bib)).toBe(true);
    expect(matches(searchOf('OR', miss, miss), bib)).toBe(false);
  });

  it('are found by indexes where they can be', () => {
    const column = { field: '001', values: ['a', 'b'] };
    const key = { field: '020', subfield: 'a', values: ['9'] };
    const begins = { ...key, matchType: 'EXISTING_VALUE_BEGINS_WITH_INCOMING_VALUE' } as const;
    expect(lookupOf(searchOf('AND', column))).toEqual({ hrids: ['a', 'b'] });
    expect(lookupOf(searchOf('AND', begins, hit))?.keys?.[0]).toEqual({
      key: '020a9',
      prefix: true,
    });
    expect(lookupOf(searchOf('OR', column, key))).toMatchObject({ hrids: ['a', 'b'] });
    expect(lookupOf(searchOf('OR', column, hit))).toBeUndefined();
    expect(
      lookupOf(searchOf('AND', { ...key, comparisonPartType: 'NUMERICS_ONLY' })),
    ).toBeUndefined();
    const qualified = {
      ...key,
      comparisonPartType: 'NUMERICS_ONLY',
      qualifier: 'BEGINS_WITH',
    } as const;
    expect(lookupOf(searchOf('AND', { ...qualified, qualifierValue: '97' }))?.keys?.[0]).toEqual({
      key: '020a97',
      prefix: true,
    });
    expect(containsOf(searchOf('AND', hit))).toEqual({ kind: 'text', texts: ['12569'] });
    expect(readsContent(searchOf('OR', column))).toBe(false);
    expect(readsContent(searchOf('OR', column, hit))).toBe(true);
  });
});
