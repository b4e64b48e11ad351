import { Injectable } from '@nestjs/common';
import { Failure } from '@quire/contracts/failure';
import type { Caller } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { EntityRow } from '../db/entities.js';
import { Relations } from '../db/relations.js';
import type { Relation, Triple } from '../domain/bulk-plan.js';
import { groupFundFiscalYear } from '../domain/entities.js';
import { EntityChanges } from './entity-changes.js';

/** Group-fund-fiscal-years by what they tie instead of by their ids; both calls can be repeated (finance-storage, 8.3). */
@Injectable()
export class RelationKeys {
  constructor(
    private readonly source: DataSource,
    private readonly relations: Relations,
    private readonly changes: EntityChanges,
  ) {}

  /** @returns the new row; undefined when it was there */
  async put(caller: Caller, triple: Triple): Promise<EntityRow | undefined> {
    if (await this.find(caller, triple)) return undefined;
    try {
      return await this.changes.create(caller, groupFundFiscalYear, { ...triple });
    } catch (error) {
      // Somebody else made it in between.
      if (error instanceof Failure && error.code === 'finance.duplicate') return undefined;
      throw error;
    }
  }

  async remove(caller: Caller, triple: Triple, ifMatch: string | undefined): Promise<void> {
    const row = await this.find(caller, triple);
    if (!row) return;
    try {
      await this.changes.remove(caller, groupFundFiscalYear, { id: row.id, ifMatch });
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'not-found') throw error;
    }
  }

  private async find(caller: Caller, triple: Triple): Promise<Relation | undefined> {
    const [row] = await readTenant(this.source, caller, (tx) =>
      this.relations.ofTriples(tx, [triple], false),
    );
    return row;
  }
}
