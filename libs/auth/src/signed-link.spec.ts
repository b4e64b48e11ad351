import { createSecretKey } from 'node:crypto';
import { signLink, verifyLink, type SignedLink } from './signed-link.js';

const now = new Date('2026-01-01T00:00:00.000Z');
const keys = [
  { id: 'new', key: createSecretKey(Buffer.alloc(32, 1)) },
  { id: 'old', key: createSecretKey(Buffer.alloc(32, 2)) },
];
const link: SignedLink = {
  purpose: 'export',
  tenantId: 'library',
  jobId: 'job',
  fileId: 'file',
  userId: 'user',
  expiresAt: new Date(now.getTime() + 1000),
};

describe('a signed link', () => {
  it('gives back what was signed, also with the key before the newest', () => {
    expect(verifyLink(signLink(link, keys), 'export', now, keys)).toEqual(link);
    expect(verifyLink(signLink(link, keys.slice(1)), 'export', now, keys)).toEqual(link);
    expect(signLink(link, keys)).toMatch(/^[\w.-]+$/);
  });

  it('is refused for another purpose, when altered, or with an unknown key', () => {
    const token = signLink(link, keys);
    const [id, body = '', signature] = token.split('.');
    const other = Buffer.from(
      Buffer.from(body, 'base64url').toString().replace('library', 'academy'),
    );
    for (const bad of [
      '',
      'x',
      `${id}.${body}`,
      `${token}A`,
      `old.${body}.${signature}`,
      `${id}.${other.toString('base64url')}.${signature}`,
    ]) {
      expect(() => verifyLink(bad, 'export', now, keys)).toThrow('Link is not valid');
    }
    expect(() => verifyLink(token, 'part', now, keys)).toThrow('Link is not valid');
    expect(() => verifyLink(token, 'export', now, [])).toThrow('Link is not valid');
  });

  it('has one spelling: no last character but its own is accepted', () => {
    const token = signLink(link, keys);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = [...alphabet].filter((last) => {
      try {
        return verifyLink(`${token.slice(0, -1)}${last}`, 'export', now, keys);
      } catch {
        return false;
      }
    });
    expect(accepted).toEqual([token.at(-1)]);
  });

  it('is gone from the moment it expires', () => {
    const token = signLink(link, keys);
    expect(() => verifyLink(token, 'export', link.expiresAt, keys)).toThrow('Link has expired');
  });
});
