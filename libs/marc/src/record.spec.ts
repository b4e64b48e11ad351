import { FIELDS, sound } from '../test/records.js';
import { controlField, dataField } from './iso2709/write.js';
import { visitTexts } from './record.js';

const record = sound([
  controlField('001', 'x\x1fé'),
  dataField('245', '10', [
    ['a', 'Čapek'],
    ['é', ''],
    ['😀', 'y'],
  ]),
  dataField('500', '  ', []),
  ...FIELDS,
]);

describe('a record', () => {
  it('shows the text of all control fields and subfields in order', () => {
    const seen: [string, string, string][] = [];
    visitTexts(record, (field, code, text) => seen.push([record.tag(field), code, text]));
    const expected = Array.from({ length: record.fieldCount }, (_, i) =>
      record.isControl(i)
        ? [[record.tag(i), '', record.text(i)]]
        : record.subfields(i).map(([code, text]) => [record.tag(i), code, text]),
    );
    expect(seen).toEqual(expected.flat());
    expect(seen.slice(1, 4)).toEqual([
      ['245', 'a', 'Čapek'],
      ['245', 'é', ''],
      ['245', '😀', 'y'],
    ]);
  });

  it('finds fields by tag and subfields by code', () => {
    expect([record.find('245'), record.find('245', 2), record.find('111')]).toEqual([1, 7, -1]);
    expect(record.subfield(1, 'a')).toBe('Čapek');
    expect(record.subfield(2, 'a')).toBeUndefined();
    expect(record.subfields(2)).toEqual([]);
    expect(record.subfields(0)).toEqual([]);
  });
});
