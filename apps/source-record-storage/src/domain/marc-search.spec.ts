import { readRecord } from '@quire/marc/iso2709/read';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { parseMarcSearch } from './marc-search.js';
import { containsOf, lookupOf, matches, statusOf } from './marc-search-tree.js';
import { SearchedRecord } from './searched-record.js';

const IDS = { hrid: '393893', matchedId: 'm', externalId: 'e' };

function recordOf(
  fields: readonly FieldSketch[],
  leader = '00000ccm a2200000 i 4500',
): SearchedRecord {
  const record = readRecord(marcRecord({ leader, fields }));
  if (record.failed) throw new Error(record.code);
  return new SearchedRecord(IDS, record);
}

const LEADER = 'leaderSearchExpression';
const FIELDS = 'marcFieldSearchExpression';

const ausgabe = recordOf([
  ['001', '393893'],
  ['005', '20141107001016.0'],
  ['008', '830419m19559999gw mua   hiz     n  ger  '],
  ['035', '  ', { a: '(OCoLC)63611770', z: '(OCoLC)1' }],
  ['035', '  ', { a: '393893' }],
  ['245', '10', { a: 'Neue Ausgabe', b: 'sämtlicher (alter) Werke' }],
  ['948', '2 ', { a: '' }],
]);
const leader = (text: string): boolean => matches(parseMarcSearch(text, LEADER), ausgabe);
const fields = (text: string, of = ausgabe): boolean => matches(parseMarcSearch(text, FIELDS), of);

describe('a search in the leader', () => {
  it('looks at one position, or from one to another', () => {
    expect(leader(`p_05 = 'c'`)).toBe(true);
    expect(leader(`p_05='d'`)).toBe(false);
    expect(leader(`p_05 not= 'd'`)).toBe(true);
    expect(leader(`p_20 = '4' and p_22 = '0'`)).toBe(true);
    expect(leader(`p_00_04 not= '01542'`)).toBe(true);
    expect(leader(`p_00_04 = '${ausgabe.leader(0, 4)}'`)).toBe(true);
    expect(leader(`p_12_16 = '${ausgabe.leader(12, 16)}'`)).toBe(true);
    for (const key of ['06', '07', '08', '09', '10', '11', '17', '18', '19', '20', '21', '22'])
      expect(leader(`p_${key} = '${ausgabe.leader(Number(key), Number(key))}'`)).toBe(true);
  });

  it('joins by "and" before "or", and by brackets first', () => {
    expect(leader(`p_05 = 'c' and p_06 = 'c' and p_07 = 'm'`)).toBe(true);
    expect(leader(`p_05 = 'c' or p_06 = 'x' and p_07 = 'x'`)).toBe(true);
    expect(leader(`(p_05 = 'c' or p_06 = 'x') and p_07 = 'x'`)).toBe(false);
    expect(leader(`p_07 = 'x' and(p_05 = 'c' OR p_06 = 'x')`)).toBe(false);
    expect(leader(`((p_05='c')AND((p_06='c'or p_06='x')))or(p_07='x')`)).toBe(true);
  });

  it('tells the status that every match has, if there is one', () => {
    const status = (text: string): string | undefined => statusOf(parseMarcSearch(text, LEADER));
    expect(status(`p_05 = 'd'`)).toBe('d');
    expect(status(`p_06 = 'a' and (p_05 = 'd' and p_07 = 'm')`)).toBe('d');
    expect(status(`p_05 = 'd' or p_06 = 'a'`)).toBeUndefined();
    expect(status(`p_05 not= 'd'`)).toBeUndefined();
    for (const other of ['#', 'z', 'dd']) expect(status(`p_05 = '${other}'`)).toBeUndefined();
  });
});

