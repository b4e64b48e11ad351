import { FIELDS, LEADER, sound } from '../test/records.js';
import { recordTypeOf, summarise } from './fields.js';
import { controlField, dataField, type FieldBytes } from './iso2709/write.js';

const leader = (status: string, type: string) => `00000${status}${type}m a2200000 i 4500`;
const of = (type: string, fields: readonly FieldBytes[]) =>
  summarise(sound(fields, leader('n', type)));

describe('the type of a record', () => {
  it.each([
    ['acdefgijkmoprt', 'MARC_BIB'],
    ['z', 'MARC_AUTHORITY'],
    ['uvxy', 'MARC_HOLDING'],
    ['bhlnqsw A1', undefined],
  ])('is told by leader/06: %s', (letters, type) => {
    for (const letter of letters) expect(recordTypeOf(letter.charCodeAt(0))).toBe(type);
  });

  it('has none in a frame without leader/06', () => {
    expect(recordTypeOf(-1)).toBeUndefined();
  });
});

describe('a summary', () => {
  it('holds numbers, status and title of a bibliographic record', () => {
    expect(summarise(sound())).toEqual({
      recordType: 'MARC_BIB',
      status: 'n',
      deleted: false,
      hrid: 'qx0001',
      controlNumberSource: 'QUI',
      parentHrid: undefined,
      title: 'Møøse and “Мышь” : a tale in 漢字 / by Δ. Author.',
    });
  });

  it('knows the statuses of deleted records', () => {
    const deleted = (status: string) => summarise(sound(FIELDS, leader(status, 'a'))).deleted;
    expect(['d', 's', 'x', 'n', 'c', 'a', 'o', 'p'].filter(deleted)).toEqual(['d', 's', 'x']);
  });

  it('takes the title from the first 245, some codes only, in their order', () => {
    const fields = [
      dataField('245', '00', [
        ['6', '880-01'],
        ['h', 'h'],
        ['a', ''],
        ['a', 'a'],
        ['é', 'x'],
        ['s', 's'],
        ['d', 'd'],
      ]),
      dataField('245', '00', [['a', 'second']]),
    ];
    expect(of('a', fields).title).toBe('h a s');
    expect(of('a', fields)).toMatchObject({ hrid: undefined, controlNumberSource: undefined });
  });

  it('takes the title of an authority from all subfields of its first 1XX, its number trimmed', () => {
    const fields = [
      controlField('001', ' n 42 '),
      dataField('100', '1 ', [
        ['a', 'Čapek, Karel,'],
        ['d', '1890-1938'],
        ['é', 'x'],
      ]),
      dataField('110', '1 ', [['a', 'Other']]),
    ];
    expect(of('z', fields)).toMatchObject({ hrid: 'n 42', title: 'Čapek, Karel, 1890-1938 x' });
  });

  it('names holdings by their number and knows the record they belong to', () => {
    const fields = [controlField('001', 'h1'), controlField('004', 'b1')];
    expect(of('y', fields)).toMatchObject({ title: 'Holdings h1', parentHrid: 'b1', hrid: 'h1' });
    expect(of('a', fields).parentHrid).toBeUndefined();
  });

  it('says so where there is no title', () => {
    const fields = [controlField('005', 'x')];
    for (const type of ['a', 'z', 'y', '?']) expect(of(type, fields).title).toBe('No content');
    expect(summarise(sound([dataField('245', '00', [])], LEADER)).title).toBe('No content');
  });
});
