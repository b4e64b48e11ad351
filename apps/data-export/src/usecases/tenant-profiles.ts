import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import type { TenantSeed } from '@quire/service/tenants';
import { Stores } from '../db/stores.js';

/** Every tenant has the built-in profiles; missing ones are restored when it is enabled again. */
@Injectable()
export class TenantProfiles implements TenantSeed {
  constructor(private readonly stores: Stores) {}

  async seed(tx: TenantTx): Promise<void> {
    await this.stores.mappingProfiles.restoreBuiltIn(tx);
    await this.stores.jobProfiles.restoreBuiltIn(tx);
  }
}
