import { FIELDS, frameOf, patched, randomNumbers, sound } from '../../test/records.js';
import { readRecord } from './read.js';
import { salvage } from './salvage.js';

const { bytes } = sound();
const title = 'Møøse and “Мышь” : a tale in 漢字 / by Δ. Author.';

describe('a record that could not be read', () => {
  it('may still tell type, number and title', () => {
    const frame = patched(bytes, 24 + 12 * 5, '6?0');
    expect(readRecord(frame)).toMatchObject({ code: 'TAG' });
    expect(salvage(frame)).toEqual({ recordType: 'MARC_BIB', hrid: 'qx0001', title });
    const end = bytes.length - 30;
    expect(readRecord(bytes.subarray(0, end))).toMatchObject({ code: 'TRUNCATED' });
    expect(salvage(bytes.subarray(0, end))).toMatchObject({ hrid: 'qx0001' });
  });

  it('tells the ASCII of a title in an unknown character set', () => {
    const frame = frameOf([
      ['001', 'm8'],
      ['245', '10\x1faTol\xe1e\x1b : a tale'],
    ]);
    expect(salvage(frame)).toEqual({
      recordType: 'MARC_BIB',
      hrid: 'm8',
      title: 'Tol\ufffde  : a tale',
    });
  });

  it('leaves out what it does not tell', () => {
    expect(salvage(Buffer.alloc(0))).toEqual({});
    expect(salvage(Buffer.from('00012nam'))).toEqual({ recordType: 'MARC_BIB' });
    expect(salvage(sound(FIELDS.slice(0, 2)).bytes)).toEqual({
      recordType: 'MARC_BIB',
      hrid: 'qx0001',
    });
  });

  it('is never an exception', () => {
    const random = randomNumbers(11);
    for (let run = 0; run < 3_000; run++) {
      const frame = Buffer.from(bytes.subarray(0, random(bytes.length)));
      for (let n = 0; n < 3 && frame.length > 0; n++) frame[random(frame.length)] = random(256);
      salvage(frame);
    }
  });
});
