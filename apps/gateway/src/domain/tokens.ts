import type { TokenKeys } from '@quire/auth/keys';
import { jwtVerify, SignJWT, type JWTHeaderParameters } from 'jose';

/**
 * User tokens: JWTs signed with Ed25519. One algorithm, static keys, nothing fetched (conventions, 5.1). Ed25519 is
 * deterministic: the same claims and key give the same token, so a pair can be given out again without storing it.
 */
export interface TokenClaims {
  readonly kind: 'access' | 'refresh';
  readonly tenantId: string;
  readonly userId: string;
  readonly username: string;
  readonly sessionId: string;
  readonly id: string;
  /** Seconds since 1970, as in the token. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

const ISSUER = 'quire';
const AUDIENCE = 'quire';
const ALGORITHM = 'EdDSA';
const SKEW_SECONDS = 30;
const HEADER_NAMES = new Set(['alg', 'kid', 'typ']);

/** @param keyId which key signs; the active one unless a token is made again */
export function signToken(claims: TokenClaims, keys: TokenKeys): Promise<string> {
  const { kind, tenantId, userId, username, sessionId, id, issuedAt, expiresAt } = claims;
  return new SignJWT({ user_id: userId, tenant: tenantId, type: kind, sid: sessionId })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: keys.signing.id })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(username)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(keys.signing.key);
}

/** The claims of a good token of this kind; undefined for every defect, whichever it is. */
export async function verifyToken(
  token: string,
  kind: TokenClaims['kind'],
  keys: TokenKeys,
  now: Date,
): Promise<TokenClaims | undefined> {
  const keyOf = (header: JWTHeaderParameters) => {
    const key = keys.verifying.get(header.kid ?? '');
    if (!key) throw new Error('unknown key');
    return key;
  };
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keyOf, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'JWT',
      clockTolerance: SKEW_SECONDS,
      currentDate: now,
      requiredClaims: ['sub', 'user_id', 'tenant', 'type', 'sid', 'jti', 'iat', 'exp'],
    });
    if (Object.keys(protectedHeader).some((name) => !HEADER_NAMES.has(name))) return undefined;
    const { iat = 0, exp = 0, sub, jti, user_id, tenant, type, sid } = payload;
    if (type !== kind || iat > now.getTime() / 1000 + SKEW_SECONDS) return undefined;
    return {
      kind,
      tenantId: String(tenant),
      userId: String(user_id),
      username: String(sub),
      sessionId: String(sid),
      id: String(jti),
      issuedAt: iat,
      expiresAt: exp,
    };
  } catch {
    // jose has a class for each defect; the client learns of none of them.
    return undefined;
  }
}

/** `YYYY-MM-DDTHH:MM:SSZ` (K17): no fraction, always `Z`. */
export function expirationText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
