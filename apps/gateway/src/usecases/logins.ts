import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@quire/contracts/clock';
import { tooMany } from '@quire/contracts/failure';
import { isAnyUuid } from '@quire/contracts/ids';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { CLOCK } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { AuditStore } from '../db/audit.js';
import { UserStore, type LoginRow } from '../db/users.js';
import { failures } from '../domain/failures.js';
import { LoginLimits } from './login-limits.js';
import { passwordFits } from './passwords.js';
import { Sessions } from './sessions.js';
import type { TokenPair } from './token-pairs.js';

/** A login (conventions, 5.2): one answer and the same work for every way it can fail. */
export interface LoginRequest {
  readonly username?: string | undefined;
  readonly userId?: string | undefined;
  readonly password: string;
  /** Where the client is, as far as the gateway can tell. */
  readonly address: string;
  readonly accessSeconds: number;
}

/** The fifth wrong password within 15 minutes blocks the account for 15 minutes. */
const LOCK = { failuresMax: 5, windowMs: 900_000, blockMs: 900_000 };

@Injectable()
export class Logins {
  private readonly limits = new LoginLimits();

  constructor(
    private readonly source: DataSource,
    private readonly users: UserStore,
    private readonly audit: AuditStore,
    private readonly sessions: Sessions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws Failure 422 `Wrong username or wrong password or account blocked`, 429 after too many tries */
  async login(tenantId: string, request: LoginRequest): Promise<TokenPair> {
    const { password, address, username, userId, accessSeconds } = request;
    const now = this.clock.now();
    const wait = this.limits.attempt(address, `${tenantId} ${userId ?? username ?? ''}`, now);
    if (wait !== undefined) throw tooMany(wait);
    const user = await this.find(tenantId, request);
    const fits = await passwordFits(password, user?.passwordHash);
    if (!user?.active || isBlocked(user, now) || !fits) {
      await this.fail(tenantId, user, now);
      throw failures.wrongLogin();
    }
    const scope = { tenantId, actorId: user.id };
    const pair = await withTenant(this.source, scope, async (tx) => {
      // Attempts that ran beside this one may have blocked the account since it was read.
      if (!(await this.users.clearFailures(tx, user.id, now))) return undefined;
      await this.audit.add(tx, 'login', user.id, { address });
      return this.sessions.open(tx, user, accessSeconds);
    });
    if (!pair) throw failures.wrongLogin();
    return pair;
  }

  private async find(
    tenantId: string,
    { userId, username }: LoginRequest,
  ): Promise<LoginRow | undefined> {
    if (userId !== undefined && !isAnyUuid(userId)) return undefined;
    const scope = { tenantId, actorId: SYSTEM_USER_ID };
    return readTenant(this.source, scope, (tx) => this.users.forLogin(tx, { userId, username }));
  }

  /** A blocked account is not blocked any longer by those who keep trying. */
  private async fail(tenantId: string, user: LoginRow | undefined, now: Date): Promise<void> {
    const scope = { tenantId, actorId: user?.id ?? SYSTEM_USER_ID };
    await withTenant(this.source, scope, async (tx) => {
      if (user && !isBlocked(user, now)) await this.users.countFailure(tx, user.id, now, LOCK);
      await this.audit.add(tx, 'login-failed', user?.id ?? 'unknown');
    });
  }
}

function isBlocked({ blockedUntil }: LoginRow, now: Date): boolean {
  return blockedUntil !== null && blockedUntil > now;
}
