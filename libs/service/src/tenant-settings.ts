import { Body, Controller, Get, HttpCode, Inject, Param, Put, type Type } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { invalid, notFound, violation } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';
import type { Caller, Scope } from '@quire/contracts/scope';
import {
  ChangeTenantSetting,
  TenantSettingList,
  type SettingDefinitions,
  type SettingValue,
} from '@quire/contracts/tenant-settings';
import { readTenant, withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';

interface SettingRow {
  readonly key: string;
  readonly value: unknown;
}

/**
 * What the tenants have set, in the table `setting` of the service's schema (conventions, section 6). Only what differs from
 * the default is a row. A service derives a class from this one and gives it its definitions.
 */
export abstract class TenantSettings<D extends SettingDefinitions> {
  protected constructor(private readonly definitions: D) {}

  async read<K extends keyof D & string>(tx: TenantRead, key: K): Promise<SettingValue<D[K]>> {
    const row = await tx.one<SettingRow>(
      'select key, value from setting where tenant_id = $1 and key = $2',
      [tx.tenantId, key],
    );
    return this.valueOf(key, row?.value) as SettingValue<D[K]>;
  }

  async list(tx: TenantRead): Promise<TenantSettingList> {
    const rows = await tx.query<SettingRow>('select key, value from setting where tenant_id = $1', [
      tx.tenantId,
    ]);
    const kept = new Map(rows.map((row) => [row.key, row.value]));
    const settings = Object.entries(this.definitions).map(([key, definition]) => ({
      key,
      value: this.valueOf(key, kept.get(key)) ?? undefined,
      default: definition.default ?? undefined,
      description: definition.description,
    }));
    return { settings, totalRecords: settings.length };
  }

  /** @throws Failure 404 for an unknown key, 422 for a bad value */
  async change(tx: TenantTx, key: string, value: unknown): Promise<void> {
    const kept = this.checked(key, value);
    if (kept === null)
      await tx.execute('delete from setting where tenant_id = $1 and key = $2', [tx.tenantId, key]);
    else
      await tx.execute(
        `insert into setting (tenant_id, key, value) values ($1, $2, $3)
         on conflict (tenant_id, key) do update set value = excluded.value`,
        [tx.tenantId, key, JSON.stringify(kept)],
      );
    await tx.execute(
      `insert into audit (tenant_id, action, subject, details) values ($1, 'setting changed', $2, $3)`,
      [tx.tenantId, key, JSON.stringify({ value: kept })],
    );
  }

  private checked(key: string, value: unknown): unknown {
    if (!Object.hasOwn(this.definitions, key)) throw notFound('Not found');
    if (value === null || value === undefined) return null;
    const checked = this.definitions[key]?.check(value);
    if (checked && 'value' in checked) return checked.value;
    throw invalid(violation(checked?.message ?? 'is not valid', 'value', value));
  }

  /** A value that an earlier release took and this one does not know counts for nothing. */
  private valueOf(key: string, kept: unknown): unknown {
    const definition = this.definitions[key];
    const checked = kept === undefined || kept === null ? undefined : definition?.check(kept);
    return checked && 'value' in checked ? checked.value : definition?.default;
  }
}

/**
 * `GET <base>/settings` and `PUT <base>/settings/{key}`.
 *
 * @param of.base path of the service without its leading slash: `data-import`
 */
export function settingsController(of: {
  readonly base: string;
  readonly routes: { readonly read: Route; readonly change: Route };
  readonly settings: Type<TenantSettings<SettingDefinitions>>;
}): Type {
  @Controller(`${of.base}/settings`)
  class SettingsController {
    constructor(
      private readonly source: DataSource,
      @Inject(of.settings) private readonly settings: TenantSettings<SettingDefinitions>,
    ) {}

    @Get()
    @Permissions(of.routes.read)
    @ApiOkResponse({ type: TenantSettingList })
    list(@ScopeOf() scope: Scope): Promise<TenantSettingList> {
      return readTenant(this.source, scope, (tx) => this.settings.list(tx));
    }

    @Put(':key')
    @HttpCode(204)
    @Permissions(of.routes.change)
    async change(
      @CallerOf() caller: Caller,
      @Param('key') key: string,
      @Body() { value }: ChangeTenantSetting,
    ): Promise<void> {
      // eslint-disable-next-line no-restricted-syntax -- a use case that every service has
      await withTenant(this.source, caller, (tx) => this.settings.change(tx, key, value));
    }
  }
  return SettingsController;
}
