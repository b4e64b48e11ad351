import { FrameSplitter } from '@quire/marc/iso2709/split';
import { summarise } from '@quire/marc/fields';
import { readRecord } from '@quire/marc/iso2709/read';
import { generatedHrid, generateMarc, generateRecord, marcRecord } from './marc.js';

const records = [...generateMarc(1, 3_000)];

describe('generated records', () => {
  it('are in stored form, bibliographic, and each has the 001 of its index', () => {
    for (const [index, bytes] of records.entries()) {
      const record = readRecord(bytes);
      if (record.failed) throw new Error(`${index}: ${record.code}`);
      if (record.bytes !== bytes || record.warnings.length > 0)
        throw new Error(`${index} repaired`);
      const { hrid, recordType, title } = summarise(record);
      expect([hrid, recordType]).toEqual([generatedHrid(index), 'MARC_BIB']);
      expect(title).toMatch(/.+ : .+ \/ .+\./);
    }
  });

  it('are the same for the same seed and index, whatever else is made', () => {
    expect(generateRecord(1, 2_999)).toEqual(records[2_999]);
    expect([...generateMarc(1, 2, 7)]).toEqual(records.slice(7, 9));
    expect(generateRecord(2, 7)).not.toEqual(records[7]);
  });

  it('are as long as real ones', () => {
    const lengths = records.map((bytes) => bytes.length).sort((a, b) => a - b);
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    expect(mean).toBeGreaterThan(1_900);
    expect(mean).toBeLessThan(2_500);
    expect(lengths[1_500]).toBeGreaterThan(1_250);
    expect(lengths[1_500]).toBeLessThan(1_700);
    expect(lengths[2_850]).toBeGreaterThan(4_400);
    expect(lengths[2_850]).toBeLessThan(5_500);
    expect(lengths.at(-1)).toBeGreaterThan(9_000);
    expect(lengths.at(-1)).toBeLessThan(60_000);
  });

  it('are written in several scripts', () => {
    const all = records.join('');
    for (const script of ['Cyrillic', 'Greek', 'Arabic', 'Hebrew', 'Han', 'Hiragana', 'Latin']) {
      expect(all).toMatch(new RegExp(`\\p{Script=${script}}`, 'u'));
    }
    const plain = records.filter((bytes) => bytes.every((byte) => byte < 0x80)).length;
    expect(plain).toBeGreaterThan(600);
    expect(plain).toBeLessThan(2_100);
  });

  it('make a file of as many frames', () => {
    const splitter = new FrameSplitter();
    let count = 0;
    for (const bytes of records) count += splitter.push(bytes).length;
    expect(count + splitter.end().length).toBe(3_000);
  });
});

describe('a record by hand', () => {
  it('has the fields it was given', () => {
    const bytes = marcRecord({
      leader: '00000cz  a2200000n  4500',
      fields: [
        ['001', 'n1'],
        [
          '100',
          '1 ',
          [
            ['a', 'Čapek'],
            ['a', 'again'],
          ],
        ],
        ['670', '  ', { a: 'Title', b: 'page 1' }],
      ],
    });
    const record = readRecord(bytes);
    if (record.failed) throw new Error(record.code);
    expect(record.leader.slice(5, 10)).toBe('cz  a');
    expect(record.subfields(1)).toEqual([
      ['a', 'Čapek'],
      ['a', 'again'],
    ]);
    expect(record.text(2)).toBe('  \x1faTitle\x1fbpage 1');
  });

  it('that nobody could write is an error', () => {
    expect(() => marcRecord({ fields: [['1', 'x']] })).toThrow('Record cannot be written: TAG');
  });
});
