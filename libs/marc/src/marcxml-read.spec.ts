import { LEADER, outcome, sound } from '../test/records.js';
import { OPEN, SLIM, xmlRecord } from '../test/xml.js';
import { controlField, dataField } from './iso2709/write.js';
import { toMarcJson } from './marc-json.js';
import { MarcXmlReader } from './marcxml-read.js';
import { writeMarcXml } from './marcxml-write.js';

const read = (xml: string | Buffer, context = OPEN) =>
  new MarcXmlReader(context).read(Buffer.from(xml));
const record = (content: string) => `<record><leader>${LEADER}</leader>${content}</record>`;
const control = (text: string, tag = '001') => `<controlfield tag="${tag}">${text}</controlfield>`;
const data = (content: string, attributes = 'tag="500" ind1=" " ind2=" "') =>
  `<datafield ${attributes}>${content}</datafield>`;
const sub = (text: string, code = 'a') => `<subfield code="${code}">${text}</subfield>`;

/** Text of the first field, whichever of the two ways reads the record. */
function texts(content: string): string[] {
  const plain = new MarcXmlReader(OPEN);
  plain.read(Buffer.from(record(control('x'))));
  const results = [read(record(content)), plain.read(Buffer.from(record(content)))].map((one) => {
    if (one.failed) return one.code;
    const json = toMarcJson(one).fields[0]!;
    return JSON.stringify(Object.values(json)[0]);
  });
  expect(results[1]).toBe(results[0]);
  return [results[0]!];
}

