import type { DataSource } from 'typeorm';
import { UnknownTenant, UnreadableEvent } from './event-bus.js';

/**
 * Whose events a service takes: those of the enabled tenants in its own `tenant` table. A yes is remembered for a while,
 * so that a burst of events asks once; a no is not, because the gateway may be telling us of the tenant right now.
 */
const REMEMBERED_MS = 5000;

export class KnownTenants {
  /** Of each enabled tenant: until when the answer holds. */
  private readonly enabledUntil = new Map<string, number>();

  /** @param nowMs of a clock that is never set back */
  constructor(
    private readonly source: DataSource,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /**
   * @throws UnknownTenant to be tried again for a while
   * @throws UnreadableEvent TENANT_DISABLED
   */
  async check(tenantId: string): Promise<void> {
    if ((this.enabledUntil.get(tenantId) ?? -Infinity) > this.nowMs()) return;
    const [tenant] = await this.source.query<{ enabled: boolean }[]>(
      'select enabled from tenant where tenant_id = $1',
      [tenantId],
    );
    if (tenant?.enabled === true) {
      this.enabledUntil.set(tenantId, this.nowMs() + REMEMBERED_MS);
      return;
    }
    this.enabledUntil.delete(tenantId);
    if (!tenant) throw new UnknownTenant(tenantId);
    throw new UnreadableEvent('TENANT_DISABLED', `The tenant ${tenantId} is disabled.`);
  }
}
