import { framesOf, OPEN, SLIM, textsOf, xmlRecord } from '../test/xml.js';
import { MarcXmlFramer } from './marcxml-frames.js';

const KIB = 1024;
const CLOSE = '</collection>';
const framed = (file: Buffer | string, ...sizes: number[]) =>
  framesOf(new MarcXmlFramer(), file, ...sizes);

/** What a file gives: the numbers of its records, and the code and rest of what is refused. */
function outcome(file: Buffer | string): (string | undefined)[] {
  const framer = new MarcXmlFramer();
  const frames = framesOf(framer, file);
  if (framer.fileFault) return [framer.fileFault];
  return textsOf(file, frames).map((text, i) => {
    const { refused, refusal } = frames[i]!;
    if (refused) return `${refusal?.code ?? 'TOO_LARGE'} ${text.slice(0, 12)}`;
    return /001">(.*?)</.exec(text)?.[1];
  });
}

/** Code and byte offset of the fault at the end. */
function faultOf(file: Buffer | string): string | undefined {
  const detail = framed(file).at(-1)?.refusal?.detail;
  return detail && /at byte (\d+)/.exec(detail)?.[1];
}

const one = xmlRecord('r1');
const files: Readonly<Record<string, Buffer | string>> = {
  plain: `\ufeff<?xml version="1.0"?>\n${OPEN}\n${one}\n${xmlRecord('r2')}\n${CLOSE}\n`,
  prefixed: `<m:collection xmlns:m="${SLIM}">${xmlRecord('r1', '', 'm:')}${xmlRecord('r2', '', 'm:')}</m:collection>`,
  'not plain': `${OPEN}${xmlRecord('r1', '<!-- </record> --><datafield tag="500" ind1=" " ind2=" "><subfield code="a">é<![CDATA[</record>]]>&#x20AC;</subfield></datafield>')}${xmlRecord('r2')}${CLOSE}`,
  wrapped: `<OAI xmlns="http://www.openarchives.org/OAI/2.0/"><r><record><metadata>${xmlRecord('r1', '', 'm:').replace('<m:record>', `<m:record xmlns:m="${SLIM}">`)}</metadata></record></r></OAI>`,
  'without namespace': `<records>${one}<record><x/>${xmlRecord('r2')}</record><record/>é</records>`,
  fault: `${OPEN}${one}\n  <record><leader>x</leder></record>${xmlRecord('r3')}${CLOSE}`,
  'fault between': `${OPEN}${one}  é \u0007 ${xmlRecord('r2')}${CLOSE}`,
  unclosed: `${OPEN}${one}\n`,
  'cut in a record': `${OPEN}${one}${xmlRecord('r2').slice(0, 90)}`,
  'bad bytes': Buffer.concat([Buffer.from(`${OPEN}${one} é`), Buffer.from([0xc3, 0x28])]),
  'late doctype': `${OPEN}${one}<!DOCTYPE x [<!ENTITY a "b">]>${one}${CLOSE}`,
  'text around': `${OPEN} a ]] >é ${one} b ${CLOSE} c`,
};

