import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Keys on disk. A file holds at most two lines `<key id> <base64url bytes>`: the first key signs, both are accepted. To
 * rotate, put a new line on top; when nothing signed with the old one can live any longer, take the old line away.
 */
export interface KeyLine {
  readonly id: string;
  readonly bytes: Buffer;
}

const LINE = /^([A-Za-z0-9._-]{1,64}) ([A-Za-z0-9_-]+)$/;
const KEYS_PER_FILE_MAX = 2;

/** @throws KeyFileRefused when the file is missing or malformed, or a key is too short to be a secret */
export async function readKeys(path: string, bytesMin: number): Promise<readonly KeyLine[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KeyFileRefused(path, 'cannot be read', { cause });
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > KEYS_PER_FILE_MAX) {
    throw new KeyFileRefused(path, `must hold one or two keys, not ${lines.length}`);
  }
  return lines.map((line) => {
    const [, id, encoded] = LINE.exec(line.trim()) ?? [];
    if (id === undefined || encoded === undefined) {
      throw new KeyFileRefused(path, 'must have lines of a key id, a blank and base64url text');
    }
    const bytes = Buffer.from(encoded, 'base64url');
    if (bytes.length < bytesMin) {
      throw new KeyFileRefused(path, `has a key of less than ${bytesMin} bytes`);
    }
    return { id, bytes };
  });
}

/**
 * Reads the file, or makes it (0600) with one key. Two processes that start together end with the same key: the file
 * appears whole, by a link that fails for the second one.
 */
export async function readOrMakeKeys(
  path: string,
  bytesMin: number,
  make: () => Buffer,
): Promise<readonly KeyLine[]> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  await writeFile(unfinished, newKeyLine(make()), { mode: 0o600 });
  try {
    await link(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
  return readKeys(path, bytesMin);
}

/** A line with a new key, under a random id. */
export function newKeyLine(bytes: Buffer): string {
  return `${randomBytes(6).toString('hex')} ${bytes.toString('base64url')}\n`;
}

/** Says which file and what is wrong with it, never a key. */
export class KeyFileRefused extends Error {
  override readonly name = 'KeyFileRefused';

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`The key file ${path} ${problem}.`, options);
  }
}
