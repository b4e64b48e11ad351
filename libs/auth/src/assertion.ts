/**
 * The internal assertion: the one thing a service believes about who calls (conventions, section 18).
 *
 * The gateway, or a service that calls another, signs method, target, tenant, user and permissions of one request for
 * one audience; it lives a minute. A compact JWS with HS256, made and read by hand because it is on the path of every
 * request and its form is fixed: one header, one algorithm, no negotiation. Each pair of services has its own key, so a
 * service can forge only calls to itself.
 */
import { createHmac, hash, randomUUID, timingSafeEqual, type KeyObject } from 'node:crypto';
import {
  DIALECTS,
  SERVICES,
  type Caller,
  type Dialect,
  type ServiceName,
} from '@quire/contracts/scope';
import type { PairKeys } from './keys.js';

export const ASSERTION_HEADER = 'x-internal-assertion';
const LIFE_SECONDS = 60;
const SKEW_SECONDS = 5;

/** What is asserted. A signed link names no tenant and no user: the service takes both from the link. */
export interface Assertion {
  readonly issuer: ServiceName;
  readonly audience: ServiceName;
  readonly method: string;
  /** The request target exactly as the receiver gets it, with its query. */
  readonly target: string;
  readonly requestId: string;
  readonly tenantId?: string;
  readonly actorId?: string;
  readonly username?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly publicUrl?: string;
  readonly permissions?: readonly string[];
  readonly dialect?: Dialect;
  /** The job that a call between services is made for. */
  readonly jobId?: string;
}

export interface AssertedCaller extends Caller {
  readonly jobId?: string;
}

interface Claims {
  iss: ServiceName;
  aud: ServiceName;
  tnt?: string;
  sub?: string;
  usr?: string;
  fnm?: string;
  lnm?: string;
  pub?: string;
  prm: readonly string[];
  mth: string;
  pth: string;
  rid: string;
  dia?: Dialect;
  act?: string;
  jti: string;
  iat: number;
  exp: number;
}

/** @throws when the issuer has no key for this audience: these two must not talk */
export function signAssertion(assertion: Assertion, keys: PairKeys, now: Date): string {
  const { issuer, audience } = assertion;
  const secret = keys.keyFor(issuer, audience)?.[0];
  if (!secret) throw new Error(`${issuer} has no key to call ${audience}.`);
  const issuedAt = Math.floor(now.getTime() / 1000);
  const claims: Claims = {
    iss: issuer,
    aud: audience,
    ...optionalClaims(assertion),
    prm: assertion.permissions ?? [],
    mth: assertion.method,
    pth: targetHash(assertion.target),
    rid: assertion.requestId,
    jti: randomUUID(),
    iat: issuedAt,
    exp: issuedAt + LIFE_SECONDS,
  };
  const signed = `${encoded({ alg: 'HS256', kid: secret.id })}.${encoded(claims)}`;
  return `${signed}.${mac(signed, secret.key).toString('base64url')}`;
}

function optionalClaims(assertion: Assertion): Partial<Claims> {
  const { tenantId, actorId, username, firstName, lastName, publicUrl, dialect, jobId } = assertion;
  return {
    ...(tenantId === undefined ? {} : { tnt: tenantId }),
    ...(actorId === undefined ? {} : { sub: actorId }),
    ...(username === undefined ? {} : { usr: username }),
    ...(firstName === undefined ? {} : { fnm: firstName }),
    ...(lastName === undefined ? {} : { lnm: lastName }),
    ...(publicUrl === undefined ? {} : { pub: publicUrl }),
    ...(dialect === undefined ? {} : { dia: dialect }),
    ...(jobId === undefined ? {} : { act: jobId }),
  };
}

export interface AssertedRequest {
  readonly method: string;
  readonly target: string;
}

/** Checks the assertions one service receives, and remembers those of writes until they end. One per process. */
export class AssertionVerifier {
  private readonly seen = new SeenOnce();

  constructor(
    private readonly audience: ServiceName,
    private readonly keys: PairKeys,
  ) {}