describe('a search in fields', () => {
  it.each([
    [`001.value = '393893' and 005.value ^= '2014110' and 035.ind1 = '#'`, true],
    [
      `(035.a = '(OCoLC)63611770' and 036.ind1 = '1') or (245.a ^= 'Neue' and 005.value ^= '20141107')`,
      true,
    ],
    [`948.ind1 not= '5'`, true],
    [`035.a = '(OCoLC)63611770' and 245.a ^= 'Alte'`, false],
    [`260.a is 'absent'`, true],
  ])('of the contract: %s', (text, found) => {
    expect(fields(text)).toBe(found);
  });

  it('compares fields and any subfield by value', () => {
    expect(fields(`001.value = '393893'`)).toBe(true);
    expect(fields(`001.value = '39389'`)).toBe(false);
    expect(fields(`001.value ^= '39389'`)).toBe(true);
    expect(fields(`001.value not= '393893'`)).toBe(false);
    expect(fields(`035.value = '(OCoLC)1'`)).toBe(true);
    expect(fields(`035.value not= '(OCoLC)1'`)).toBe(true);
    expect(fields(`001.value is 'present' and 035.value is 'present'`)).toBe(true);
    expect(fields(`002.value is 'absent' and 036.value is 'absent'`)).toBe(true);
    expect(fields(`002.value not= 'x'`)).toBe(false);
  });

  it('compares subfields with regard to letter case', () => {
    expect(fields(`245.a = 'Neue Ausgabe'`)).toBe(true);
    expect(fields(`245.a = 'neue Ausgabe'`)).toBe(false);
    expect(fields(`245.b ^= 'sämt'`)).toBe(true);
    expect(fields(`245.a = 'Neue'`)).toBe(false);
    expect(fields(`035.a not= '(OCoLC)63611770'`)).toBe(true);
    expect(fields(`245.a not= 'Neue Ausgabe'`)).toBe(false);
    expect(fields(`245.c is 'absent' and 245.b is 'present'`)).toBe(true);
    expect(fields(`245.a is 'absent'`)).toBe(false);
    expect(fields(`001.a = '393893' or 001.a is 'present'`)).toBe(false);
  });

  it('takes # for a blank indicator, however the record writes it', () => {
    for (const record of [ausgabe, recordOf([['035', '##', { a: 'x' }]])]) {
      expect(fields(`035.ind1 = '#' and 035.ind2 ^= '#'`, record)).toBe(true);
      expect(fields(`035.ind1 not= '#'`, record)).toBe(false);
      expect(fields(`035.ind1 is 'present'`, record)).toBe(false);
      expect(fields(`035.ind1 is 'absent'`, record)).toBe(true);
    }
    expect(fields(`245.ind1 = '1' and 245.ind2 = '0' and 245.ind1 is 'present'`)).toBe(true);
    expect(fields(`036.ind1 = '#'`)).toBe(false);
    expect(fields(`036.ind1 is 'absent'`)).toBe(true);
  });

  it('compares characters from a position on', () => {
    expect(fields(`008.07_04 = '1955'`)).toBe(true);
    expect(fields(`008.07_04 = '1956'`)).toBe(false);
    expect(fields(`008.07_04 not= '1956'`)).toBe(true);
    expect(fields(`008.35_03 = 'ger'`)).toBe(true);
    expect(fields(`245.00_04 = 'Neue'`)).toBe(true);
    expect(fields(`009.00_01 not= 'x'`)).toBe(false);
  });

  it('finds nothing in a record without content, and no presence', () => {
    const empty = new SearchedRecord(IDS, undefined);
    expect(fields(`001.value not= 'x' or 245.ind1 not= '5'`, empty)).toBe(false);
    expect(matches(parseMarcSearch(`p_05 not= 'x' or p_05 = 'c'`, LEADER), empty)).toBe(false);
  });
});

