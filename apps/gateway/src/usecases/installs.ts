import { Injectable } from '@nestjs/common';
import { permissionMissing } from '@quire/auth/permissions';
import { refused, unavailable } from '@quire/contracts/failure';
import type { ModuleId, ModuleInstall } from '@quire/contracts/gateway';
import { SYSTEM_USER_ID, type Caller, type ServiceName } from '@quire/contracts/scope';
import { UnexpectedAnswer } from '@quire/service/service-client';
import { TenantStore } from '../db/tenants.js';
import { failures } from '../domain/failures.js';
import type { InstallOptions } from '../domain/install-options.js';
import { MODULES, serviceOf } from '../domain/modules.js';
import { Announcements } from './announcements.js';
import { SUPERTENANT } from './tenants.js';

/**
 * What Okapi calls an install: modules are enabled for a tenant, with data if it is asked for. Every tenant has all services
 * from the beginning, so here an install tells the services that it names of the tenant once more, which writes what they
 * do not have yet and changes nothing that is there.
 */
@Injectable()
export class Installs {
  constructor(
    private readonly tenants: TenantStore,
    private readonly announcements: Announcements,
  ) {}

  /**
   * Modules that are not ours do nothing.
   *
   * @throws Failure 403 for a caller of another tenant than `supertenant`; 404 of an unknown tenant; 400 of `supertenant`, of a
   *   module of ours that is to be disabled, and when a service cannot write its data beside what is there; 503 when one is away
   */
  async install(
    caller: Caller,
    tenantId: string,
    modules: readonly ModuleInstall[],
    { loadReference, loadSample, simulate }: InstallOptions,
  ): Promise<void> {
    if (caller.tenantId !== SUPERTENANT)
      throw permissionMissing(caller, 'okapi.proxy.tenants.install.post');
    await this.mustExist(tenantId);
    if (tenantId === SUPERTENANT) throw failures.noLibrary(tenantId);
    const services = new Set<ServiceName>();
    for (const { id, action } of modules) {
      const service = serviceOf(id);
      if (service === undefined) continue;
      if (action === 'disable') throw failures.moduleStays(id);
      services.add(service);
    }
    if (!simulate) await this.tell(tenantId, [...services], { loadReference, loadSample });
  }

  /** @throws Failure 403 for one of another tenant without the permission, 404 of an unknown tenant */
  async modules(caller: Caller, tenantId: string): Promise<readonly ModuleId[]> {
    const permission = 'okapi.proxy.tenants.modules.list';
    const mayAll = caller.tenantId === SUPERTENANT && caller.permissions.includes(permission);
    if (caller.tenantId !== tenantId && !mayAll) throw permissionMissing(caller, permission);
    await this.mustExist(tenantId);
    return tenantId === SUPERTENANT ? [] : MODULES;
  }

  private async mustExist(tenantId: string): Promise<void> {
    if (!(await this.tenants.exists(tenantId))) throw failures.tenantNotFound(tenantId);
  }

  private async tell(
    tenantId: string,
    services: readonly ServiceName[],
    load: Pick<InstallOptions, 'loadReference' | 'loadSample'>,
  ): Promise<void> {
    const scope = { tenantId, actorId: SYSTEM_USER_ID };
    try {
      await this.announcements.tell(scope, load, services);
    } catch (cause) {
      // What is there stands in the way, and the service says what.
      if (cause instanceof UnexpectedAnswer && cause.status === 400) throw refused(cause.text);
      throw unavailable(5, { cause });
    }
  }
}
