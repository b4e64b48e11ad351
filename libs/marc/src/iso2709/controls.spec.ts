import { hasDelimiterInControl, withoutControls } from './controls.js';
import { openStored } from './stored.js';
import { controlField, dataField, writeRecord, type FieldBytes } from './write.js';

function stored(fields: readonly FieldBytes[]): Buffer {
  const record = writeRecord('00000nam a2200000 i 4500', fields);
  if (record.failed) throw new Error(record.code);
  return record.bytes;
}

const title = dataField('245', '10', [
  ['a', 'One\tline'],
  ['b', 'more'],
]);
const raw = (tag: string, body: string): FieldBytes => ({ tag, body: Buffer.from(body) });

describe('control characters inside data', () => {
  it('are none in an ordinary record, with its delimiters and tabs', () => {
    const bytes = stored([controlField('001', 'a'), controlField('008', ' '.repeat(40)), title]);
    expect(hasDelimiterInControl(bytes)).toBe(false);
    expect(withoutControls(openStored(bytes))).toBeUndefined();
  });

  it.each([
    ['at the start of', '\x1fa', 'a'],
    ['inside', 'a\x1fb', 'ab'],
    ['at the end of', 'ab\x1f', 'ab'],
  ])('are found %s a control field, and go', (_, body, clean) => {
    const bytes = stored([controlField('001', 'x'), raw('009', body), title]);
    expect(hasDelimiterInControl(bytes)).toBe(true);
    const cleaned = withoutControls(openStored(bytes));
    expect(cleaned?.failed === false && cleaned.bytes).toEqual(
      stored([controlField('001', 'x'), raw('009', clean), title]),
    );
  });

  it('go from data fields too, where delimiters stay', () => {
    const bytes = stored([controlField('001', 'x'), raw('500', '  \x1faA\x01B\x1fbC')]);
    const cleaned = withoutControls(openStored(bytes));
    expect(cleaned?.failed === false && cleaned.bytes).toEqual(
      stored([controlField('001', 'x'), raw('500', '  \x1faAB\x1fbC')]),
    );
  });

  it('are looked for in no bytes that are no record', () => {
    for (const text of ['', 'x', '00000nam a22xxxxx i 4500', '00000nam a2299999 i 4500'])
      expect(hasDelimiterInControl(Buffer.from(text))).toBe(false);
  });
});
