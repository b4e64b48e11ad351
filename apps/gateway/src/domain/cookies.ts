import type { SAME_SITE } from '../config.js';

/** The two cookies of a session (conventions, 5.3). */
export const ACCESS_COOKIE = 'folioAccessToken';
export const REFRESH_COOKIE = 'folioRefreshToken';

export interface CookieRules {
  /** Public path prefix, without a slash at its end. */
  readonly prefix: string;
  /** Only over TLS: clients drop a `Secure` cookie on plain HTTP. */
  readonly secure: boolean;
  readonly sameSite: (typeof SAME_SITE)[number];
}

export interface CookieValue {
  readonly token: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export function accessCookie(value: CookieValue, now: Date, rules: CookieRules): string {
  return setCookie(ACCESS_COOKIE, `${rules.prefix}/`, lifetime(value, now), rules);
}

export function refreshCookie(value: CookieValue, now: Date, rules: CookieRules): string {
  return setCookie(REFRESH_COOKIE, `${rules.prefix}/authn`, lifetime(value, now), rules);
}

/** Empty, at the same paths, long expired. */
export function clearedCookies(rules: CookieRules): readonly string[] {
  const gone = { token: '', lifetime: 'Expires=Thu, 01 Jan 1970 00:00:00 GMT' };
  return [
    setCookie(ACCESS_COOKIE, `${rules.prefix}/`, gone, rules),
    setCookie(REFRESH_COOKIE, `${rules.prefix}/authn`, gone, rules),
  ];
}

interface Lifetime {
  readonly token: string;
  readonly lifetime: string;
}

function lifetime({ token, expiresAt }: CookieValue, now: Date): Lifetime {
  const seconds = Math.max(0, expiresAt - Math.floor(now.getTime() / 1000));
  const expires = new Date(expiresAt * 1000).toUTCString();
  return { token, lifetime: `Max-Age=${seconds}; Expires=${expires}` };
}

function setCookie(
  name: string,
  path: string,
  { token, lifetime: life }: Lifetime,
  rules: CookieRules,
): string {
  // Browsers take SameSite=None only with Secure.
  const sameSite = rules.sameSite === 'None' && !rules.secure ? 'Lax' : rules.sameSite;
  const secure = rules.secure ? '; Secure' : '';
  return `${name}=${token}; ${life}; Path=${path}; HttpOnly${secure}; SameSite=${sameSite}`;
}

/** Every value a cookie header has for a name. Clients also write `;` without a blank after it. */
export function cookieValues(header: string | undefined, name: string): readonly string[] {
  return (header ?? '').split(';').flatMap((part) => {
    const cut = part.indexOf('=');
    if (cut < 0 || part.slice(0, cut).trim() !== name) return [];
    return [
      part
        .slice(cut + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    ];
  });
}
