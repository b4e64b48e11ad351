import { LEADER, outcome, sound } from '../test/records.js';
import { readMarcJson, readMarcJsonFrame } from './marc-json-read.js';
import { toMarcJson } from './marc-json.js';

const data = (content: unknown) => ({ leader: LEADER, fields: [{ '500': content }] });

describe('a record from MARC-in-JSON', () => {
  it('is the record it was made from', () => {
    const record = sound();
    expect(readMarcJson(JSON.parse(JSON.stringify(toMarcJson(record))))).toMatchObject({
      bytes: record.bytes,
      warnings: [],
    });
  });

  it('may lack its leader where another is at hand', () => {
    const fields = [{ '001': 'x' }];
    expect(outcome(readMarcJson({ fields }))).toBe('LEADER');
    expect(outcome(readMarcJson({ fields }, LEADER))).toEqual([]);
    expect(outcome(readMarcJson({ leader: 'short', fields }, LEADER))).toBe('LEADER');
  });

  it.each([
    ['nothing', null, 'JSON_STRUCTURE'],
    ['a list', [], 'JSON_STRUCTURE'],
    ['no fields', { leader: LEADER }, 'JSON_STRUCTURE'],
    ['an empty list of fields', { leader: LEADER, fields: [] }, 'NO_FIELDS'],
    ['a field that is text', { leader: LEADER, fields: ['001'] }, 'JSON_STRUCTURE'],
    [
      'two tags in one field',
      { leader: LEADER, fields: [{ '001': 'a', '003': 'b' }] },
      'JSON_STRUCTURE',
    ],
    ['a bad tag', { leader: LEADER, fields: [{ '00': 'a' }] }, 'TAG'],
    [
      'a control field with subfields',
      { leader: LEADER, fields: [{ '001': { subfields: [] } }] },
      'JSON_STRUCTURE',
    ],
    ['a data field that is text', data('x'), 'JSON_STRUCTURE'],
    ['a data field without list', data({ ind1: ' ', ind2: ' ' }), 'JSON_STRUCTURE'],
    ['a subfield of two codes', data({ subfields: [{ a: 'x', b: 'y' }] }), 'JSON_STRUCTURE'],
    ['a code of two characters', data({ subfields: [{ ab: 'x' }] }), 'JSON_STRUCTURE'],
    ['a subfield that is no text', data({ subfields: [{ a: 1 }] }), 'JSON_STRUCTURE'],
  ])('is refused with %s', (_what, json, code) => {
    expect(outcome(readMarcJson(json))).toBe(code);
  });

  it('has its characters repaired with a warning', () => {
    const json = data({ ind1: 'é', subfields: [{ a: 'x\x1dy' }, { b: '\ud800' }] });
    const record = readMarcJson(json);
    expect(outcome(record)).toEqual(['INDICATOR', 'CONTROL_CHAR', 'ENCODING']);
    expect(!record.failed && record.text(0)).toBe('  \x1fax\ufffdy\x1fb\ufffd');
    expect(outcome(readMarcJson(data({ ind1: ' ', ind2: ' ', subfields: [] })))).toEqual([
      'NO_SUBFIELD',
    ]);
  });
});

describe('an object of a file', () => {
  const read = (text: string | Buffer, strict = false) =>
    outcome(readMarcJsonFrame(Buffer.from(text), { strict }));
  const nested = (depth: number) =>
    `{"leader":"${LEADER}","fields":[{"001":"[{\\"[{"}],"more":${'['.repeat(depth)}${']'.repeat(depth)}}`;

  it('is the record it was made from', () => {
    const record = sound();
    expect(readMarcJsonFrame(Buffer.from(JSON.stringify(toMarcJson(record))))).toMatchObject({
      bytes: record.bytes,
      warnings: [],
    });
  });

  it('is refused when it is no JSON, too deep or too large', () => {
    expect(read('{"leader":}')).toBe('JSON_STRUCTURE');
    expect(read('')).toBe('JSON_STRUCTURE');
    expect(read(nested(63))).toEqual([]);
    expect(read(nested(64))).toBe('JSON_STRUCTURE');
    expect(read(`{"a":"${'x'.repeat(1_048_576)}"}`)).toBe('TOO_LARGE');
  });

  it('has its bytes repaired with a warning, unless that must not be', () => {
    const bytes = Buffer.from(`{"leader":"${LEADER}","fields":[{"001":"\xff"}]}`, 'latin1');
    expect(read(bytes)).toEqual(['ENCODING']);
    expect(read(bytes, true)).toBe('ENCODING');
    expect(read(bytes.toString().replace('\ufffd', String.raw`\ud800`), true)).toBe('ENCODING');
  });
});
