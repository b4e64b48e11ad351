import { baseOf, cutName, displayName, outputName, quickBaseOf } from './file-name.js';

describe('names of files', () => {
  it.each([
    ['C:\\exports\\May list.csv', 'May list.csv'],
    ['/home/a/ids.csv', 'ids.csv'],
    ['../../etc/passwd.csv', 'passwd.csv'],
    ['a"b\u0007\u0000c.csv', 'abc.csv'],
    ['evil\u202Evsc.csv', 'evilvsc.csv'],
    ['📚.csv', '📚.csv'],
  ])('a name is the last element of a path without what misleads: %j', (sent, shown) => {
    expect(displayName(sent)).toBe(shown);
  });

  it('a long name keeps its extension and is 255 characters', () => {
    const name = cutName(`${'x'.repeat(300)}.csv`);
    expect(name).toHaveLength(255);
    expect(name.endsWith('x.csv')).toBe(true);
  });

  it.each([
    ['test.csv', 'test'],
    ['a.b.csv', 'a.b'],
    ['.csv', 'export'],
    ['', 'export'],
    [`${'y'.repeat(250)}.csv`, 'y'.repeat(200)],
  ])('an output is called after its upload: %j', (fileName, base) => {
    expect(baseOf(fileName)).toBe(base);
  });

  it('a cut never leaves half a character', () => {
    expect(baseOf(`${'y'.repeat(199)}📚.csv`)).toBe('y'.repeat(199));
  });

  it.each([
    [undefined, 'quick-export'],
    ['may.mrc', 'may'],
    ['may.CSV', 'may'],
    ['may.txt', 'may.txt'],
    ['dir/may', 'may'],
    ['  ', 'quick-export'],
  ])('a quick export drops only extensions of ours: %j', (fileName, base) => {
    expect(quickBaseOf(fileName)).toBe(base);
  });

  it('an output carries the number of its job', () => {
    expect(outputName('test', 112)).toBe('test-112.mrc');
  });
});