describe('a record from MARCXML', () => {
  it('is the record it was made from', () => {
    const made = sound([
      controlField('001', `x & y < z > "q" 'a'`),
      dataField('245', '1"', [
        ['a', 'Møøse 漢字 𝄞\ttab\nline\r\r\n ]]>'],
        ['&', ''],
        ['😀', '\u0085\u2028'],
      ]),
      controlField('008', ''),
    ]);
    const reader = new MarcXmlReader(OPEN);
    const xml = writeMarcXml(made);
    for (let run = 0; run < 3; run++) {
      const one = reader.read(xml.subarray(0, -1));
      expect(one).toMatchObject({ bytes: made.bytes, warnings: [] });
      expect(one).toMatchObject({ table: made.table });
    }
  });

  it('may have a prefix, its own namespace, or none', () => {
    const plain = read(xmlRecord('x'));
    expect(plain).toMatchObject({ failed: false, warnings: [] });
    expect(read(xmlRecord('x', '', 'm:'), `<a xmlns:m="${SLIM}">`)).toEqual(plain);
    expect(
      read(xmlRecord('x').replace('<record>', `<record xmlns="${SLIM}" id='a>b'>`), ''),
    ).toEqual(plain);
    expect(read(xmlRecord('x'), '')).toEqual(plain);
  });

  it.each([
    ['the five entities', control('&amp;&lt;&gt;&quot;&apos;'), `"&<>\\"'"`],
    ['characters by number', control('&#x20AC;&#233;&#13;'), '"€é\\r"'],
    ['CDATA', control('a<![CDATA[<b> & ]]>c'), '"a<b> & c"'],
    ['comments and instructions', control('a<!-- b --><?c d?>e'), '"ae"'],
    ['line ends, as XML reads them', control('a\r\nb\rc\nd'), '"a\\nb\\nc\\nd"'],
    ['blanks at the ends', control('  a  '), '"  a  "'],
  ])('has %s', (_what, content, text) => {
    expect(texts(content)).toEqual([text]);
  });

  it('takes attributes in any order and quotation', () => {
    const fields = [
      data(sub('x'), `ind2='0' tag = "245"\n ind1="1"`),
      data(sub('x'), `ind1="1" ind2="0" tag='245'`),
      data(sub('x'), `tag="245" ind1="1" ind2="0" id="i"`),
    ];
    for (const field of fields) {
      expect(texts(field)).toEqual(['{"ind1":"1","ind2":"0","subfields":[{"a":"x"}]}']);
    }
  });

  it.each([
    ['no leader', '<record></record>', 'LEADER'],
    ['no leader, closed at once', '<record/>', 'LEADER'],
    [
      'a short leader',
      `<record><leader>${LEADER.slice(1)}</leader>${control('x')}</record>`,
      'LEADER',
    ],
    [
      'a leader in another namespace',
      `<record><leader xmlns="">${LEADER}</leader></record>`,
      'LEADER',
    ],
    ['no fields', record(''), 'NO_FIELDS'],
    ['a bad tag', record(control('x', '0é1')), 'TAG'],
    ['no tag', record(data(sub('x'), '')), 'TAG'],
    ['too much text', record(control('x'.repeat(1_048_577))), 'TOO_LARGE'],
    ['a wrong end tag', record('<controlfield tag="001">x</datafield>'), 'XML_SYNTAX'],
    ['an unknown entity', record(control('&eacute;')), 'XML_SYNTAX'],
    ['a control character', record(control('\u0007')), 'XML_SYNTAX'],
    ['a control character by number', record(control('&#7;')), 'XML_SYNTAX'],
    ['what is no character', record(control('\uffff')), 'XML_SYNTAX'],
    ['the end of CDATA in text', record(control('a]]>b')), 'XML_SYNTAX'],
    ['bytes that are not UTF-8', Buffer.from(record(control('\xff')), 'latin1'), 'XML_SYNTAX'],
    ['no end', record('').slice(0, -3), 'XML_SYNTAX'],
    ['a second record', record(control('x')).repeat(2), 'XML_SYNTAX'],
    ['something behind it', `${record(control('x'))} <`, 'XML_SYNTAX'],
    ['another element', '<collection></collection>', 'XML_SYNTAX'],
    ['a DOCTYPE', `<!DOCTYPE a>${record(control('x'))}`, 'DOCTYPE_FORBIDDEN'],
    ['nothing', '', 'XML_SYNTAX'],
  ])('is refused with %s', (_what, xml, code) => {
    const reader = new MarcXmlReader(OPEN);
    for (let run = 0; run < 2; run++) {
      expect(outcome(reader.read(Buffer.from(xml)))).toBe(code);
      expect(outcome(reader.read(Buffer.from(xmlRecord('good'))))).toEqual([]);
    }
  });

  it('is refused when the elements around it are not well-formed', () => {
    expect(outcome(read(record(control('x')), '<a b>'))).toBe('XML_SYNTAX');
  });

  it('tells at which byte of the frame it is not well-formed', () => {
    const xml = record(control('é&x;'));
    expect(read(xml)).toMatchObject({
      offset: Buffer.byteLength(xml.slice(0, xml.indexOf(';') + 1)),
    });
    const bytes = Buffer.concat([Buffer.from('<record>\ufffd'), Buffer.from([0xe2, 0x82])]);
    expect(read(bytes)).toMatchObject({ offset: 11 });
  });

  it.each([
    [
      'one indicator',
      data(sub('x'), 'tag="500" ind1="1"'),
      ['INDICATOR'],
      '{"ind1":"1","ind2":" ","subfields":[{"a":"x"}]}',
    ],
    [
      'long indicators',
      data(sub('x'), 'tag="500" ind1="12" ind2=""'),
      ['INDICATOR'],
      '{"ind1":" ","ind2":" ","subfields":[{"a":"x"}]}',
    ],
    ['no subfield', data(''), ['NO_SUBFIELD'], '{"ind1":" ","ind2":" ","subfields":[]}'],
    [
      'a subfield without code',
      data(sub('x', '') + sub('y')),
      ['NO_SUBFIELD'],
      '{"ind1":" ","ind2":" ","subfields":[{"a":"y"}]}',
    ],
    [
      'a code of two characters',
      data(sub('x', 'bc')),
      ['NO_SUBFIELD'],
      '{"ind1":" ","ind2":" ","subfields":[{"b":"x"}]}',
    ],
    [
      'a control field that is none',
      control('BK', 'FMT'),
      ['INDICATOR'],
      '{"ind1":" ","ind2":" ","subfields":[{"a":"BK"}]}',
    ],
    [
      'a data field with the tag of a control field',
      data(sub('x'), 'tag="001" ind1=" " ind2=" "'),
      ['CONTROL_SUBFIELD'],
      '"  \\u001fax"',
    ],
    ['text between fields', `${control('x')} y `, ['TRAILING_DATA'], '"x"'],
    [
      'elements it does not know',
      `${control('x')}<b><controlfield tag="002">y</controlfield></b>`,
      ['TRAILING_DATA'],
      '"x"',
    ],
    ['elements in text', control('x<b>y</b>z'), ['TRAILING_DATA'], '"xz"'],
  ])('is repaired with a warning: %s', (_what, content, warnings, text) => {
    expect(outcome(read(record(content)))).toEqual(warnings);
    expect(texts(content)).toEqual([text]);
  });
});
