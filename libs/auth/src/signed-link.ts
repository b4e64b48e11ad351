import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { forbidden, gone } from '@quire/contracts/failure';
import type { Secrets } from './keys.js';

/**
 * Signed links (reliability, section 13): whoever holds one may read one file, or send one part, until it expires. No
 * login is needed, because scripts fetch links without headers; so the link itself says for whom and for what it was made.
 * Only the service that issues links holds their key.
 */
export interface SignedLink {
  /** What it may be used for, for example `export`. A link for one purpose is good for no other. */
  readonly purpose: string;
  readonly tenantId: string;
  readonly jobId: string;
  readonly fileId: string;
  readonly userId: string;
  readonly expiresAt: Date;
}

/** How long a link lives: an hour (K14). */
export const LINK_LIFE_MS = 3_600_000;

type Parts = readonly [string, string, string, string, string, number];

/** URL-safe text: key id, what is signed, signature, with dots between. */
export function signLink(link: SignedLink, keys: Secrets): string {
  const [secret] = keys;
  if (!secret) throw new Error('There is no key for links.');
  const { purpose, tenantId, jobId, fileId, userId, expiresAt } = link;
  const parts: Parts = [purpose, tenantId, jobId, fileId, userId, expiresAt.getTime()];
  const signed = `${secret.id}.${Buffer.from(JSON.stringify(parts)).toString('base64url')}`;
  return `${signed}.${mac(signed, secret.key).toString('base64url')}`;
}

/**
 * @throws Failure forbidden (403 `Link is not valid`) when altered or made for something else, gone
 * (410 `Link has expired`) after its hour
 */
export function verifyLink(token: string, purpose: string, now: Date, keys: Secrets): SignedLink {
  // The key id may hold dots, the other two parts cannot.
  const [, id, body, signature] = /^(.+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
  const secret = keys.find((one) => one.id === id);
  if (!secret || body === undefined || signature === undefined) throw notValid();
  // As text, not as bytes: the last character has bits that no byte holds, so a link with another one would pass.
  const expected = Buffer.from(mac(`${secret.id}.${body}`, secret.key).toString('base64url'));
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw notValid();
  const [made, tenantId, jobId, fileId, userId, expiresAtMs] = JSON.parse(
    Buffer.from(body, 'base64url').toString('utf8'),
  ) as Parts;
  if (made !== purpose) throw notValid();
  if (expiresAtMs <= now.getTime()) throw gone('Link has expired');
  return { purpose, tenantId, jobId, fileId, userId, expiresAt: new Date(expiresAtMs) };
}

function mac(text: string, key: KeyObject): Buffer {
  return createHmac('sha256', key).update(`link:${text}`).digest();
}

const notValid = (): Error => forbidden('Link is not valid');
