import { Inject, Injectable } from '@nestjs/common';
import { permissionMissing } from '@quire/auth/permissions';
import type { Clock, Ids } from '@quire/contracts/clock';
import { unavailable } from '@quire/contracts/failure';
import type { CreateTenant, TenantDescriptor } from '@quire/contracts/gateway';
import { SYSTEM_USER_ID, TENANT_PATTERN, type Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { CLOCK, IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { AuditStore } from '../db/audit.js';
import { TenantStore, type TenantRow } from '../db/tenants.js';
import { UserStore, type PersonalData } from '../db/users.js';
import { failures } from '../domain/failures.js';
import { Announcements } from './announcements.js';
import { hashPassword } from './passwords.js';

/** Owns the administration endpoints and holds no library data. */
export const SUPERTENANT = 'supertenant';

export interface FirstUser {
  readonly username: string;
  readonly password: string;
  readonly personal?: PersonalData | undefined;
  /** Permissions or sets. */
  readonly permissions: readonly string[];
}

export interface FirstStart {
  /** Tenant of the library; made when it does not exist. */
  readonly tenant: string;
  readonly username: string;
  readonly password: string;
  /** Load the reference and sample data of every service when the tenant is made. */
  readonly loadSample: boolean;
}

@Injectable()
export class TenantsOfQuire {
  constructor(
    private readonly source: DataSource,
    private readonly store: TenantStore,
    private readonly users: UserStore,
    private readonly audit: AuditStore,
    private readonly announcements: Announcements,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /**
   * Makes a tenant and its first user in one transaction, then tells every service. When one is away the answer is 503, and
   * the same request may be repeated.
   *
   * @throws Failure 403 for a caller of another tenant than `supertenant`, 400 for a bad or taken id
   */
  async create(caller: Caller, request: CreateTenant): Promise<TenantDescriptor> {
    if (caller.tenantId !== SUPERTENANT)
      throw permissionMissing(caller, 'okapi.proxy.tenants.post');
    const {
      id = `t${this.ids.next().replaceAll('-', '').slice(0, 30)}`,
      name,
      description,
      admin,
    } = request;
    if (!TENANT_PATTERN.test(id)) throw failures.tenantMalformed(id);
    const first = admin && { ...admin, permissions: ['quire.all'] };
    const descriptor = {
      id,
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
    };
    const made = await this.make({ ...descriptor, announced: false }, first, caller.actorId);
    if (!made) throw failures.tenantExists(id);
    await this.announce(id, { loadReference: false, loadSample: false });
    return descriptor;
  }

  /**
   * What a start makes when it is not there: `supertenant` and the library's tenant, each with a first user. Tells the
   * services of every tenant again, because one of them may be new.
   */
  async bootstrap({ tenant, username, password, loadSample }: FirstStart): Promise<void> {
    const user = { username, password };
    const supertenant = { id: SUPERTENANT, name: SUPERTENANT, announced: true };
    await this.make(supertenant, { ...user, permissions: ['okapi.all'] }, SYSTEM_USER_ID);
    const library = { id: tenant, name: tenant, announced: false };
    const fresh = await this.make(library, { ...user, permissions: ['quire.all'] }, SYSTEM_USER_ID);
    await this.announceAll(loadSample && fresh ? tenant : undefined);
  }

  /** @param sampled a tenant that gets reference and sample data @throws Failure 503 when a service is away */
  async announceAll(sampled?: string): Promise<void> {
    for (const id of await this.store.enabledIds()) {
      const load = id === sampled;
      if (id !== SUPERTENANT) await this.announce(id, { loadReference: load, loadSample: load });
    }
  }

  /**
   * False when the tenant exists and every service knows it: nothing is written then. One whose announcement failed is
   * announced again.
   */
  private async make(
    tenant: TenantRow,
    user: FirstUser | undefined,
    actorId: string,
  ): Promise<boolean> {
    const passwordHash = user && (await hashPassword(user.password));
    return withTenant(this.source, { tenantId: tenant.id, actorId }, async (tx) => {
      const inserted = await this.store.insert(tx, tenant);
      const known = inserted ? undefined : await this.store.find(tx, tenant.id);
      if (known?.announced) return false;
      if (inserted) await this.audit.add(tx, 'tenant-created', tenant.id);
      if (user && passwordHash) await this.addFirstUser(tx, user, passwordHash);
      return true;
    });
  }

  private async addFirstUser(tx: TenantTx, user: FirstUser, passwordHash: string): Promise<void> {
    if (await this.users.byUsername(tx, user.username)) return;
    const { username, personal = {}, permissions } = user;
    const id = this.ids.next();
    const row = {
      id,
      username,
      personal,
      permissions,
      passwordHash,
      active: true,
      permissionUserId: this.ids.next(),
    };
    await this.users.insert(tx, row, this.clock.now());
    await this.audit.add(tx, 'user-created', id);
  }

  private async announce(
    id: string,
    request: { loadReference: boolean; loadSample: boolean },
  ): Promise<void> {
    const scope = { tenantId: id, actorId: SYSTEM_USER_ID };
    try {
      await this.announcements.tell(scope, request);
    } catch (cause) {
      throw unavailable(5, { cause });
    }
    await withTenant(this.source, scope, (tx) => this.store.markAnnounced(tx, id));
  }
}
