import fc from 'fast-check';
import { randomNumbers, sound } from '../../test/records.js';
import { cutFrames, type Frame, FrameSplitter, splitFrames } from './split.js';

const one = sound().bytes;
const RT = '\x1d';

/** A frame of text that starts with these digits; its true length is not asked. */
const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const borders = (frames: Frame[]) => frames.map(({ skipped, length }) => [skipped, length]);

describe('frames of a file', () => {
  it('follow one another, with nothing between them', () => {
    const frames = splitFrames(Buffer.concat([one, one, one]));
    expect(borders(frames)).toEqual([
      [0, one.length],
      [0, one.length],
      [0, one.length],
    ]);
    expect(frames[1]).toMatchObject({ offset: one.length, numbered: true, leader06: 0x61 });
  });

  it('may have line ends, blanks, NUL, 0x1A and byte order marks between them (M17)', () => {
    const file = Buffer.concat([
      Buffer.from('\ufeff'),
      one,
      bytesOf('\r\n'),
      one,
      bytesOf(' \0\x1a\n'),
      one,
      bytesOf('\r\n\x1a'),
    ]);
    expect(borders(splitFrames(file))).toEqual([
      [3, one.length],
      [2, one.length],
      [4, one.length],
    ]);
  });

  it('end at the next end mark, whatever length they declare', () => {
    const frames = splitFrames(bytesOf(`00009abc${RT}99999abcdefgh${RT}nonsense${RT}`));
    expect(borders(frames)).toEqual([
      [0, 9],
      [0, 14],
      [0, 9],
    ]);
    expect(frames.map((frame) => frame.numbered)).toEqual([true, true, false]);
    expect(frames.map((frame) => frame.leader06)).toEqual([0x62, 0x62, 0x73]);
  });

  it('hold an end mark inside when the declared length ends at another and a record follows (M8)', () => {
    const record = bytesOf('00020ab\x1dcdefghijkl-\x1d');
    const followed = Buffer.concat([record, bytesOf('\r\n00012abcdef\x1d')]);
    expect(borders(splitFrames(followed))).toEqual([
      [0, 20],
      [2, 12],
    ]);
    expect(borders(splitFrames(record))).toEqual([[0, 20]]);
    expect(borders(splitFrames(Buffer.concat([record, bytesOf(' '.repeat(64))])))).toEqual([
      [0, 20],
    ]);
  });

  it('do not trust a declared length that no record follows', () => {
    const record = bytesOf('00020ab\x1dcdefghijkl-\x1d');
    const other = Buffer.concat([record, bytesOf('no record')]);
    expect(borders(splitFrames(other))).toEqual([
      [0, 8],
      [0, 12],
    ]);
    const far = Buffer.concat([record, bytesOf(`${' '.repeat(65)}00012abcdef\x1d`)]);
    expect(borders(splitFrames(far))).toEqual([
      [0, 8],
      [0, 12],
      [65, 12],
    ]);
  });

  it('need five digits when the file ends without an end mark (M3)', () => {
    expect(borders(splitFrames(Buffer.concat([one, one.subarray(0, 100)])))).toEqual([
      [0, one.length],
      [0, 100],
    ]);
    const splitter = new FrameSplitter();
    const frames = [
      ...splitter.push(Buffer.concat([one, bytesOf('some text')])),
      ...splitter.end(),
    ];
    expect(borders(frames)).toEqual([[0, one.length]]);
    expect(splitter.trailing).toBe(9);
  });

  it('are none where there is only an end mark, a line end or nothing (M1)', () => {
    for (const text of ['', RT, RT + RT, '\r\n\x1a', ` ${RT}\r\n`, 'eighteen bytes txt']) {
      expect(splitFrames(bytesOf(text))).toEqual([]);
    }
  });
});

