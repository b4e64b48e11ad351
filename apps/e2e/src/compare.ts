import { splitFrames } from '@quire/marc/iso2709/split';
import { openStored, suppressFields } from '@quire/marc/iso2709/stored';

/** The records of a file, in order. */
export function framesOf(file: Buffer): Buffer[] {
  return splitFrames(file).map(({ offset, length }) => file.subarray(offset, offset + length));
}

/** The record as it came in: without its 999 ff, and without the numbers of the leader that the field made larger. */
export function asImported(exported: Buffer): Buffer {
  const plain = suppressFields(openStored(exported), { ff999: true });
  if (plain.failed) throw new Error(`An exported record cannot be read: ${plain.code}`);
  return plain.bytes;
}
