import { marcRecord } from '@quire/testing/marc';

/** Frames by hand, sound and damaged, for the stories about what is found in the wild (reliability, section 19). */
const LEADER = '00000nam a2200000 i 4500';

/** A small sound record. */
export const sound = (hrid: string, title = 'Sound and whole'): Buffer =>
  marcRecord({
    fields: [
      ['001', hrid],
      ['245', '10', { a: title }],
    ],
  });

/**
 * A frame whose bodies no writer would give: they are taken byte for byte (Latin-1), all numbers are true.
 *
 * @param fields tag and body; a data field's body begins with its indicators
 */
export function frameOf(
  fields: readonly (readonly [tag: string, body: string])[],
  leader = LEADER,
): Buffer {
  let directory = '';
  let data = '';
  for (const [tag, body] of fields) {
    directory += tag + digits(body.length + 1, 4) + digits(data.length, 5);
    data += `${body}\x1e`;
  }
  return frame(leader, directory, data);
}

/** A frame from its parts, with true length and base address. */
export function frame(leader: string, directory: string, data: string): Buffer {
  const base = 24 + directory.length + 1;
  const length = base + data.length + 1;
  const head = digits(length, 5) + leader.slice(5, 12) + digits(base, 5) + leader.slice(17);
  return Buffer.from(`${head}${directory}\x1e${data}\x1d`, 'latin1');
}

/** A copy with other bytes at some place. */
export function patched(bytes: Buffer, at: number, text: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(text, at, 'latin1');
  return copy;
}

/** The bytes with something put in at a place. */
export function inserted(bytes: Buffer, at: number, what: Buffer | string): Buffer {
  // eslint-disable-next-line no-restricted-properties -- a fixture of a few kilobytes
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(what), bytes.subarray(at)]);
}

/** What does not fit is written as all nines, as those who write such records do. */
const digits = (value: number, width: number): string =>
  String(Math.min(value, 10 ** width - 1)).padStart(width, '0');
