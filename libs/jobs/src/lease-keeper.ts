import type { Scope } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';

/**
 * One connection of its own for heartbeats: whoever waits for a connection of a full pool loses the lease of work that goes
 * on all the while (reliability, section 10). It has the role, the limits and the address of the service's pool and is
 * opened by the first heartbeat.
 */
export class LeaseKeeper implements AsyncDisposable {
  private opening: Promise<DataSource> | undefined;

  constructor(private readonly pool: DataSource) {}

  /** A short transaction of the tenant, beside the pool. */
  async renew<T>(scope: Scope, work: (tx: TenantTx) => Promise<T>): Promise<T> {
    this.opening ??= openBeside(this.pool);
    const { opening } = this;
    try {
      return await withTenant(await opening, scope, work);
    } catch (error) {
      // What could not be opened is opened again by the next heartbeat; an open pool replaces a broken connection itself.
      opening.catch(() => {
        if (this.opening === opening) this.opening = undefined;
      });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.opening?.catch(() => undefined);
    this.opening = undefined;
    await opened?.destroy();
  }
}

function openBeside({ options }: DataSource): Promise<DataSource> {
  if (options.type !== 'postgres') throw new Error('Leases are kept in PostgreSQL.');
  return new DataSource({
    ...options,
    poolSize: 1,
    applicationName: `${options.applicationName ?? ''}.leases`,
  }).initialize();
}