describe('a frame without an end mark within 1 MiB', () => {
  const MIB = 1_048_576;
  const digits = (length: number) =>
    Buffer.concat([bytesOf('12345nam'), Buffer.alloc(length - 8, 97)]);

  it('is refused, and the next record is found behind it (M12)', () => {
    const junk = Buffer.concat([digits(2 * MIB), bytesOf(`${RT}junk${RT}\r\n`)]);
    const frames = splitFrames(Buffer.concat([one, junk, one]));
    expect(borders(frames)).toEqual([
      [0, one.length],
      [0, junk.length - 2],
      [2, one.length],
    ]);
    expect(frames.map((frame) => frame.refused)).toEqual([false, true, false]);
    expect(frames[1]).toMatchObject({ numbered: true, leader06: 0x61 });
  });

  it('is accepted up to exactly 1 MiB with its end mark', () => {
    const largest = Buffer.concat([digits(MIB - 1), bytesOf(RT)]);
    expect(splitFrames(largest)).toMatchObject([{ length: MIB, refused: false }]);
    const tooLarge = Buffer.concat([digits(MIB), bytesOf(RT)]);
    expect(splitFrames(tooLarge)).toMatchObject([{ length: MIB + 1, refused: true }]);
  });

  it('counts at the end of the file only if it starts with five digits (M2)', () => {
    expect(splitFrames(digits(3 * MIB))).toMatchObject([{ length: 3 * MIB, refused: true }]);
    expect(splitFrames(Buffer.alloc(3 * MIB, 97))).toEqual([]);
  });

  it('is not kept in memory', () => {
    const splitter = new FrameSplitter();
    const piece = Buffer.alloc(65_536, 97);
    splitter.push(bytesOf('12345'));
    for (let i = 0; i < 64; i++) splitter.push(piece);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 2_000; i++) splitter.push(piece);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB);
    expect(splitter.end()).toMatchObject([{ length: 5 + 2_064 * 65_536, refused: true }]);
  });
});

describe('the borders', () => {
  /** Bytes that hold every mark the splitter looks at, again and again. */
  const element = fc.oneof(
    fc.constantFrom(
      RT,
      '\r\n',
      ' ',
      '\0',
      '\xef\xbb\xbf',
      '\xef',
      '\xef\xbb',
      '12345',
      '1234',
      'x',
    ),
    fc.constantFrom('00020ab\x1dcdefghijkl-\x1d', '00012abcdef\x1d', '00009abc\x1d'),
    fc.constant(one.toString('latin1')),
    fc.nat({ max: 70 }).map((count) => ' '.repeat(count)),
  );

  it('do not depend on how the bytes arrive', () => {
    fc.assert(
      fc.property(
        fc.array(element, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        (parts, sizes) => {
          const file = bytesOf(parts.join(''));
          const whole = splitFrames(file);
          const splitter = new FrameSplitter();
          const frames: Frame[] = [];
          for (let at = 0, i = 0; at < file.length; i++) {
            const size = sizes[i % sizes.length]!;
            frames.push(...splitter.push(file.subarray(at, at + size)));
            at += size;
          }
          frames.push(...splitter.end());
          expect(frames).toEqual(whole);
          const last = frames.at(-1);
          expect(splitter.trailing).toBe(file.length - (last ? last.offset + last.length : 0));
        },
      ),
      { seed: 20_240_601, numRuns: 2_000 },
    );
  });

  it('do not depend on it where records are refused either', () => {
    const random = randomNumbers(7);
    const tail = bytesOf(`aaaa${RT}b${RT} \xef\xbb\xbf1234${RT}\r\n00012abcdef${RT}`);
    const file = Buffer.concat([bytesOf('00020abc'), Buffer.alloc(1_100_000, 98), tail, one]);
    const whole = splitFrames(file);
    expect(whole.map((frame) => frame.refused)).toEqual([true, false, false]);
    for (let run = 0; run < 20; run++) {
      const splitter = new FrameSplitter();
      const frames: Frame[] = [];
      for (let at = 0; at < file.length;) {
        const size = at > 1_100_000 ? 1 + random(7) : 1 + random(200_000);
        frames.push(...splitter.push(file.subarray(at, at + size)));
        at += size;
      }
      expect([...frames, ...splitter.end()]).toEqual(whole);
    }
  });
});

describe('cutting a chunk', () => {
  it('gives the frames and what was skipped before them', () => {
    const chunk = Buffer.concat([one, bytesOf('\r\n'), one]);
    const cut = [
      ...cutFrames(
        chunk,
        splitFrames(chunk).flatMap((f) => [f.skipped, f.length]),
      ),
    ];
    expect(cut.map(({ offset }) => offset)).toEqual([0, one.length + 2]);
    expect(cut.map(({ skipped }) => skipped.toString())).toEqual(['', '\r\n']);
    expect(cut.every(({ frame }) => frame.equals(one))).toBe(true);
  });
});
