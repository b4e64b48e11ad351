import { isUtf8 } from 'node:buffer';
import { inTime } from '../../test/pace.js';
import { FIELDS, frameOf, LEADER, randomNumbers, sound } from '../../test/records.js';
import { RECORD_ERROR_CODES, RECORD_WARNING_CODES, type RecordError } from '../errors.js';
import { summarise } from '../fields.js';
import { marcJsonText, toMarcJson } from '../marc-json.js';
import type { MarcRecord } from '../record.js';
import { readRecord } from './read.js';
import { openStored, suppressFields, with999ff } from './stored.js';
import { controlField, dataField, fieldBytes, writeRecord } from './write.js';
import { toMarc8 } from './write-marc8.js';

const US = '\x1f';
const ids = {
  s: '0c5f8d1e-0000-4000-8000-000000000001',
  i: '0c5f8d1e-0000-4000-8000-000000000002',
};

const marc8 = (fields: readonly (readonly [string, string])[]) =>
  frameOf(fields, LEADER.replace(' a22', '  22'));

const good = [
  sound().bytes,
  sound([
    ...FIELDS,
    dataField('999', 'ff', [
      ['s', 'x'],
      ['i', 'y'],
    ]),
  ]).bytes,
  sound([controlField('001', 'x')]).bytes,
  sound([dataField('520', '  ', [['a', 'é'.repeat(5_100)]]), controlField('001', 'x')]).bytes,
  frameOf([
    ['001', 'x'],
    ['245', `00${US}aTol\xc3\xa9s${US}b\xff`],
    ['500', 'plain'],
  ]),
  marc8([
    ['001', 'm8'],
    ['245', `10${US}a\xe2e\xf2\xe3a \xebt\xecs \xb1 :${US}b\x1b(NI\xe6I\x1b)Q\xc0\x1b(B\x8d`],
    ['500', `  ${US}a\x1b$1!0!!0"\x1b(B \x1b(2aE\x1b(3GtnH\x1b(Sa"b\x1bs.${US}bplain`],
  ]),
  marc8([
    ['245', `10${US}aH\x1bb2\x1bsO\x1bp+\x1bs \x1bga\x1bs${US}b\x1b$)1\xa1\xb0\xa1\x1b)!E\xe8u`],
    ['880', `10${US}6245-01/$1${US}a\x1b,N\x1b-4\xa9A\x1b$,1!0!\x1bs\xfan\xfbg`],
  ]),
  // The same bytes under a leader that says UTF-8: what they are must be guessed.
  frameOf([['245', `10${US}a\xe2e\xf2\xe3a \xebt\xecs \xb1${US}b\x1b(NI\xe6I\x1b(B`]]),
];
/** Bytes that mean something to the reader are likelier than others. */
const telling = Buffer.from('\x1d\x1e\x1f\x1b09a9 $(1\xc3\xa9\xe2\xff\x00\x07', 'latin1');

/** One to four small damages: a byte changed, cut out, put in, or a run moved. */
function damaged(bytes: Buffer, random: (below: number) => number): Buffer {
  let made = Buffer.from(bytes);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(2) ? random(Math.min(made.length, 24 + 12 * 8)) : random(made.length);
    const byte = random(3) ? telling[random(telling.length)]! : random(256);
    const kind = random(8);
    if (kind < 5) made[at] = byte;
    else if (kind === 5)
      made = Buffer.concat([made.subarray(0, at), made.subarray(at + 1 + random(14))]);
    else if (kind === 6)
      made = Buffer.concat([made.subarray(0, at), Buffer.from([byte]), made.subarray(at)]);
    else made = Buffer.concat([made.subarray(0, at), made.subarray(random(made.length))]);
    if (made.length === 0) made = Buffer.from('x');
  }
  return made;
}

