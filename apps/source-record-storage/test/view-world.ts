import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IndexUpkeep } from '../src/usecases/index-upkeep.js';
import { Indexing } from '../src/usecases/indexing.js';
import { TENANT, USER_ID } from './chunk-source.js';
import type { RecordWorld } from './record-world.js';

/** What the migration that made the view left to be done, for a tenant with records. */
const AS_AFTER_MIGRATION = `
  insert into instance_fill (tenant_id) values ($1) on conflict (tenant_id)
    do update set after = null, holdings_after = null`;

/** Set-up of specs of the instance view: what use cases do with it, without a door. */
export class ViewWorld {
  constructor(private readonly world: RecordWorld) {}

  /** As after a change of these records. */
  refresh(...recordIds: readonly string[]): Promise<void> {
    return this.write((tx) => this.get(Indexing).refresh(tx, recordIds));
  }

  /** Makes all rows anew. */
  async rebuild(): Promise<void> {
    await this.write(async (tx) => void (await tx.execute(AS_AFTER_MIGRATION, [tx.tenantId])));
    while (await this.get(IndexUpkeep).fill());
  }

  write(work: (tx: TenantTx) => Promise<void>): Promise<void> {
    const source = this.world.isolated.sources.get('source-record-storage');
    if (!source) throw new Error('The service is not started.');
    // eslint-disable-next-line no-restricted-syntax -- stands in for a use case
    return withTenant(source, { tenantId: TENANT, actorId: USER_ID }, work);
  }

  get<T>(type: new (...args: never[]) => T): T {
    const service = this.world.isolated.services.get('source-record-storage');
    if (!service) throw new Error('The service is not started.');
    return service.app.get<T>(type);
  }
}
