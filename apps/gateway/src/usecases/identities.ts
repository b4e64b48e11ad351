import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { ServiceKeys } from '@quire/auth/keys';
import type { Clock } from '@quire/contracts/clock';
import { expandPermissions } from '@quire/contracts/permissions';
import type { Scope } from '@quire/contracts/scope';
import { readOnce } from '@quire/postgres/tenant';
import { CLOCK, KEYS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { SessionStore } from '../db/sessions.js';
import { TenantStore } from '../db/tenants.js';
import { failures } from '../domain/failures.js';
import { verifyToken, type TokenClaims } from '../domain/tokens.js';

/**
 * Who a token speaks for. Two caches keep the database off the path of most requests: the signature of a token is checked
 * once, and session, user and permissions are looked up again after {@link FRESH_MS}. A logout here is seen at once, one at
 * another gateway process within that time (conventions promise 60 s).
 */
export interface Identity extends Scope {
  readonly username: string;
  readonly firstName?: string;
  readonly lastName?: string;
  /** Single permissions; sets are expanded. */
  readonly permissions: ReadonlySet<string>;
}

const FRESH_MS = 30_000;
const CACHE_MAX = 10_000;

interface Known {
  /** Undefined: the session is over. */
  readonly identity: Identity | undefined;
  readonly active: boolean;
  readonly userId: string;
  readonly until: number;
}

@Injectable()
export class Identities {
  private readonly tokens = new Map<string, TokenClaims>();
  private readonly sessions = new Map<string, Known>();
  private readonly tenants = new Map<string, number>();

  constructor(
    private readonly source: DataSource,
    private readonly store: SessionStore,
    private readonly tenantStore: TenantStore,
    @Inject(KEYS) private readonly keys: ServiceKeys,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The claims of an access token whose signature and times are right. @throws Failure 401 */
  async claimsOf(token: string): Promise<TokenClaims> {
    const now = this.clock.now();
    const key = hash('sha256', token, 'base64url');
    const known = this.tokens.get(key);
    if (known && known.expiresAt * 1000 > now.getTime()) return known;
    const { tokens } = this.keys;
    const claims = tokens && (await verifyToken(token, 'access', tokens, now));
    if (!claims) throw failures.invalidToken();
    remember(this.tokens, key, claims);
    return claims;
  }

  /** @param refresh look again, whatever is remembered @throws Failure 401 for an ended session or an inactive user */
  async identityOf(claims: TokenClaims, refresh = false): Promise<Identity> {
    const now = this.clock.now().getTime();
    const key = `${claims.tenantId} ${claims.sessionId}`;
    let known = this.sessions.get(key);
    if (refresh || !known || known.until <= now) {
      known = await this.look(claims, now + FRESH_MS);
      remember(this.sessions, key, known);
    }
    if (!known.identity) throw failures.invalidToken();
    if (!known.active) throw failures.inactiveUser(known.userId);
    return known.identity;
  }

  /** Is there such a tenant, enabled? A yes is remembered, a no is not: a tenant may be made at any moment. */
  async tenantExists(id: string): Promise<boolean> {
    const now = this.clock.now().getTime();
    if ((this.tenants.get(id) ?? 0) > now) return true;
    const exists = await this.tenantStore.exists(id);
    if (exists) remember(this.tenants, id, now + FRESH_MS);
    return exists;
  }

  /** After a logout or a change of the user's rights. */
  forget(tenantId: string, sessionId: string): void {
    this.sessions.delete(`${tenantId} ${sessionId}`);
  }

  private async look({ tenantId, sessionId, userId }: TokenClaims, until: number): Promise<Known> {
    const scope = { tenantId, actorId: userId };
    const row = await readOnce(this.source, scope, (tx) => this.store.find(tx, sessionId));
    if (!row || row.ended || row.userId !== userId) {
      return { identity: undefined, active: true, userId, until };
    }
    const { username, personal, permissions, active } = row;
    const { firstName, lastName } = personal;
    const identity = {
      ...scope,
      username,
      ...(firstName === undefined ? {} : { firstName }),
      ...(lastName === undefined ? {} : { lastName }),
      permissions: expandPermissions(permissions),
    };
    return { identity, active, userId, until };
  }
}

/** Keeps a map bounded: what came first goes first. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= CACHE_MAX) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
