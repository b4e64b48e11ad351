import { readRecord } from '@quire/marc/iso2709/read';
import type { MarcRecord } from '@quire/marc/record';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { isIndexed, marcKeys, wantedId, wantedKeys, type OwnIds } from './marc-keys.js';

const ID = '6a1f2c3d-0000-4000-8000-0123456789ab';
const OTHER = '7b1f2c3d-0000-4000-8000-0123456789ab';

function recordOf(...fields: readonly FieldSketch[]): MarcRecord {
  const record = readRecord(marcRecord({ fields }));
  if (record.failed) throw new Error(record.code);
  return record;
}

const keysOf = (fields: readonly FieldSketch[], own?: OwnIds): string[] =>
  marcKeys(recordOf(...fields), own).map(String);

describe('keys of a record', () => {
  it('are tag, code and value of the fields that are asked for', () => {
    expect(
      keysOf([
        ['001', 'in1'],
        ['003', 'OCoLC'],
        ['005', '20240101000000.0'],
        ['010', '  ', { a: '  2001 ' }],
        ['020', '  ', { a: 'é', z: 'x' }],
        ['245', '10', { a: 'Title' }],
        ['028', '02', { a: 'N', b: '' }],
      ]),
    ).toEqual(['001in1', '003OCoLC', '010a  2001 ', '020aé', '020zx', '028aN', '028b']);
    for (const tag of ['001', '003', '010', '020', '022', '024', '028', '035'])
      expect(isIndexed(tag)).toBe(true);
    for (const tag of ['005', '008', '040', '245', '999']) expect(isIndexed(tag)).toBe(false);
  });

  it('come once, in the order of their bytes', () => {
    const keys = keysOf([
      ['035', '  ', { a: 'é' }],
      ['035', '  ', { a: 'z' }],
      ['020', '  ', { a: '1' }],
      ['035', '  ', { a: 'z' }],
    ]);
    expect(keys).toEqual(['020a1', '035az', '035aé']);
  });

  it('share one code where nobody can ask for it', () => {
    expect(
      keysOf([
        [
          '035',
          '  ',
          [
            ['A', 'x'],
            ['$', 'y'],
            ['ä', 'z'],
            ['9', 'n'],
          ],
        ],
      ]),
    ).toEqual(['035*x', '035*y', '035*z', '0359n']);
  });

  it('are cut between characters, on both sides alike', () => {
    const long = `${'x'.repeat(119)}é and more`;
    expect(keysOf([['035', '  ', { a: long }]])).toEqual([`035a${'x'.repeat(119)}`]);
    expect(wantedKeys('035', 'a', long, false)).toEqual([
      { key: `035a${'x'.repeat(119)}`, prefix: false },
    ]);
    expect(keysOf([['035', '  ', { a: 'y'.repeat(200) }]])).toEqual([`035a${'y'.repeat(120)}`]);
  });

  it('of a record with too many are one that is always wanted', () => {
    const many = Array.from({ length: 1001 }, (_, at): FieldSketch => [
      '035',
      '  ',
      { a: `${at}` },
    ]);
    expect(keysOf(many)).toEqual(['*']);
    expect(keysOf(many.slice(1))).toHaveLength(1000);
  });

  it('tell of 999 only the ids that the record’s columns do not', () => {
    const fields: FieldSketch[] = [
      ['999', '  ', { a: 'shelf', s: OTHER.toUpperCase(), i: 'ITEM-1' }],
      ['999', 'ff', { s: ID, i: OTHER }],
    ];
    expect(keysOf(fields)).toEqual([`999s${OTHER}`]);
    expect(keysOf(fields, { matchedId: ID, externalId: OTHER })).toEqual([`999s${OTHER}`]);
    expect(keysOf(fields, { matchedId: ID, externalId: null })).toEqual([
      `999i${OTHER}`,
      `999s${OTHER}`,
    ]);
    expect(wantedId('s', OTHER.toUpperCase())).toEqual({ key: `999s${OTHER}`, prefix: false });
  });
});

describe('keys that are wanted', () => {
  it('are one of a subfield, and one of each code where any will do', () => {
    expect(wantedKeys('035', 'z', '(X)1', true)).toEqual([{ key: '035z(X)1', prefix: true }]);
    expect(wantedKeys('001', undefined, 'in1', false)).toEqual([{ key: '001in1', prefix: false }]);
    const any = wantedKeys('020', undefined, '1', false).map(({ key }) => key);
    expect(any).toHaveLength(37);
    expect(any).toEqual(expect.arrayContaining(['020a1', '02001', '020z1', '020*1']));
  });
});
