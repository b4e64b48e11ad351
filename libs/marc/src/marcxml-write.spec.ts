import saxes from 'saxes';
import { frameOf, LEADER, sound } from '../test/records.js';
import { controlField, dataField } from './iso2709/write.js';
import { readRecord } from './iso2709/read.js';
import { MARCXML_CLOSE, MARCXML_NAMESPACE, MARCXML_OPEN, writeMarcXml } from './marcxml-write.js';
import type { MarcRecord } from './record.js';

/** Elements with attributes and text, as a strict parser sees them. */
function parsed(xml: string): string[] {
  const seen: string[] = [];
  const parser = new saxes.SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, uri, attributes }) => {
    expect(uri).toBe(MARCXML_NAMESPACE);
    const values = Object.values(attributes).filter(({ prefix }) => prefix !== 'xmlns');
    seen.push(
      [name, ...values.filter((one) => one.name !== 'xmlns').map((one) => one.value)].join('|'),
    );
  });
  parser.on('text', (text) => {
    if (text.trim() !== '') seen.push(`"${text}"`);
  });
  parser.write(xml).close();
  return seen;
}

const file = (...records: readonly MarcRecord[]): string =>
  MARCXML_OPEN + records.map((one) => writeMarcXml(one).toString()).join('') + MARCXML_CLOSE;

describe('MARCXML', () => {
  it('has one record element with leader, control fields and data fields in their order', () => {
    const record = sound([
      controlField('001', 'x1'),
      dataField('245', '1 ', [
        ['a', 'Møøse :'],
        ['😀', '漢字 𝄞'],
      ]),
      controlField('008', ''),
    ]);
    expect(writeMarcXml(record).toString()).toBe(
      `<record><leader>${record.leader}</leader><controlfield tag="001">x1</controlfield>` +
        '<datafield tag="245" ind1="1" ind2=" "><subfield code="a">Møøse :</subfield>' +
        '<subfield code="😀">漢字 𝄞</subfield></datafield><controlfield tag="008"></controlfield></record>\n',
    );
    expect(parsed(file(record, record))).toHaveLength(2 * 11 + 1);
    expect(parsed(file())).toEqual(['collection']);
  });

  it('gives back markup and line ends as the record has them', () => {
    const text = `a & b < c > d "e" 'f' ]]> \t\r\n\r \u0085\u0098\u2028`;
    const record = sound(
      [
        controlField('001', text),
        dataField('500', '<"', [
          ['&', text],
          ['"', ' '],
        ]),
      ],
      LEADER.replace('nam', '&<m'),
    );
    expect(parsed(file(record))).toEqual([
      'collection',
      'record',
      'leader',
      `"${record.leader}"`,
      'controlfield|001',
      `"${text}"`,
      'datafield|500|<|"',
      'subfield|&',
      `"${text}"`,
      'subfield|"',
    ]);
  });

  it('is well-formed whatever the record holds', () => {
    const delimited = readRecord(
      frameOf([
        ['001', 'a\x1fb'],
        ['500', 'no subfield'],
      ]),
    );
    if (delimited.failed) throw new Error(delimited.code);
    const odd = sound([
      dataField('500', '  ', [
        ['a', 'x\ufffe\uffff\x07y'],
        ['\t', 'z'],
      ]),
    ]);
    expect(parsed(file(delimited, odd)).slice(5)).toEqual([
      '"a\ufffdb"',
      'datafield|500|n|o',
      'record',
      'leader',
      `"${odd.leader}"`,
      'datafield|500| | ',
      'subfield|a',
      '"x\ufffd\ufffd\ufffdy"',
      'subfield|\t',
      '"z"',
    ]);
  });
});