describe('the records of a MARCXML file', () => {
  it.each(Object.keys(files))('do not depend on how the bytes arrive: %s', (name) => {
    const file = Buffer.from(files[name]!);
    const whole = framed(file);
    expect(whole.length).toBeGreaterThan(0);
    for (let size = 1; size < 9; size++) expect(framed(file, size)).toEqual(whole);
    for (let first = 1; first < file.length; first++)
      expect(framed(file, first, file.length)).toEqual(whole);
  });

  it('are described as any frame, with the elements around them', () => {
    const file = files['plain']!;
    const frames = framed(file);
    expect(textsOf(file, frames)).toEqual([one, xmlRecord('r2')]);
    expect(frames).toEqual([
      expect.objectContaining({ skipped: frames[0]!.offset, leader06: 0x61, refused: false }),
      expect.objectContaining({ skipped: 1, numbered: true, context: OPEN }),
    ]);
    expect(frames[0]).not.toHaveProperty('refusal');
    expect(framed(files['wrapped']!)[0]!.context).toBe(
      '<OAI xmlns="http://www.openarchives.org/OAI/2.0/"><r><record><metadata>',
    );
  });

  it.each([
    ['in the namespace of MARC 21', `${OPEN}${one}${CLOSE}`, ['r1']],
    ['alone', one.replace('<record>', `<record xmlns="${SLIM}">`), ['r1']],
    ['with any prefix', files['prefixed'], ['r1', 'r2']],
    ['in other elements', files['wrapped'], ['r1']],
    ['in no namespace, with a leader', files['without namespace'], ['r1', 'r2']],
    [
      'without a leader in the namespace',
      `${OPEN}<record/><record></record>${CLOSE}`,
      [undefined, undefined],
    ],
    ['not in another namespace', `<c xmlns="http://example.org/">${one}</c>`, []],
    ['not in none without a leader', '<c><record><leaders/></record></c>', []],
  ])('are those elements: %s', (_what, file, numbers) => {
    expect(outcome(file!)).toEqual(numbers);
  });

  it('are told their type also where they are not plain', () => {
    const odd = one.replace('<leader>00000nam', '<!-- x --><leader>00000<![CDATA[nx]]>m');
    expect(framed(`${OPEN}${odd}${CLOSE}`)[0]!.leader06).toBe('x'.charCodeAt(0));
  });
});

describe('a file that is not well-formed', () => {
  it.each([
    ['in a record', 'fault', ['r1', 'XML_SYNTAX <record><lea']],
    ['between records', 'fault between', ['r1', 'XML_SYNTAX é \u0007 <record>']],
    ['at its end', 'unclosed', ['r1', 'XML_SYNTAX \n']],
    ['in its last record', 'cut in a record', ['r1', 'XML_SYNTAX <record>\n  <']],
    ['in its characters', 'bad bytes', ['r1', 'XML_SYNTAX é\ufffd(']],
    ['behind its end', 'text around', ['r1', 'XML_SYNTAX c']],
  ])('keeps the records closed before the fault: %s', (_what, name, outcomes) => {
    expect(outcome(files[name]!)).toEqual(outcomes);
  });

  it.each([
    ['an & in a text', `${OPEN}${xmlRecord('r1').replace('&amp;', '&')}<x/>;${CLOSE}`, 257],
    ['an & between records', '<a> & <record/>;</a>', 16],
    ['an unknown entity', `<a>&nbsp;</a>`, 9],
    ['an attribute without quotes', '<a b=c></a>', 6],
    ['an attribute twice', '<a b="" b=""></a>', 13],
    ['a < in an attribute', '<a b="<"></a>', 7],
    ['a wrong end tag', '<a><b></a></b>', 10],
    ['a prefix that is not bound', '<a:b></a:b>', 5],
    ['two dashes in a comment', '<a><!-- -- --></a>', 11],
    ['a byte that is no UTF-8', Buffer.from('<a>é\xff</a>', 'latin1'), 3],
    ['bytes cut short', Buffer.from('<a>\xe2\x82</a>', 'latin1'), 3],
    [
      'too many attributes',
      `<a ${Array.from({ length: 1001 }, (_, i) => `b${i}=""`).join(' ')}/>`,
      7901,
    ],
    ['elements too deep', '<a>'.repeat(33), 99],
  ])('says at which byte: %s', (_what, file, offset) => {
    expect(faultOf(file)).toBe(String(offset));
    expect(outcome(file)).toHaveLength(1);
  });

  it('counts the elements of a record too', () => {
    const inside = (depth: number) =>
      `<x>`.repeat(depth) +
      one.replace('<record>', `<record xmlns="${SLIM}">`) +
      `</x>`.repeat(depth);
    expect(outcome(inside(29))).toEqual(['r1']);
    expect(outcome(inside(30))).toEqual(['XML_SYNTAX <record xmln']);
  });
});

