import { TENANT_PATTERN } from '@quire/contracts/scope';
import { failures } from './failures.js';

/**
 * The tenant a request names in `X-Okapi-Tenant` (conventions, sections 3 and 4). Node joins a repeated header with a comma.
 *
 * @throws Failure 400 for several values or one that is no tenant id
 */
export function namedTenant(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const value = typeof header === 'string' ? header.trim() : header.join(',');
  if (value === '') return undefined;
  if (value.includes(',')) throw failures.tenantTwice();
  if (!TENANT_PATTERN.test(value)) throw failures.tenantMalformed(value);
  return value;
}

/** Tokens a request carries: two headers that mean the same, and a cookie that counts only without them. */
export interface SentToken {
  readonly token: string;
  readonly byCookie: boolean;
}

export interface TokenHeaders {
  readonly 'x-okapi-token'?: string | readonly string[] | undefined;
  readonly authorization?: string | undefined;
}

/** @throws Failure 400 when the two headers differ */
export function sentToken(
  headers: TokenHeaders,
  cookies: readonly string[],
): SentToken | undefined {
  const okapi = [headers['x-okapi-token'] ?? []].flat().join(',').trim() || undefined;
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  if (okapi !== undefined && bearer !== undefined && okapi !== bearer)
    throw failures.differentTokens();
  const token = okapi ?? bearer;
  if (token !== undefined) return { token, byCookie: false };
  const [cookie] = cookies;
  return cookie === undefined || cookie === '' ? undefined : { token: cookie, byCookie: true };
}
