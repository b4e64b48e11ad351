import { createHash } from 'node:crypto';
import { SliceCheck } from './slice-check.js';

const sliceOf = (text: string): { size: number; sha256: string } => ({
  size: text.length,
  sha256: createHash('sha256').update(text).digest('hex'),
});
const slices = ['one', '', 'three'].map(sliceOf);

function check(text: string, partBytes: number): void {
  const one = new SliceCheck(slices);
  for (let at = 0; at < text.length; at += partBytes)
    one.take(Buffer.from(text.slice(at, at + partBytes)));
  one.end();
}

describe('a downloaded file', () => {
  it.each([1, 2, 3, 8])(
    'is taken when its slices are those of the manifest, in parts of %d',
    (bytes) => {
      expect(() => {
        check('onethree', bytes);
      }).not.toThrow();
    },
  );

  it.each([
    ['has another slice', 'onetwoxx', 'from byte 3'],
    ['ends too early', 'onethr', 'ends too early'],
    ['is too long', 'onethree!', 'has more bytes'],
  ])('is refused when it %s', (_, text, why) => {
    expect(() => {
      check(text, 2);
    }).toThrow(why);
  });
});
