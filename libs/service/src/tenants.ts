import {
  Body,
  Controller,
  HttpCode,
  Injectable,
  Put,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { UnknownElementException } from '@nestjs/core/errors/exceptions/unknown-element.exception.js';
import { InternalRoute, ScopeOf } from '@quire/auth/permissions';
import { EnableTenant } from '@quire/contracts/gateway';
import { internalRoutes } from '@quire/contracts/routes';
import { SYSTEM_USER_ID, type Scope, type ServiceName } from '@quire/contracts/scope';
import { Turns } from '@quire/jobs/turns';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';

/** Provided by a service that has rows for every tenant: its built-in profiles, reference data, samples. */
export const TENANT_SEED = Symbol('tenant seed');

export interface SeedRequest {
  readonly loadReference: boolean;
  readonly loadSample: boolean;
}

export interface TenantSeed {
  /** Writes what every tenant has, and the data asked for. Runs again at every start: it must change nothing then. */
  seed(tx: TenantTx, request: SeedRequest): Promise<void>;
}

/** The tenants of one service, as the gateway has told it (conventions, section 18). */
@Injectable()
export class Tenants implements OnApplicationShutdown {
  private readonly turns: Turns;

  constructor(
    private readonly source: DataSource,
    private readonly modules: ModuleRef,
  ) {
    this.turns = new Turns(source);
  }

  /** When nothing scheduled runs any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.turns[Symbol.asyncDispose]();
  }

  /** Makes the tenant known and enabled, with its built-in data, in one transaction. Repeatable. */
  async enable(scope: Scope, request: SeedRequest): Promise<void> {
    // eslint-disable-next-line no-restricted-syntax -- a use case that every service has
    await withTenant(this.source, scope, async (tx) => {
      await tx.execute(
        'insert into tenant (tenant_id) values ($1) on conflict (tenant_id) do update set enabled = true',
        [scope.tenantId],
      );
      await this.seeds()?.seed(tx, request);
    });
  }

  async disable(scope: Scope): Promise<void> {
    // eslint-disable-next-line no-restricted-syntax -- a use case that every service has
    await withTenant(this.source, scope, async (tx) => {
      await tx.execute('update tenant set enabled = false where tenant_id = $1', [scope.tenantId]);
    });
  }

  /** The seed belongs to the service's own module, which this one does not import. */
  private seeds(): TenantSeed | undefined {
    try {
      return this.modules.get<TenantSeed>(TENANT_SEED, { strict: false });
    } catch (error) {
      if (error instanceof UnknownElementException) return undefined;
      throw error;
    }
  }

  /** Ids of the enabled ones. */
  async list(): Promise<readonly string[]> {
    const rows = await this.source.query<{ tenant_id: string }[]>(
      'select tenant_id from tenant where enabled order by tenant_id',
    );
    return rows.map((row) => row.tenant_id);
  }

  /** As {@link each}, by one replica of the service at a time: does nothing while another is at it. @param name of the work */
  async eachAlone(name: string, work: (scope: Scope) => Promise<void>): Promise<void> {
    await this.turns.take(name, () => this.each(work));
  }

  /**
   * Scheduled work: enters each enabled tenant by itself, one after the other, in nobody's name.
   *
   * @throws when it was everybody's turn: what failed, by tenant. The work of one holds up no other's
   */
  async each(work: (scope: Scope) => Promise<void>): Promise<void> {
    const failed = new Map<string, unknown>();
    for (const tenantId of await this.list()) {
      try {
        await work({ tenantId, actorId: SYSTEM_USER_ID });
      } catch (error) {
        failed.set(tenantId, error);
      }
    }
    if (failed.size > 0)
      throw new AggregateError(failed.values(), `failed for ${[...failed.keys()].join(', ')}`);
  }
}

/** `PUT` and `DELETE /internal/tenant`, the same in every service. */
export function tenantController(service: ServiceName): Type {
  const entries = internalRoutes(service);

  @Controller('internal/tenant')
  class TenantController {
    constructor(private readonly tenants: Tenants) {}

    @Put()
    @HttpCode(204)
    @InternalRoute(entries.enableTenant)
    async enable(@ScopeOf() scope: Scope, @Body() request: EnableTenant): Promise<void> {
      const { loadReference = false, loadSample = false } = request;
      await this.tenants.enable(scope, { loadReference, loadSample });
    }
  }
  return TenantController;
}
