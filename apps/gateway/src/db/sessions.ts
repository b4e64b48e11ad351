import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import type { PersonalData } from './users.js';

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  /** End of its longest token. */
  readonly expiresAt: Date;
}

/** Who a session acts as, and whether it still may. */
export interface SessionRow {
  readonly userId: string;
  readonly username: string;
  readonly personal: PersonalData;
  readonly active: boolean;
  readonly ended: boolean;
  /** As granted; sets not yet expanded. */
  readonly permissions: readonly string[];
}

/** Of a pair of tokens, what a signature is made over: enough to make both again. */
export interface PairParts {
  readonly keyId: string;
  readonly issuedAt: number;
  readonly accessId: string;
  readonly accessExpiresAt: number;
  readonly refreshId: string;
  readonly refreshExpiresAt: number;
}

export interface RefreshRow {
  readonly sessionId: string;
  readonly usedAt: Date | null;
  readonly successor: PairParts | null;
  readonly ended: boolean;
  readonly active: boolean;
}

/** Most sessions removed beside one login: old ones go without a job of their own. */
const EXPIRED_AT_ONCE = 100;

@Injectable()
export class SessionStore {
  async insert(tx: TenantTx, { id, userId, createdAt, expiresAt }: NewSession): Promise<void> {
    await tx.execute(
      'insert into session (tenant_id, id, user_id, created_at, expires_at) values ($1, $2, $3, $4, $5)',
      [tx.tenantId, id, userId, createdAt, expiresAt],
    );
  }

  find(tx: TenantRead, id: string): Promise<SessionRow | undefined> {
    return tx.one<SessionRow>(
      `select u.id as "userId", u.username, u.personal, u.active, s.ended_at is not null as ended,
         coalesce(p.permissions, '{}') as permissions
       from session s
       join app_user u on (u.tenant_id, u.id) = (s.tenant_id, s.user_id)
       left join permission_user p on (p.tenant_id, p.user_id) = (u.tenant_id, u.id)
       where s.tenant_id = $1 and s.id = $2`,
      [tx.tenantId, id],
    );
  }

  /** False when there is none that is open. */
  async end(tx: TenantTx, id: string, now: Date): Promise<boolean> {
    const rows = await tx.execute(
      'update session set ended_at = $3 where tenant_id = $1 and id = $2 and ended_at is null',
      [tx.tenantId, id, now],
    );
    return rows > 0;
  }

  async prolong(tx: TenantTx, id: string, expiresAt: Date): Promise<void> {
    await tx.execute(
      'update session set expires_at = greatest(expires_at, $3) where tenant_id = $1 and id = $2',
      [tx.tenantId, id, expiresAt],
    );
  }

  /** Uses the index `session_expired`; refresh tokens go along. */
  async removeExpired(tx: TenantTx, now: Date): Promise<void> {
    await tx.execute(
      `delete from session where tenant_id = $1 and id in (
         select id from session where tenant_id = $1 and expires_at < $2
         order by expires_at limit ${EXPIRED_AT_ONCE} for update skip locked)`,
      [tx.tenantId, now],
    );
  }

  async keepRefreshToken(tx: TenantTx, sha256: Buffer, sessionId: string): Promise<void> {
    await tx.execute(
      'insert into refresh_token (tenant_id, sha256, session_id) values ($1, $2, $3)',
      [tx.tenantId, sha256, sessionId],
    );
  }

  /** Locks the token: of two refreshes at once the second sees what the first did. */
  lockRefreshToken(tx: TenantTx, sha256: Buffer): Promise<RefreshRow | undefined> {
    return tx.one<RefreshRow>(
      `select t.session_id as "sessionId", t.used_at as "usedAt", t.successor,
         s.ended_at is not null as ended, u.active
       from refresh_token t
       join session s on (s.tenant_id, s.id) = (t.tenant_id, t.session_id)
       join app_user u on (u.tenant_id, u.id) = (s.tenant_id, s.user_id)
       where t.tenant_id = $1 and t.sha256 = $2
       for update of t`,
      [tx.tenantId, sha256],
    );
  }

  async useRefreshToken(
    tx: TenantTx,
    sha256: Buffer,
    now: Date,
    successor: PairParts,
  ): Promise<void> {
    await tx.execute(
      'update refresh_token set used_at = $3, successor = $4 where tenant_id = $1 and sha256 = $2',
      [tx.tenantId, sha256, now, successor],
    );
  }
}