/** A hundred thousand `expect`s take longer than what they look at. */
function must(holds: boolean, what: string, frame: Buffer): void {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(frame.toString('latin1', 0, 2_000))}`);
}

/** Cheaper than `toEqual`, a hundred thousand times. */
function same(one: MarcRecord | RecordError, other: MarcRecord | RecordError): boolean {
  if (one.failed || other.failed) return JSON.stringify(one) === JSON.stringify(other);
  return (
    one.bytes.equals(other.bytes) &&
    Buffer.from(one.table.buffer).equals(Buffer.from(other.table.buffer)) &&
    JSON.stringify(one.warnings) === JSON.stringify(other.warnings)
  );
}

const readInTime = (frame: Buffer): boolean => inTime(() => void readRecord(frame));

describe('any bytes', () => {
  it('give a record or an error, never an exception, soon, and twice the same', () => {
    const random = randomNumbers(20_240_601);
    let failed = 0;
    let marc8Unknown = 0;
    for (let run = 0; run < 100_000; run++) {
      const frame = damaged(good[run % good.length]!, random);
      const start = performance.now();
      const read = readRecord(frame);
      must(performance.now() - start < 100 || readInTime(frame), 'slow', frame);
      must(same(readRecord(Buffer.from(frame)), read), 'not the same', frame);
      if (read.failed) {
        failed++;
        must(RECORD_ERROR_CODES.includes(read.code), read.code, frame);
        must(read.offset >= 0 && read.offset <= frame.length, 'offset', frame);
        continue;
      }
      must(isUtf8(read.bytes), 'UTF-8', frame);
      for (const { code, offset } of read.warnings) {
        must(RECORD_WARNING_CODES.includes(code), code, frame);
        must(offset >= 0 && offset <= frame.length, 'offset', frame);
        if (code === 'MARC8_UNKNOWN') marc8Unknown++;
      }
    }
    expect(failed).toBeGreaterThan(10_000);
    expect(failed).toBeLessThan(90_000);
    expect(marc8Unknown).toBeGreaterThan(5_000);
  });

  it('that give a record give a stored one: reading, writing and editing it changes nothing', () => {
    const random = randomNumbers(42);
    for (let run = 0; run < 10_000; run++) {
      const frame = damaged(good[run % good.length]!, random);
      const read = readRecord(frame);
      if (read.failed) continue;
      const again = readRecord(read.bytes);
      must(!again.failed && again.bytes.equals(read.bytes), 'read again', frame);
      must(!again.failed && again.table.join() === read.table.join(), 'table', frame);
      must(openStored(read.bytes).table.join() === read.table.join(), 'opened', frame);
      const written = writeRecord(read.leader, fieldBytes(read));
      must(!written.failed && written.bytes.equals(read.bytes), 'written', frame);
      must(marcJsonText(read) === JSON.stringify(toMarcJson(read)), 'JSON', frame);
      must(summarise(read).title !== '', 'title', frame);
      const old = toMarc8(read);
      if (!old.failed) {
        const young = readRecord(old.bytes);
        must(!young.failed && young.fieldCount === read.fieldCount, 'MARC-8', frame);
      }
      const stored = with999ff(read, ids);
      if (stored.failed) throw new Error(stored.code);
      const final = readRecord(stored.bytes);
      must(!final.failed && final.bytes.equals(stored.bytes), 'stored form', frame);
      const plain = suppressFields(read, { ff999: true });
      const back = suppressFields(openStored(stored.bytes), { ff999: true });
      must(
        back.failed ? plain.failed : !plain.failed && back.bytes.equals(plain.bytes),
        'suppressed',
        frame,
      );
    }
  });

  it('take no longer than their length asks for, however bad', () => {
    const size = 1_048_000;
    const entries = Math.floor((size - 100) / 14);
    const directory = `500${'0001'}00000`.repeat(entries);
    const head = (base: number) =>
      `00000nam a22${String(Math.min(base, 99_999)).padStart(5, '0')} i 4500`;
    const base = 25 + directory.length;
    const backwards = Array.from(
      { length: 49_000 },
      (_, i) => `5000002${String(2 * (48_999 - i)).padStart(5, '0')}`,
    ).join('');
    const hostile = [
      `${head(base)}${directory}\x1e${'\x1e'.repeat(entries)}\x1d`,
      `${head(base)}${directory}\x1e${'a\x1e'.repeat(entries)}\x1d`,
      `${head(37)}500999900000\x1e${'\x07'.repeat(size)}\x1e\x1d`,
      `${head(37)}500999900000\x1e${'\xff'.repeat(size / 3)}\x1e\x1d`,
      `${head(37)}500999900000\x1e  ${US.repeat(size)}\x1e\x1d`,
      `${head(25 + backwards.length)}${backwards}\x1e${'a\x1e'.repeat(49_000)}\x1d`,
      ...[
        '\xe2',
        '\xe2\xf2',
        '\xe9t\xe8',
        '\xe2e',
        '\x1b',
        '\x1b(',
        '\x1b(NA',
        `${US}\x1b(`,
      ].flatMap((unit) =>
        ['a', ' '].map((flag) => {
          const leader = head(37).replace(' a22', ` ${flag}22`);
          return `${leader}500999900000\x1e  ${US}a${unit.repeat(size / unit.length)}x\x1e\x1d`;
        }),
      ),
      '\x1e'.repeat(size) + '\x1d',
      '0'.repeat(size) + '\x1d',
    ];
    for (const text of hostile) {
      const frame = Buffer.from(text, 'latin1');
      must(readInTime(frame), 'slow', frame.subarray(0, 60));
    }
  });
});
