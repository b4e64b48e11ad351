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
    this.opening ??= openBeside(this.pool, 'leases');
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

/** One connection that stays open, beside a pool and like it. @param purpose shows in the name of the connection */
export function openBeside({ options }: DataSource, purpose: string): Promise<DataSource> {
  if (options.type !== 'postgres') throw new Error('Leases and locks are kept in PostgreSQL.');
  const extra = options.extra as object;
  return new DataSource({
    ...options,
    poolSize: 1,
    // Closed when idle, a connection takes its locks along.
    extra: { ...extra, idleTimeoutMillis: 0 },
    applicationName: `${options.applicationName ?? ''}.${purpose}`,
  }).initialize();
}
