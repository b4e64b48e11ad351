import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';
import type { SeedRequest, TenantSeed } from '@quire/service/tenants';
import { Entities } from '../db/entities.js';
import { sampleData, sampleFundTypes } from '../domain/sample-data.js';
import { EntityChanges } from './entity-changes.js';

const SYSTEM = { username: 'System' };

/** Writes the sample data of a tenant, or the fund types alone as its reference data; what is there stays as it is. */
@Injectable()
export class SampleData implements TenantSeed {
  constructor(
    private readonly entities: Entities,
    private readonly changes: EntityChanges,
  ) {}

  async seed(tx: TenantTx, { loadReference, loadSample }: SeedRequest): Promise<void> {
    const wanted = loadSample ? sampleData() : loadReference ? sampleFundTypes() : [];
    for (const { entity, values } of wanted) {
      const there = await this.entities.find(tx, entity, values.id);
      if (there) continue;
      await this.changes.insert(tx, entity, { ...entity.defaults, ...values }, SYSTEM);
    }
  }
}
