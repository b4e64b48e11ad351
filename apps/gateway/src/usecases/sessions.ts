import { Inject, Injectable } from '@nestjs/common';
import type { ServiceKeys, TokenKeys } from '@quire/auth/keys';
import type { Clock, Ids } from '@quire/contracts/clock';
import type { Scope } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { CLOCK, IDS, KEYS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { AuditStore } from '../db/audit.js';
import { SessionStore, type PairParts, type RefreshRow } from '../db/sessions.js';
import type { UserRow } from '../db/users.js';
import { failures } from '../domain/failures.js';
import { verifyToken, type TokenClaims } from '../domain/tokens.js';
import { Identities } from './identities.js';
import {
  ACCESS_SECONDS,
  newParts,
  signPair,
  tokenHash,
  type PairOwner,
  type TokenPair,
} from './token-pairs.js';

/**
 * The life of a session: opened by a login, kept by refreshes, ended by a logout (conventions, 5.3).
 *
 * A refresh token is good once. A second use within {@link GRACE_MS} is taken for two parallel refreshes of one client and
 * gets the same new pair; a later one for theft, and ends the session.
 */
const GRACE_MS = 10_000;

@Injectable()
export class Sessions {
  private readonly tokenKeys: TokenKeys;

  constructor(
    private readonly source: DataSource,
    private readonly store: SessionStore,
    private readonly audit: AuditStore,
    private readonly identities: Identities,
    @Inject(KEYS) keys: ServiceKeys,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {
    if (!keys.tokens) throw new Error('The gateway was started without keys for tokens.');
    this.tokenKeys = keys.tokens;
  }

  /** In the transaction of a login that succeeded. Removes some sessions that ended by themselves. */
  async open(tx: TenantTx, user: UserRow, accessSeconds: number): Promise<TokenPair> {
    const now = this.clock.now();
    const sessionId = this.ids.next();
    const owner = { tenantId: tx.tenantId, userId: user.id, username: user.username, sessionId };
    const parts = newParts(now, accessSeconds, this.tokenKeys, this.ids);
    const pair = await signPair(owner, parts, this.tokenKeys);
    await this.store.removeExpired(tx, now);
    await this.store.insert(tx, {
      id: sessionId,
      userId: user.id,
      createdAt: now,
      expiresAt: endOf(parts),
    });
    await this.store.keepRefreshToken(tx, tokenHash(pair.refresh.token), sessionId);
    return pair;
  }

  /** Who a refresh token claims to speak for; undefined when it is no good refresh token of ours. */
  readRefreshToken(token: string): Promise<TokenClaims | undefined> {
    return verifyToken(token, 'refresh', this.tokenKeys, this.clock.now());
  }

  /** @throws Failure 422 when the token is unknown, used before, or of an ended session */
  async refresh(token: string, claims: TokenClaims): Promise<TokenPair> {
    const hash = tokenHash(token);
    const pair = await withTenant(this.source, scopeOf(claims), async (tx) => {
      const row = await this.store.lockRefreshToken(tx, hash);
      if (!row || row.ended || !row.active) return undefined;
      return row.usedAt ? this.again(tx, row, claims) : this.replace(tx, hash, claims);
    });
    if (!pair) throw failures.refreshRefused();
    return pair;
  }

  /**
   * Ends the session of an access token or, without one, of a refresh token.
   *
   * @throws Failure 422 when neither names a session that is open
   */
  async end(claims: TokenClaims): Promise<void> {
    const ended = await withTenant(this.source, scopeOf(claims), async (tx) => {
      const found = await this.store.end(tx, claims.sessionId, this.clock.now());
      if (found) await this.audit.add(tx, 'logout', claims.userId);
      return found;
    });
    this.identities.forget(claims.tenantId, claims.sessionId);
    if (!ended) throw failures.logoutRefused();
  }

  private async replace(tx: TenantTx, hash: Buffer, claims: TokenClaims): Promise<TokenPair> {
    const now = this.clock.now();
    const parts = newParts(now, ACCESS_SECONDS, this.tokenKeys, this.ids);
    const pair = await signPair(ownerOf(claims), parts, this.tokenKeys);
    await this.store.keepRefreshToken(tx, tokenHash(pair.refresh.token), claims.sessionId);
    await this.store.useRefreshToken(tx, hash, now, parts);
    await this.store.prolong(tx, claims.sessionId, endOf(parts));
    return pair;
  }

  private async again(
    tx: TenantTx,
    row: RefreshRow,
    claims: TokenClaims,
  ): Promise<TokenPair | undefined> {
    const now = this.clock.now();
    const { usedAt, successor } = row;
    const recent = usedAt && now.getTime() - usedAt.getTime() <= GRACE_MS;
    // After a change of keys the same tokens cannot be made again; the client logs in.
    if (recent && successor?.keyId === this.tokenKeys.signing.id) {
      return signPair(ownerOf(claims), successor, this.tokenKeys);
    }
    await this.store.end(tx, row.sessionId, now);
    await this.audit.add(tx, 'refresh-reused', claims.userId);
    this.identities.forget(claims.tenantId, row.sessionId);
    return undefined;
  }
}

function scopeOf({ tenantId, userId }: TokenClaims): Scope {
  return { tenantId, actorId: userId };
}

function ownerOf({ tenantId, userId, username, sessionId }: TokenClaims): PairOwner {
  return { tenantId, userId, username, sessionId };
}

function endOf(parts: PairParts): Date {
  return new Date(Math.max(parts.accessExpiresAt, parts.refreshExpiresAt) * 1000);
}
