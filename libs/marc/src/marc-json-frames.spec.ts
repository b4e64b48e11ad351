import { LEADER } from '../test/records.js';
import { framesOf, textsOf } from '../test/xml.js';
import { MarcJsonFramer } from './marc-json-frames.js';

const KIB = 1024;
const framed = (file: Buffer | string, ...sizes: number[]) =>
  framesOf(new MarcJsonFramer(), file, ...sizes);

const record = (number: string) =>
  `{"leader":"${LEADER}","fields":[{"001":"${number}"},{"245":{"ind1":" ","ind2":" ","subfields":[{"a":"é \\"}] \\\\"}]}}]}`;
const one = record('r1');
const two = record('r2');

/** What a file gives: its records by number, any other object as it is, and what is refused. */
function outcome(file: Buffer | string): string[] {
  const frames = framed(file);
  return textsOf(file, frames).map((text, i) => {
    const { refused, refusal } = frames[i]!;
    if (refused) return `${refusal?.code ?? 'TOO_LARGE'} ${text.slice(0, 9)}`;
    return /"001":"(.*?)"/.exec(text)?.[1] ?? text;
  });
}

const files: Readonly<Record<string, [file: string, outcome: string[]]>> = {
  'an array': [`\ufeff [\n ${one} ,\r\n${two}\t]\n`, ['r1', 'r2']],
  'an empty array': ['[ ]', []],
  'one object': [one, ['r1']],
  'an object over several lines': [`${one.replaceAll(',', ',\n')}\n`, ['r1']],
  lines: [`${one}\n${two}\r\n`, ['r1', 'r2']],
  'objects one after the other': [one + two, ['r1', 'r2']],
  'objects that are no records': ['{}\n{"a":[{}]}', ['{}', '{"a":[{}]}']],
  'a fault inside an object': [`[{"a":]},${two}]`, ['{"a":]}', 'r2']],
  'a text without end in lines': [`{"a":"b}\n${two}`, ['{"a":"b}', 'r2']],
  'an array that is not closed': [`[${one},\n`, ['r1', 'JSON_SYNTAX ,\n']],
  'an array that breaks off behind a record': [`[${one}`, ['r1', 'JSON_SYNTAX ']],
  'an object that is not closed': [`[${one},{"a":{}`, ['r1', 'JSON_SYNTAX {"a":{}']],
  'no comma': [`[${one}${two}]`, ['r1', 'JSON_SYNTAX {"leader"']],
  'a comma too many': [`[${one},]`, ['r1', 'JSON_SYNTAX ]']],
  'a comma between lines': [`${one},\n${two}`, ['r1', `JSON_SYNTAX ,\n${two.slice(0, 7)}`]],
  'something else in the array': [`[${one},17]`, ['r1', 'JSON_SYNTAX 17]']],
  'an array in the array': [`[[${one}]]`, [`JSON_SYNTAX [${one.slice(0, 8)}`]],
  'something behind the array': [`[${one}] ${two}`, ['r1', 'JSON_SYNTAX {"leader"']],
  'only a bracket': ['[', ['JSON_SYNTAX [']],
};

describe('the records of a file of MARC-in-JSON', () => {
  it.each(Object.entries(files))('are its objects: %s', (_what, [file, records]) => {
    expect(outcome(file)).toEqual(records);
  });

  it.each(Object.entries(files))('do not depend on how the bytes arrive: %s', (_what, [file]) => {
    const bytes = Buffer.from(file);
    const whole = framed(bytes);
    for (let size = 1; size < 9; size++) expect(framed(bytes, size)).toEqual(whole);
    for (let first = 1; first < bytes.length; first++)
      expect(framed(bytes, first, bytes.length)).toEqual(whole);
  });

  it('are described as any frame', () => {
    expect(framed(` [${one}, ${two}]`)).toEqual([
      {
        offset: 2,
        skipped: 2,
        length: Buffer.byteLength(one),
        numbered: true,
        leader06: 0x61,
        refused: false,
      },
      expect.objectContaining({ offset: 4 + Buffer.byteLength(one), skipped: 2 }),
    ]);
    expect(framesOf(new MarcJsonFramer(7), one)[0]).toMatchObject({ offset: 7, skipped: 0 });
  });

  it.each([
    [one.replace('nam', 'nxm'), 'x'],
    [one.replace('nam', String.raw`n\u0079m`).replace(':"0', ' : "0'), 'y'],
    ['{"fields":[],"leader":"short"}', undefined],
    ['{"leader":17}', undefined],
    ['{}', undefined],
  ])('are told their type: %s', (text, letter) => {
    expect(framed(text)[0]!.leader06).toBe(letter?.charCodeAt(0) ?? -1);
  });

  it('say at which byte the fault is', () => {
    expect(framed(`[${one},é17]`).at(-1)!.refusal!.detail).toContain(
      `at byte ${Buffer.byteLength(one) + 2}:`,
    );
  });

  it('are in UTF-8', () => {
    const framer = new MarcJsonFramer();
    expect(framesOf(framer, Buffer.from(`\ufeff${one}`, 'utf16le'))).toEqual([]);
    expect(framer.fileFault).toBe('ENCODING');
  });

  it('are refused over 1 MiB, and no other', () => {
    const big = (length: number) => `{"a":"${'x'.repeat(length - 8)}"}`;
    const file = `[${one},${big(1024 * KIB)},${big(1024 * KIB + 1)},${two}]`;
    expect(framed(file).map(({ refused }) => refused)).toEqual([false, false, true, false]);
    for (const sizes of [[100_000], [4096, 1_000_003], [7, 1_048_576]])
      expect(framed(file, ...sizes)).toEqual(framed(file));
  });

  it('are skipped in flat memory, however long', () => {
    const framer = new MarcJsonFramer();
    const frames = framer.push(Buffer.from(`[${one},{"a":"`));
    const piece = Buffer.alloc(1024 * KIB, '{');
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100; i++) frames.push(...framer.push(piece));
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * KIB * KIB);
    frames.push(...framer.push(Buffer.from(`"},${two}]`)), ...framer.end());
    expect(frames.map(({ refused }) => refused)).toEqual([false, true, false]);
  });
});
