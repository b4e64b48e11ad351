import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * Password hashes: argon2id with 19 MiB and 2 passes (the smaller of OWASP's two settings), 46 ms on the machine it was
 * measured on. Kept in the PHC string form, so that the figures can rise later without breaking what is stored.
 */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const TAG_BYTES = 32;
const SALT_BYTES = 16;

const derive = promisify(argon2);
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/;

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await tagOf(password, salt, { memory: MEMORY_KIB, passes: PASSES, lanes: LANES });
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${phc(salt)}$${phc(tag)}`;
}

/** Without a hash it does the same work and says no: time must not tell who has an account. */
export async function passwordFits(
  password: string,
  hash: string | null | undefined,
): Promise<boolean> {
  const [, memory, passes, lanes, salt = '', tag = ''] = PHC.exec(hash ?? '') ?? [];
  const figures = {
    memory: Number(memory ?? MEMORY_KIB),
    passes: Number(passes ?? PASSES),
    lanes: Number(lanes ?? LANES),
  };
  const known = tag === '' ? Buffer.alloc(TAG_BYTES) : Buffer.from(tag, 'base64');
  const nonce = salt === '' ? Buffer.alloc(SALT_BYTES) : Buffer.from(salt, 'base64');
  const found = await tagOf(password, nonce, figures);
  return tag !== '' && found.length === known.length && timingSafeEqual(found, known);
}

interface Figures {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

function tagOf(
  password: string,
  nonce: Buffer,
  { memory, passes, lanes }: Figures,
): Promise<Buffer> {
  const message = Buffer.from(password.normalize('NFC'), 'utf8');
  return derive('argon2id', {
    message,
    nonce,
    parallelism: lanes,
    tagLength: TAG_BYTES,
    memory,
    passes,
  });
}

function phc(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
