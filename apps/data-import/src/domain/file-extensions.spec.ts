import { DEFAULT_EXTENSIONS, extensionOf, isExtension } from './file-extensions.js';

describe('extensions of files', () => {
  it.each([
    ['a.pdf', '.pdf'],
    ['a.PNG', '.png'],
    ['a.b.zip', '.zip'],
    ['dir/a.jpg', '.jpg'],
    ['a.pdf.mrc', '.mrc'],
    ['a.', '.'],
    ['a', undefined],
    ['.pdf', undefined],
    ['pdf', undefined],
    ['', undefined],
  ])('of %j is %j', (name, extension) => {
    expect(extensionOf(name)).toBe(extension);
  });

  it.each(['.mrc', '.M_1'])('%j is one', (text) => {
    expect(isExtension(text)).toBe(true);
  });

  it.each(['mrc', '.', '', '.a.b', '.a\n', ' .a', '.é'])('%j is none', (text) => {
    expect(isExtension(text)).toBe(false);
  });

  it('by default are thirteen, six of them blocked', () => {
    expect(DEFAULT_EXTENSIONS).toHaveLength(13);
    expect(new Set(DEFAULT_EXTENSIONS.map(({ id }) => id)).size).toBe(13);
    expect(DEFAULT_EXTENSIONS.filter(({ importBlocked }) => importBlocked)).toHaveLength(6);
  });
});
