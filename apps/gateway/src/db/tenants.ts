import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';

export interface TenantRow {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  /** Every service has been told of it. */
  readonly announced: boolean;
}

/**
 * Tenants of the installation. The table is outside row-level security: it is read before there is a tenant to act for.
 */
@Injectable()
export class TenantStore {
  constructor(private readonly source: DataSource) {}

  /** Enabled and known. */
  async exists(id: string): Promise<boolean> {
    const rows = await this.source.query<object[]>(
      'select from tenant where tenant_id = $1 and enabled',
      [id],
    );
    return rows.length > 0;
  }

  async enabledIds(): Promise<readonly string[]> {
    const rows = await this.source.query<{ tenant_id: string }[]>(
      'select tenant_id from tenant where enabled order by tenant_id',
    );
    return rows.map((row) => row.tenant_id);
  }

  async find(tx: TenantRead, id: string): Promise<TenantRow | undefined> {
    return tx.one<TenantRow & Record<string, unknown>>(
      'select tenant_id as id, name, description, announced from tenant where tenant_id = $1',
      [id],
    );
  }

  /** Waits for a creation of the same tenant that runs at the moment. False: it exists. */
  async insert(tx: TenantTx, { id, name, description, announced }: TenantRow): Promise<boolean> {
    const rows = await tx.execute(
      `insert into tenant (tenant_id, name, description, announced) values ($1, $2, $3, $4)
       on conflict (tenant_id) do nothing`,
      [id, name ?? null, description ?? null, announced],
    );
    return rows === 1;
  }

  async markAnnounced(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('update tenant set announced = true where tenant_id = $1', [id]);
  }
}
