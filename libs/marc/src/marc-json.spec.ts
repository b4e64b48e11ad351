import { LEADER, sound } from '../test/records.js';
import { controlField, dataField } from './iso2709/write.js';
import { marcJsonText, toMarcJson, writeMarcJsonLine } from './marc-json.js';

const record = sound([
  controlField('001', 'a "quoted" \\ number'),
  controlField('008', 'tab\tend'),
  dataField('245', '1 ', [
    ['a', 'Ἰλιάς “1”\n'],
    ['a', ''],
    ['é', '\u0085\u2028'],
    ['😀', '𝄞'],
  ]),
  dataField('500', ' "', []),
  dataField('650', '\\0', [['"', '\\']]),
]);

describe('MARC-in-JSON', () => {
  it('has the leader, text for control fields, one object per subfield for data fields', () => {
    expect(toMarcJson(record)).toEqual({
      leader: record.leader,
      fields: [
        { '001': 'a "quoted" \\ number' },
        { '008': 'tab\tend' },
        {
          '245': {
            ind1: '1',
            ind2: ' ',
            subfields: [{ a: 'Ἰλιάς “1”\n' }, { a: '' }, { é: '\u0085\u2028' }, { '😀': '𝄞' }],
          },
        },
        { '500': { ind1: ' ', ind2: '"', subfields: [] } },
        { '650': { ind1: '\\', ind2: '0', subfields: [{ '"': '\\' }] } },
      ],
    });
  });

  it('is the same as an object and as text', () => {
    expect(marcJsonText(record)).toBe(JSON.stringify(toMarcJson(record)));
    const first = sound(
      [dataField('500', '  ', [['a', 'first']]), controlField('001', 'x')],
      LEADER,
    );
    expect(marcJsonText(first)).toBe(JSON.stringify(toMarcJson(first)));
  });

  it('is one line of a file, whatever a reader takes for the end of a line', () => {
    const line = writeMarcJsonLine(record).toString();
    expect(line.split(/[\n\r\u0085\u2028\u2029]/)).toEqual([line.trimEnd(), '']);
    expect(line).toContain(String.raw`\u0085\u2028`);
    expect(JSON.parse(line)).toEqual(toMarcJson(record));
  });
});
