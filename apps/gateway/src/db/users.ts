import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

export interface PersonalData {
  readonly lastName?: string;
  readonly firstName?: string;
  readonly email?: string;
}

export interface UserRow {
  readonly id: string;
  readonly username: string;
  readonly active: boolean;
  readonly personal: PersonalData;
}

/** What a login has to know. */
export interface LoginRow extends UserRow {
  readonly passwordHash: string | null;
  readonly blockedUntil: Date | null;
}

export interface NewUser extends UserRow {
  readonly passwordHash: string;
  /** Permissions or sets, as granted. */
  readonly permissions: readonly string[];
  readonly permissionUserId: string;
}

const COLUMNS = 'u.id, u.username, u.active, u.personal';

@Injectable()
export class UserStore {
  /** By id or by name, whichever is given; names in any case. */
  forLogin(
    tx: TenantRead,
    {
      userId,
      username,
    }: { readonly userId?: string | undefined; readonly username?: string | undefined },
  ): Promise<LoginRow | undefined> {
    const condition = userId === undefined ? 'lower(u.username) = lower($2)' : 'u.id = $2';
    return tx.one<LoginRow>(
      `select ${COLUMNS}, c.password_hash as "passwordHash", f.blocked_until as "blockedUntil"
       from app_user u
       left join credential c on (c.tenant_id, c.user_id) = (u.tenant_id, u.id)
       left join login_failure f on (f.tenant_id, f.user_id) = (u.tenant_id, u.id)
       where u.tenant_id = $1 and ${condition}`,
      [tx.tenantId, userId ?? username],
    );
  }

  byUsername(tx: TenantRead, username: string): Promise<UserRow | undefined> {
    return tx.one<UserRow>(
      `select ${COLUMNS} from app_user u where u.tenant_id = $1 and lower(u.username) = lower($2)`,
      [tx.tenantId, username],
    );
  }

  byId(tx: TenantRead, id: string): Promise<UserRow | undefined> {
    return tx.one<UserRow>(
      `select ${COLUMNS} from app_user u where u.tenant_id = $1 and u.id = $2`,
      [tx.tenantId, id],
    );
  }

  /** User, password and permissions. The caller has made sure that nobody has the name. */
  async insert(tx: TenantTx, user: NewUser, now: Date): Promise<void> {
    const { id, username, active, personal, passwordHash, permissions, permissionUserId } = user;
    await tx.execute(
      `insert into app_user (tenant_id, id, username, active, personal, created_date, created_by, updated_date, updated_by)
       values ($1, $2, $3, $4, $5, $6, $7, $6, $7)`,
      [tx.tenantId, id, username, active, personal, now, tx.scope.actorId],
    );
    await tx.execute(
      'insert into credential (tenant_id, user_id, password_hash, changed_at) values ($1, $2, $3, $4)',
      [tx.tenantId, id, passwordHash, now],
    );
    await tx.execute(
      'insert into permission_user (tenant_id, user_id, id, permissions) values ($1, $2, $3, $4)',
      [tx.tenantId, id, permissionUserId, permissions],
    );
  }

  /** Counts a wrong password. The fifth within the window blocks the account. */
  async countFailure(tx: TenantTx, userId: string, now: Date, rules: LockRules): Promise<void> {
    await tx.execute(
      `insert into login_failure as f (tenant_id, user_id, since, failures) values ($1, $2, $3, 1)
       on conflict (tenant_id, user_id) do update set
         since = case when f.since < $4 then $3 else f.since end,
         failures = case when f.since < $4 then 1 else f.failures + 1 end,
         blocked_until = case when f.since >= $4 and f.failures + 1 >= $5 then $6::timestamptz end`,
      [
        tx.tenantId,
        userId,
        now,
        new Date(now.getTime() - rules.windowMs),
        rules.failuresMax,
        new Date(now.getTime() + rules.blockMs),
      ],
    );
  }

  /** False when the account is blocked at this moment, also by attempts that ran beside this one. */
  async clearFailures(tx: TenantTx, userId: string, now: Date): Promise<boolean> {
    await tx.execute(
      `delete from login_failure where tenant_id = $1 and user_id = $2
         and (blocked_until is null or blocked_until <= $3)`,
      [tx.tenantId, userId, now],
    );
    const left = await tx.one('select from login_failure where tenant_id = $1 and user_id = $2', [
      tx.tenantId,
      userId,
    ]);
    return left === undefined;
  }
}

export interface LockRules {
  readonly failuresMax: number;
  readonly windowMs: number;
  readonly blockMs: number;
}
