import { formattedContent } from './formatted-content.js';
import { readContent } from './parsed-content.js';
import { contentOf, contentWithStatus, type StoredContent } from './stored-content.js';

const LEADER = '00000cam a2200000 i 4500';
const NOW = new Date('2026-11-09T15:04:05.678Z');
type Type = 'MARC_BIB' | 'EDIFACT';

function stored(content: unknown, type: Type = 'MARC_BIB'): StoredContent {
  const read = readContent(type, content);
  if (read.failed) throw new Error(read.reason);
  return read.stored;
}
const data = (text: string): object => ({
  ind1: '1',
  ind2: '0',
  subfields: [{ a: text }, { b: 'sub' }],
});

describe('a record that is deleted or taken back', () => {
  const fields = [
    { '245': data('x') },
    { '005': 'old' },
    { '001': 'in1' },
    { '005': 'older' },
    { '001': 'two' },
  ];

  it.each([
    ['in ISO 2709', data('x'), 'ISO2709'],
    ['in JSON', data('x\u001f'), 'JSON'],
  ])('has status and 005 in UTC, and its other fields in their order, %s', (_, title, form) => {
    const before = stored({ leader: LEADER, fields: [{ '245': title }, ...fields.slice(1)] });
    expect(before.form).toBe(form);
    const after = contentWithStatus('MARC_BIB', before, 'd', NOW);
    const { leader, fields: changed } = contentOf(after) as { leader: string; fields: object[] };
    expect(leader[5]).toBe('d');
    expect(leader.slice(6, 12)).toBe('am a22');
    expect(changed).toEqual([
      { '001': 'in1' },
      { '005': '20261109150405.6' },
      { '245': title },
      { '001': 'two' },
    ]);
  });

  it('has its 005 without a leader, and first without a 001', () => {
    const after = contentWithStatus(
      'MARC_BIB',
      stored({ fields: [{ '245': data('x') }] }),
      'c',
      NOW,
    );
    expect(contentOf(after)).toEqual({
      fields: [{ '005': '20261109150405.6' }, { '245': data('x') }],
    });
  });

  it('has its status even if there is no room for 005', () => {
    const full = stored({
      leader: LEADER,
      fields: [{ '245': { ind1: ' ', ind2: ' ', subfields: [{ a: 'x'.repeat(1_048_531) }] } }],
    });
    const { leader, fields: same } = contentOf(contentWithStatus('MARC_BIB', full, 'd', NOW)) as {
      leader: string;
      fields: object[];
    };
    expect(leader[5]).toBe('d');
    expect(same).toHaveLength(1);
  });

  it('stays as it is if it is EDIFACT', () => {
    for (const content of ["UNH+1'", { fields: [] }]) {
      const message = stored(content, 'EDIFACT');
      expect(contentWithStatus('EDIFACT', message, 'd', NOW)).toBe(message);
    }
  });
});

describe('formatted content', () => {
  const format = (content: unknown, type: Type = 'MARC_BIB'): string =>
    formattedContent(type, stored(content, type));

  it('is the leader and a line per field', () => {
    const text = format({ leader: LEADER, fields: [{ '001': 'in1' }, { '245': data('Title :') }] });
    expect(text).toMatch(/^LEADER \d{5}cam a22\d{5} i 4500\n001 in1\n245 10\$aTitle :\$bsub\n$/);
  });

  it('has no line for a leader that is not there, and blanks for such indicators', () => {
    expect(format({ fields: [{ '001': 'x' }, { '245': { subfields: [{ a: 'y' }] } }] })).toBe(
      '001 x\n245   $ay\n',
    );
  });

  it.each([
    ["UNH+1+A?'B'\r\nUNT+2'", ["UNH+1+A?'B'", "UNT+2'"]],
    ["UNA:+.? 'UNH+1'UNT", ["UNA:+.? '", "UNH+1'", 'UNT']],
    ['UNA:*.! ~UNH*1!~*2~', ['UNA:*.! ~', 'UNH*1!~*2~']],
    ['no message', ['no message']],
    ['UNA', ['UNA']],
  ])('of EDIFACT %j is a line per segment', (message, expected) => {
    expect(format(message, 'EDIFACT')).toBe(expected.map((line) => `${line}\n`).join(''));
  });

  it('of EDIFACT in JSON is the message too', () => {
    const element = (...texts: string[]): object => ({
      components: texts.map((one) => ({ data: one })),
    });
    const segments = [
      { tag: 'UNA', dataElements: [] },
      { tag: 'UNH', dataElements: [element('1'), element('INVOIC', 'D:96')] },
    ];
    expect(format({ segments }, 'EDIFACT')).toBe("UNA:+.? '\nUNH+1+INVOIC:D?:96'\n");
    expect(format({ segments: [5] }, 'EDIFACT')).toBe('{"segments":[5]}\n');
    expect(format({ segments: [{ tag: 'X', dataElements: [null] }] }, 'EDIFACT')).toContain('"X"');
  });
});