describe('a search by the date of 005', () => {
  it('takes both ends as inside', () => {
    expect(fields(`005.date = '20141107'`)).toBe(true);
    expect(fields(`005.date not= '20141107'`)).toBe(false);
    expect(fields(`005.date from '20141107' and 005.date to '20141107'`)).toBe(true);
    expect(fields(`005.date from '20141108'`)).toBe(false);
    expect(fields(`005.date to '20141106'`)).toBe(false);
    expect(fields(`005.date in '20141106-20141108'`)).toBe(true);
    expect(fields(`005.date in '20141108-20141109'`)).toBe(false);
  });

  it('finds no record without such a date, whatever is asked', () => {
    for (const date of [undefined, '2014', 'yesterday']) {
      const undated = recordOf([
        ...(date === undefined ? [] : [['005', date] as const]),
        ['001', 'x'],
      ]);
      expect(fields(`005.date not= '20141107'`, undated)).toBe(false);
      expect(fields(`005.date to '99991231'`, undated)).toBe(false);
    }
  });
});

describe('what is known of all matches', () => {
  const keys = (text: string): string[] | undefined =>
    lookupOf(parseMarcSearch(text, FIELDS))?.keys?.map(({ key, prefix }) =>
      prefix ? `${key}:*` : key,
    );

  it('is a key where a tag is indexed, and always the one of records with too many', () => {
    expect(keys(`035.a = '(OCoLC)1'`)).toEqual(['035a(OCoLC)1', '*']);
    expect(keys(`001.value ^= 'in'`)).toEqual(['001in:*', '*']);
    expect(keys(`003.value = 'X'`)).toEqual(['003X', '*']);
    expect(keys(`020.value = '1'`)).toHaveLength(38);
    expect(keys(`035.a not= 'x'`)).toBeUndefined();
    expect(keys(`035.a is 'present'`)).toBeUndefined();
    expect(keys(`245.a = 'x'`)).toBeUndefined();
  });

  it('is the best of an "and", and all of an "or"', () => {
    expect(keys(`020.a ^= '9' and 035.a = 'x' and 245.a = 'y'`)).toEqual(['035ax', '*']);
    expect(keys(`020.a = '1' or (035.a = 'x' and 245.a = 'y')`)).toEqual(['020a1', '035ax', '*']);
    expect(keys(`020.a = '1' or 245.a = 'y'`)).toBeUndefined();
  });

  it('is no beginning where the status is a rare one', () => {
    const both = (status: string, condition: string) =>
      lookupOf({
        kind: 'and',
        parts: [parseMarcSearch(`p_05 = '${status}'`, LEADER), parseMarcSearch(condition, FIELDS)],
      });
    expect(both('d', `020.a ^= '9'`)).toBeUndefined();
    expect(both('d', `020.a = '9'`)).toBeDefined();
    expect(both('n', `020.a ^= '9'`)).toBeDefined();
  });

  it('is a column where 999 has an id', () => {
    const id = '6a1f2c3d-0000-4000-8000-0123456789ab';
    const found = (text: string) => lookupOf(parseMarcSearch(text, FIELDS));
    expect(found(`999.s = '${id}'`)).toMatchObject({ matchedIds: [id] });
    expect(found(`999.i = '${id}'`)).toMatchObject({ externalIds: [id] });
    expect(found(`999.i = 'x'`)).toBeUndefined();
    expect(found(`999.i ^= '${id}'`)).toBeUndefined();
  });

  it('is a text in its bytes otherwise', () => {
    const contains = (text: string) => containsOf(parseMarcSearch(text, FIELDS));
    expect(contains(`245.a ^= 'Neue'`)).toEqual({ kind: 'text', texts: ['Neue'] });
    expect(contains(`245.a = 'x' and 260.a is 'absent'`)).toEqual({
      kind: 'and',
      parts: [{ kind: 'text', texts: ['x'] }],
    });
    expect(contains(`245.a = 'x' or 260.a is 'absent'`)).toBeUndefined();
    expect(contains(`245.a not= 'x'`)).toBeUndefined();
    const many = Array.from({ length: 30 }, (_, at) => `245.a = 'x${at}'`);
    expect(contains(many.join(' or '))).toBeUndefined();
    expect(contains(many.join(' and '))).toMatchObject({ kind: 'and' });
  });
});
