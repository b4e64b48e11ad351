import { Collected } from './error-codes.js';

describe('a collected row', () => {
  it('names every value of a short list', () => {
    expect(new Collected(['a', 'b'], 2).text(', ')).toBe('a, b');
  });

  it('names a hundred of a long one and counts the rest', () => {
    const first = Array.from({ length: 100 }, (_, index) => String(index));
    expect(new Collected(first, 250).text(',')).toBe(`${first.join(',')}… (+150 more)`);
  });

  it('stays below eight kilobytes', () => {
    const first = Array.from({ length: 100 }, () => 'x'.repeat(1000));
    const text = new Collected(first, 100).text(',');
    expect(text.length).toBeLessThan(8300);
    expect(text.endsWith('… (+92 more)')).toBe(true);
  });
});
