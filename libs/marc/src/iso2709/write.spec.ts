import { FIELDS, LEADER, outcome, sound } from '../../test/records.js';
import { readRecord } from './read.js';
import {
  controlField,
  dataField,
  editRecord,
  exportLimit,
  fieldBytes,
  replaceControls,
  writeRecord,
} from './write.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('a written record', () => {
  it('has true numbers and the fixed places of the leader, and keeps the rest', () => {
    const record = sound(
      [controlField('001', 'x'), dataField('245', '00', [['a', 'é']])],
      '99999ckm  9912345 xi9999',
    );
    expect(record.bytes.toString()).toBe(
      '00059ckm a2200049 xi4500' + '001000200000' + '245000700002' + '\x1ex\x1e00\x1faé\x1e\x1d',
    );
  });

  it('reads back as what was written', () => {
    const record = sound();
    const again = writeRecord(record.leader, fieldBytes(record));
    expect(again).toMatchObject({ bytes: record.bytes, table: record.table, warnings: [] });
    expect(readRecord(record.bytes)).toMatchObject({ table: record.table });
  });

  it('needs a leader of 24 characters, legal tags, a field, and less than 1 MiB', () => {
    expect(outcome(writeRecord('short', FIELDS))).toBe('LEADER');
    expect(outcome(writeRecord(LEADER, []))).toBe('NO_FIELDS');
    expect(outcome(writeRecord(LEADER, [controlField('0x', 'a')]))).toBe('TAG');
    expect(outcome(writeRecord(LEADER, [controlField('€01', 'a')]))).toBe('TAG');
    const half = controlField('001', 'x'.repeat(600_000));
    expect(outcome(writeRecord(LEADER, [half]))).toEqual(['OVERSIZE_LEADER']);
    expect(outcome(writeRecord(LEADER, [half, half]))).toBe('TOO_LARGE');
  });

  it('has no control characters in its text and two printable indicators', () => {
    expect(text(controlField('001', 'a\x1eb\tc').body)).toBe('a\ufffdb\tc');
    expect(
      text(
        dataField('500', '\x1f', [
          ['a', '\x1d'],
          ['\x1f', ''],
        ]).body,
      ),
    ).toBe('  \x1fa\ufffd\x1f\ufffd');
    expect(replaceControls('a\x1db\x1e', '')).toBe('ab');
  });
});

describe('an edit', () => {
  const record = sound();
  const note = dataField('590', '  ', [['a', 'née']]);

  it('that changes nothing gives the same bytes', () => {
    expect(editRecord(record, { remove: () => false })).toEqual({
      failed: false,
      bytes: record.bytes,
      oversize: false,
    });
  });

  it('appends a field, with and without removing others, as writing anew would', () => {
    const all = fieldBytes(record);
    const appended = editRecord(record, { append: note });
    expect(appended).toMatchObject({ bytes: sound([...all, note]).bytes, oversize: false });
    const moved = editRecord(record, { remove: (_from, field) => field === 2, append: note });
    const rest = all.filter((_field, i) => i !== 2);
    expect(moved).toMatchObject({ bytes: sound([...rest, note]).bytes });
  });

  it('that leaves no field is refused', () => {
    expect(editRecord(record, { remove: () => true })).toMatchObject({ code: 'NO_FIELDS' });
  });

  it('tells when it made the record too long for its numbers, or for us', () => {
    const at = (length: number) => {
      const wanted = controlField('001', 'x'.repeat(length));
      return sound(Array.from({ length: 10 }, () => wanted));
    };
    expect(editRecord(at(9_900), { append: note })).toMatchObject({ oversize: false });
    expect(editRecord(at(9_984), { append: note })).toMatchObject({ oversize: true });
    const long = dataField('590', '  ', [['a', 'x'.repeat(9_995)]]);
    expect(editRecord(record, { append: long })).toMatchObject({ oversize: true });
    const largest = sound([controlField('001', 'x'.repeat(1_048_530))]);
    expect(editRecord(largest, { append: note })).toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('the limits of binary export', () => {
  it('are 99,999 bytes for a record', () => {
    const tenFields = (last: number) =>
      sound(
        Array.from({ length: 11 }, (_, i) =>
          controlField('001', 'x'.repeat(i < 10 ? 9_900 : last)),
        ),
      );
    const fits = tenFields(99_999 - 25 - 11 * 12 - 10 * 9_901 - 1 - 1);
    expect(fits.bytes.length).toBe(99_999);
    expect(exportLimit(fits)).toBeUndefined();
    const over = tenFields(99_999 - 25 - 11 * 12 - 10 * 9_901 - 1);
    expect(exportLimit(over)).toEqual({ limit: 'record', length: 100_000 });
    expect(over.warnings).toMatchObject([{ code: 'OVERSIZE_LEADER', tag: 'LDR' }]);
  });

  it('are 9,999 bytes for a field with its end mark', () => {
    const of = (length: number) => sound([controlField('001', 'x'.repeat(length - 1))]);
    expect(exportLimit(of(9_999))).toBeUndefined();
    expect(exportLimit(of(10_000))).toEqual({ limit: 'field', length: 10_000, tag: '001' });
  });
});