  /** The caller, or undefined for any defect: nobody learns which. */
  verify(token: string, request: AssertedRequest, now: Date): AssertedCaller | undefined {
    const claims = this.signedClaims(token);
    if (!claims) return undefined;
    const seconds = now.getTime() / 1000;
    const fresh =
      claims.iat <= seconds + SKEW_SECONDS &&
      claims.exp > seconds - SKEW_SECONDS &&
      claims.exp - claims.iat <= LIFE_SECONDS;
    if (!fresh || claims.mth !== request.method || claims.pth !== targetHash(request.target)) {
      return undefined;
    }
    if (
      isWrite(request.method) &&
      !this.seen.first(claims.jti, claims.exp + SKEW_SECONDS, seconds)
    ) {
      return undefined;
    }
    return callerOf(claims);
  }

  private signedClaims(token: string): Claims | undefined {
    const parts = token.split('.');
    const [head = '', body = '', signature = ''] = parts;
    if (parts.length !== 3) return undefined;
    const header = decoded(head);
    const claims = decoded(body);
    if (!header || header.alg !== 'HS256' || !claims || !isClaims(claims)) return undefined;
    if (claims.aud !== this.audience) return undefined;
    const secret = this.keys.keyFor(claims.iss, this.audience)?.find(({ id }) => id === header.kid);
    if (!secret) return undefined;
    const expected = mac(`${head}.${body}`, secret.key);
    const given = Buffer.from(signature, 'base64url');
    return given.length === expected.length && timingSafeEqual(given, expected)
      ? claims
      : undefined;
  }
}

/** Ids that were used, each kept until its assertion cannot be used anyway. Holds a minute of writes. */
class SeenOnce {
  private readonly until = new Map<string, number>();
  private nextSweep = 0;

  /** True once per id. Times in seconds since 1970. */
  first(id: string, until: number, now: number): boolean {
    if (now >= this.nextSweep) this.sweep(now);
    if (this.until.has(id)) return false;
    this.until.set(id, until);
    return true;
  }

  private sweep(now: number): void {
    for (const [id, until] of this.until) if (until < now) this.until.delete(id);
    this.nextSweep = now + LIFE_SECONDS;
  }
}

function callerOf(claims: Claims): AssertedCaller {
  return assertedCaller({
    issuer: claims.iss,
    requestId: claims.rid,
    permissions: claims.prm,
    ...(claims.tnt === undefined ? {} : { tenantId: claims.tnt }),
    ...(claims.sub === undefined ? {} : { actorId: claims.sub }),
    ...(claims.usr === undefined ? {} : { username: claims.usr }),
    ...(claims.pub === undefined ? {} : { publicUrl: claims.pub }),
    ...(claims.fnm === undefined ? {} : { firstName: claims.fnm }),
    ...(claims.lnm === undefined ? {} : { lastName: claims.lnm }),
    ...(claims.dia === undefined ? {} : { dialect: claims.dia }),
    ...(claims.act === undefined ? {} : { jobId: claims.act }),
  });
}

/** The caller whom an assertion makes known; who is in the same process needs no more than this. */
export function assertedCaller({
  tenantId = '',
  actorId = '',
  username = '',
  publicUrl = '',
  permissions = [],
  ...others
}: Omit<Assertion, 'audience' | 'method' | 'target'>): AssertedCaller {
  return { ...others, tenantId, actorId, username, publicUrl, permissions };
}

function isWrite(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

function targetHash(target: string): string {
  return hash('sha256', target, 'base64url');
}

function mac(text: string, key: KeyObject): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Only what the checks rely on before the signature is known; a signed assertion was made by {@link signAssertion}. */
function isClaims(value: object): value is Claims {
  const claims = value as Partial<Record<keyof Claims, unknown>>;
  return (
    (SERVICES as readonly unknown[]).includes(claims.iss) &&
    typeof claims.jti === 'string' &&
    Number.isFinite(claims.iat) &&
    Number.isFinite(claims.exp) &&
    Array.isArray(claims.prm) &&
    (claims.dia === undefined || (DIALECTS as readonly unknown[]).includes(claims.dia))
  );
}