describe('DOCTYPE', () => {
  it.each([
    '<!DOCTYPE',
    '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<!doctype html>',
  ])('before the first record refuses the file: %s', (file) => {
    expect(outcome(file)).toEqual(['DOCTYPE_FORBIDDEN']);
    expect(outcome(`${file.slice(0, -1)} [<!ENTITY a "b">]>${OPEN}${one}${CLOSE}`)).toEqual([
      'DOCTYPE_FORBIDDEN',
    ]);
  });

  it('later ends the reading', () => {
    const file = files['late doctype']!.toString();
    expect(outcome(file)).toEqual(['r1', 'DOCTYPE_FORBIDDEN <!DOCTYPE x ']);
    expect(faultOf(file)).toBe(String(Buffer.from(file).indexOf('<!DOC')));
    expect(outcome(`${OPEN}<record><!DOCTYPE`)).toEqual(['DOCTYPE_FORBIDDEN <record><!DO']);
  });
});

describe('the encoding', () => {
  it.each([
    ['UTF-16 with mark', Buffer.from(`\ufeff${OPEN}`, 'utf16le')],
    ['UTF-16 without', Buffer.from(OPEN, 'utf16le')],
    ['UTF-16, big end first', Buffer.from(OPEN, 'utf16le').swap16()],
    ['declared otherwise', `<?xml version="1.0" encoding="ISO-8859-1"?>${OPEN}${one}${CLOSE}`],
  ])('must be UTF-8: %s', (_what, file) => {
    expect(outcome(file)).toEqual(['ENCODING']);
  });

  it('may be declared as UTF-8', () => {
    expect(outcome(`<?xml version="1.1" encoding='utf-8'?>${OPEN}${one}${CLOSE}`)).toEqual(['r1']);
  });
});

describe('what is too large', () => {
  const big = (text: string) =>
    xmlRecord(
      'big',
      `<datafield tag="500" ind1=" " ind2=" "><subfield code="a">${text}</subfield></datafield>`,
    );

  it('is a record over 1 MiB, and no other', () => {
    const rest = 1_048_576 - Buffer.byteLength(big(''));
    const fits = `${OPEN}${big('x'.repeat(rest))}${one}${CLOSE}`;
    expect(outcome(fits)).toEqual(['big', 'r1']);
    const over = `${OPEN}${one}${big('x'.repeat(rest + 1))}${one}${CLOSE}`;
    expect(outcome(over)).toEqual(['r1', 'TOO_LARGE <record>\n  <', 'r1']);
    for (const sizes of [[100_000], [4096, 1_000_003], [7, 1_048_576]])
      expect(framed(over, ...sizes)).toEqual(framed(over));
    const odd = over.replace('<record>', '<record><!-- -->').replaceAll('</record>', '</record >');
    expect(outcome(odd)).toEqual(['r1', 'TOO_LARGE <record>\n  <', 'r1']);
  });

  it('is a tag, a comment or a text between records over 1 MiB', () => {
    const long = 'x'.repeat(1100 * KIB);
    for (const [what, file] of [
      ['tag', `<a b="${long}">`],
      ['tag', `<!-- ${long} -->`],
      ['text', `<a>${long}</a>`],
    ] as const) {
      expect(framed(file)[0]!.refusal!.detail).toContain(`a ${what}`);
      expect(framed(file, 65_536)).toEqual(framed(file));
    }
    expect(outcome(`${OPEN}${' '.repeat(1100 * KIB)}${one}${CLOSE}`)).toEqual(['r1']);
  });

  it('is survived, however much there is of it, in flat memory', () => {
    const framer = new MarcXmlFramer();
    const frames = framer.push(Buffer.from(`${OPEN}${one}<record><leader>`));
    const piece = Buffer.alloc(1024 * KIB, 'é');
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100; i++) frames.push(...framer.push(piece));
    const attributes = Array.from({ length: 1000 }, (_, i) => ` a${i}="b"`).join('');
    frames.push(...framer.push(Buffer.from('</leader><x')));
    for (let i = 0; i < 1000; i++) frames.push(...framer.push(Buffer.from(attributes)));
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * KIB * KIB);
    frames.push(...framer.push(Buffer.from(`/></record>${one}${CLOSE}`)), ...framer.end());
    expect(frames.map(({ refused }) => refused)).toEqual([false, true, false]);
    expect(frames[1]!.length).toBeGreaterThan(100 * KIB * KIB);
  });
});
