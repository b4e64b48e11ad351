import { createHash } from 'node:crypto';
import type { TokenKeys } from '@quire/auth/keys';
import type { Ids } from '@quire/contracts/clock';
import type { PairParts } from '../db/sessions.js';
import type { CookieValue } from '../domain/cookies.js';
import { signToken } from '../domain/tokens.js';

/** An access token and the refresh token that comes with it. */
export interface TokenPair {
  readonly access: CookieValue;
  readonly refresh: CookieValue;
}

/** Whose tokens they are. */
export interface PairOwner {
  readonly tenantId: string;
  readonly userId: string;
  readonly username: string;
  readonly sessionId: string;
}

export const ACCESS_SECONDS = 600;
/** Access tokens of `/authn/login`, for clients that cannot refresh. */
export const LONG_ACCESS_SECONDS = 86_400;
export const REFRESH_SECONDS = 604_800;

/** What a new pair is made of. */
export function newParts(now: Date, accessSeconds: number, keys: TokenKeys, ids: Ids): PairParts {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return {
    keyId: keys.signing.id,
    issuedAt,
    accessId: ids.next(),
    accessExpiresAt: issuedAt + accessSeconds,
    refreshId: ids.next(),
    refreshExpiresAt: issuedAt + REFRESH_SECONDS,
  };
}

/** The same parts give the same tokens, as long as their key is the active one. */
export async function signPair(
  owner: PairOwner,
  parts: PairParts,
  keys: TokenKeys,
): Promise<TokenPair> {
  const { issuedAt, accessId, accessExpiresAt, refreshId, refreshExpiresAt } = parts;
  const access = {
    ...owner,
    kind: 'access',
    id: accessId,
    issuedAt,
    expiresAt: accessExpiresAt,
  } as const;
  const refresh = {
    ...owner,
    kind: 'refresh',
    id: refreshId,
    issuedAt,
    expiresAt: refreshExpiresAt,
  } as const;
  return {
    access: { token: await signToken(access, keys), expiresAt: accessExpiresAt },
    refresh: { token: await signToken(refresh, keys), expiresAt: refreshExpiresAt },
  };
}

/** How a refresh token is kept. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
