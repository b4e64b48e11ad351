import { FIELDS, LEADER, sound } from '../../test/records.js';
import { readRecord } from './read.js';
import { controlField, dataField } from './write.js';
import { toMarc8 } from './write-marc8.js';

const US = '\x1f';

function marc8(record = sound()): Buffer {
  const made = toMarc8(record);
  if (made.failed) throw new Error(`over the ${made.limit} limit: ${made.length}`);
  return made.bytes;
}

describe('a record in MARC-8', () => {
  it('says so by a blank in leader/09, and all its numbers are true', () => {
    const bytes = marc8();
    expect(bytes.toString('latin1', 0, 24)).toMatch(/^00\d{3}nam {2}2200\d{3} i 4500$/);
    const read = readRecord(bytes);
    expect(read).toMatchObject({ failed: false, warnings: [] });
  });

  it('holds the same fields, and gives them again', () => {
    const record = sound();
    const read = readRecord(marc8(record));
    expect(read).toMatchObject({ bytes: record.bytes });
  });

  it('has marks before letters, sets by escape sequences, and references for the rest', () => {
    const record = sound([
      controlField('001', 'é'),
      dataField('245', '10', [
        ['a', 'Møøse й'],
        ['b', 'ก'],
      ]),
    ]);
    const text = marc8(record).toString('latin1');
    expect(text).toContain(`\x1e\xe2e\x1e10${US}aM\xb2\xb2se \x1b(NJ\x1b(B${US}b&#x0E01;\x1e\x1d`);
  });

  it('keeps its indicators, even before a field without subfields that begins with a mark', () => {
    const record = sound([
      controlField('001', 'x'),
      { tag: '500', body: Buffer.from('1 \u0301a') },
    ]);
    expect(marc8(record).toString('latin1')).toContain('\x1e1 &#x0301;a\x1e');
  });

  it('is the record itself but for leader/09 where all is ASCII', () => {
    const ascii = sound(FIELDS.filter(({ tag }) => tag !== '245'));
    const bytes = marc8(ascii);
    expect(bytes[9]).toBe(0x20);
    bytes[9] = 0x61;
    expect(bytes).toEqual(ascii.bytes);
    expect(ascii.leader.slice(5, 12)).toBe(LEADER.slice(5, 12).replace('  22', ' a22'));
  });

  it('is refused where it would break the limits of ISO 2709', () => {
    const field = (char: string) => sound([dataField('520', '  ', [['a', char.repeat(1_250)]])]);
    expect(toMarc8(field('ก'))).toEqual({
      failed: true,
      limit: 'field',
      length: 10_005,
      tag: '520',
    });
    expect(toMarc8(field('é')).failed).toBe(false);
    const many = (count: number) =>
      sound(
        Array.from({ length: count }, () => dataField('520', '  ', [['a', 'ก'.repeat(1_200)]])),
      );
    expect(toMarc8(many(11))).toEqual({
      failed: true,
      limit: 'record',
      length: 25 + 11 * (12 + 5 + 1_200 * 8) + 1,
    });
    expect(toMarc8(many(250))).toMatchObject({ failed: true, limit: 'record' });
  });
});
