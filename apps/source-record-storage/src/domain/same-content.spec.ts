import { readContent } from './parsed-content.js';
import { isSameContent } from './same-content.js';
import type { StoredContent } from './stored-content.js';

const LEADER = '00000cam a2200000 i 4500';
const field = (tag: string, indicators: string, text: string): object => ({
  [tag]: { ind1: indicators[0], ind2: indicators[1], subfields: [{ a: text }] },
});
const title = (text: string): object => field('245', '10', text);

function stored(fields: readonly unknown[], leader: string | undefined = LEADER): StoredContent {
  const read = readContent('MARC_BIB', { leader, fields });
  if (read.failed) throw new Error(read.reason);
  return read.stored;
}
function message(content: unknown): StoredContent {
  const read = readContent('EDIFACT', content);
  if (read.failed) throw new Error(read.reason);
  return read.stored;
}

describe('the same content', () => {
  it.each([
    ['ISO 2709', 'x', 'ISO2709'],
    ['JSON', 'x\u001f', 'JSON'],
  ])('differs in 005 and 999 ff only, in %s', (_, text, form) => {
    const before = stored([{ '001': 'in1' }, title(text)]);
    expect(before.form).toBe(form);
    const after = stored([
      { '001': 'in1' },
      { '005': 'now' },
      title(text),
      field('999', 'ff', 'id'),
    ]);
    expect(isSameContent(before, after)).toBe(true);
    expect(isSameContent(before, stored([{ '001': 'in1' }, title(`${text}!`)]))).toBe(false);
    expect(isSameContent(before, stored([title(text), { '001': 'in1' }]))).toBe(false);
    const plain999 = stored([{ '001': 'in1' }, title(text), field('999', '  ', 'id')]);
    expect(isSameContent(before, plain999)).toBe(false);
    const deleted = stored([{ '001': 'in1' }, title(text)], LEADER.replace('cam', 'dam'));
    expect(isSameContent(before, deleted)).toBe(false);
  });

  it('has the same form', () => {
    const odd = stored([title('x\u001f')]);
    const repaired = stored([title('x\ufffd')]);
    expect(isSameContent(odd, repaired)).toBe(false);
  });

  it('of a message is the same to the letter', () => {
    expect(isSameContent(message("UNH+1'"), message("UNH+1'"))).toBe(true);
    expect(isSameContent(message("UNH+1'"), message("UNH+2'"))).toBe(false);
    expect(isSameContent(message({ a: 1 }), message('{"a": 1}'))).toBe(true);
    expect(isSameContent(message({ a: 1 }), message({ a: 2 }))).toBe(false);
  });
});
