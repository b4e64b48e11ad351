import { LEADER, sound } from '../test/records.js';
import { controlField, dataField, writeRecord } from './iso2709/write.js';
import { writeMrk } from './mrk.js';
import type { MarcRecord } from './record.js';

/** As MarcEdit reads it: a field a line, names of characters in braces, a blank line between records. */
function read(mrk: string): MarcRecord[] {
  return mrk
    .split(/\n\n/)
    .filter((text) => text !== '')
    .map((text) => {
      const [leader = '', ...lines] = text.split('\n').map((line) => {
        const [, tag, body] = /^=(\w{3}) {2}(.*)$/s.exec(line) ?? [];
        expect(tag).toBeDefined();
        return { tag: tag ?? '', body: body ?? '' };
      });
      const { tag, body } = leader as { tag: string; body: string };
      expect(tag).toBe('LDR');
      const record = writeRecord(body, lines.map(fieldOf));
      if (record.failed) throw new Error(record.code);
      return record;
    });
}

const SPELT: Readonly<Record<string, string>> = { dollar: '$', bsol: '\\', lcub: '{', rcub: '}' };
const spelt = (text: string): string => text.replace(/\{(\w+)\}/g, (_, name) => SPELT[name] ?? '?');
const blanks = (text: string): string => text.replaceAll('\\', ' ');

function fieldOf({ tag, body }: { tag: string; body: string }): ReturnType<typeof controlField> {
  if (/^00/.test(tag)) return controlField(tag, spelt(blanks(body)));
  const [indicators = '', ...subfields] = body.split('$');
  return dataField(
    tag,
    spelt(blanks(indicators)),
    subfields.map((text) => [text.slice(0, 1), spelt(text.slice(1))] as const),
  );
}

describe('the mnemonic form', () => {
  it('has a field a line, as MarcEdit writes it', () => {
    const record = sound([
      controlField('001', 'ocm09773020 '),
      controlField('008', '830803m18461948paud     a     0   eng d'),
      dataField('040', '  ', [
        ['a', 'AZP'],
        ['c', 'AZP'],
      ]),
      dataField('245', '10', [
        ['a', 'No. 15 map of Oregon /'],
        ['c', "engraved to illustrate Mitchell's atlas."],
      ]),
      dataField('651', ' 0', [['a', 'West (U.S.)']]),
    ]);
    expect(writeMrk(record).toString()).toBe(
      [
        `=LDR  ${record.leader}`,
        '=001  ocm09773020\\',
        '=008  830803m18461948paud\\\\\\\\\\a\\\\\\\\\\0\\\\\\eng\\d',
        '=040  \\\\$aAZP$cAZP',
        "=245  10$aNo. 15 map of Oregon /$cengraved to illustrate Mitchell's atlas.",
        '=651  \\0$aWest (U.S.)',
        '\n',
      ].join('\n'),
    );
  });

  it('spells out what has a meaning of its own', () => {
    const record = sound([
      controlField('001', 'a\\b$c'),
      dataField('520', '  ', [['a', 'Costs $5 {sic} \\ more']]),
    ]);
    const text = writeMrk(record).toString();
    expect(text).toContain('=001  a{bsol}b{dollar}c\n');
    expect(text).toContain('=520  \\\\$aCosts {dollar}5 {lcub}sic{rcub} {bsol} more\n');
  });

  it('keeps a field on its line', () => {
    const record = sound([
      controlField('001', 'x1'),
      dataField('500', '  ', [['a', 'one\r\n=999  two\nthree']]),
    ]);
    expect(writeMrk(record).toString()).toContain('=500  \\\\$aone  =999  two three\n\n');
  });

  it('reads back as the same records, one behind the other', () => {
    const records = [
      sound([
        controlField('001', 'x 1'),
        dataField('245', '1 ', [
          ['a', 'Møøse {$} \\ 漢字 𝄞'],
          ['9', ' '],
        ]),
        dataField('500', '$}', [['a', '']]),
      ]),
      sound([controlField('008', '    '), dataField('999', 'ff', [])], LEADER),
    ];
    const text = records.map((one) => writeMrk(one).toString()).join('');
    const again = read(text);
    expect(again.map((one) => one.bytes.toString())).toEqual(
      records.map((one) => one.bytes.toString()),
    );
  });
});
