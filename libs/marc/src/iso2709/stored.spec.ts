import { FIELDS, sound } from '../../test/records.js';
import type { MarcRecord } from '../record.js';
import { readRecord } from './read.js';
import { find999ff, openStored, sameContent, suppressFields, with999ff } from './stored.js';
import { controlField, dataField, type FieldBytes } from './write.js';

const ids = {
  s: '0c5f8d1e-0000-4000-8000-000000000001',
  i: '0c5f8d1e-0000-4000-8000-000000000002',
};
const ff = (...subfields: [string, string][]) => dataField('999', 'ff', subfields);

function stored(record: MarcRecord, wanted: { s: string; i?: string } = ids): MarcRecord {
  const made = with999ff(record, wanted);
  if (made.failed) throw new Error(made.code);
  return openStored(made.bytes);
}

describe('the stored record', () => {
  it('has its ids in a 999 ff at the end, and is in stored form', () => {
    const record = stored(sound());
    const last = record.fieldCount - 1;
    expect(record.tag(last) + record.indicators(last)).toBe('999ff');
    expect(record.subfields(last)).toEqual([
      ['s', ids.s],
      ['i', ids.i],
    ]);
    expect(readRecord(record.bytes)).toMatchObject({ bytes: record.bytes, warnings: [] });
    expect(stored(sound(), { s: ids.s }).text(last)).toBe(`ff\x1fs${ids.s}`);
  });

  it('has only one, whatever the record brought; a plain 999 stays', () => {
    const record = stored(sound([ff(['s', 'old']), ...FIELDS, ff(['i', 'older'])]));
    expect(find999ff(record)).toEqual({ count: 1, ...ids });
    expect(record.bytes).toEqual(stored(sound()).bytes);
  });

  it('without its 999 ff is byte for byte what came in', () => {
    const record = sound();
    expect(suppressFields(stored(record), { ff999: true })).toMatchObject({ bytes: record.bytes });
  });

  it('is opened by its end marks where its numbers are nines', () => {
    const long = sound([
      ...FIELDS,
      ...Array.from({ length: 12 }, () => dataField('520', '  ', [['a', 'x'.repeat(11_000)]])),
    ]);
    const record = stored(long);
    expect(find999ff(record)).toEqual({ count: 1, ...ids });
    expect(suppressFields(record, { ff999: true })).toMatchObject({
      bytes: long.bytes,
      oversize: true,
    });
  });

  it('cannot be opened when the store is damaged', () => {
    expect(() => openStored(Buffer.from('damaged'))).toThrow('Stored record is damaged: TRUNCATED');
  });
});

describe('the ids of 999 ff', () => {
  it('are the first that are not empty', () => {
    expect(find999ff(sound())).toEqual({ count: 0 });
    const fields = [
      ff(['s', ''], ['t', '0']),
      dataField('999', 'f ', [['s', 'no']]),
      ff(['s', 'a']),
    ];
    expect(find999ff(sound([...fields, ff(['s', 'b'], ['i', 'c'])]))).toEqual({
      count: 3,
      s: 'a',
      i: 'c',
    });
  });
});

describe('suppression', () => {
  it('takes all fields of a tag, control fields too', () => {
    const made = suppressFields(sound(), { tags: new Set(['001', '650', '777']) });
    const rest = FIELDS.filter(({ tag }) => tag !== '001' && tag !== '650');
    expect(made).toMatchObject({ bytes: sound(rest).bytes });
  });

  it('gives the same bytes where there is nothing to take', () => {
    const record = sound();
    const made = suppressFields(record, { tags: new Set(['777']), ff999: true });
    expect(!made.failed && made.bytes).toBe(record.bytes);
  });

  it('that leaves nothing is an error', () => {
    expect(suppressFields(sound([ff(['s', 'x'])]), { ff999: true })).toMatchObject({
      code: 'NO_FIELDS',
    });
  });
});

describe('the content', () => {
  const with005 = (time: string): FieldBytes[] =>
    FIELDS.map((field) => (field.tag === '005' ? controlField('005', time) : field));

  it('is the same whatever 005 and 999 ff say', () => {
    expect(sameContent(sound(), stored(sound(with005('20250101000000.0'))))).toBe(true);
    expect(sameContent(sound(FIELDS.filter(({ tag }) => tag !== '005')), sound())).toBe(true);
  });

  it('differs by leader, field, order and number of fields', () => {
    expect(sameContent(sound(), sound(FIELDS, '00000cam a2200000 i 4500'))).toBe(false);
    expect(sameContent(sound(), sound(FIELDS.slice(0, -1)))).toBe(false);
    expect(sameContent(sound(FIELDS.slice(0, -1)), sound())).toBe(false);
    expect(sameContent(sound(), sound(FIELDS.toReversed()))).toBe(false);
    const other = [...FIELDS.slice(0, -1), dataField('999', '  ', [['a', 'other']])];
    expect(sameContent(sound(), sound(other))).toBe(false);
  });
});
