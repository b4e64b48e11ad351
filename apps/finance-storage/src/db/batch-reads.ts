import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';
import { groupFundFiscalYear, type Entity } from '../domain/entities.js';
import { Entities, type EntityRow } from './entities.js';
import { selected } from './entity-columns.js';

/** Which group-fund-fiscal-years are wanted: of these funds, and of this year and group if they are named. */
export interface RelationsOfFunds {
  readonly fundIds: readonly string[];
  readonly fiscalYearId?: string | undefined;
  readonly groupId?: string | undefined;
}

/** Rows that are held in memory at once. */
const ROWS_AT_ONCE = 500;

/** Many rows by a list of ids, of any length, as they are read (finance-storage, 1.3 and section 2). */
@Injectable()
export class BatchReads {
  constructor(private readonly entities: Entities) {}

  /** Those that exist, in the order of the ids, each once. */
  async *ofIds(tx: TenantRead, entity: Entity, ids: readonly string[]): AsyncGenerator<EntityRow> {
    const distinct = [...new Set(ids)];
    for (let at = 0; at < distinct.length; at += ROWS_AT_ONCE)
      yield* await this.entities.ofIds(tx, entity, distinct.slice(at, at + ROWS_AT_ONCE));
  }

  /** By id. */
  async *ofFunds(
    tx: TenantRead,
    { fundIds, fiscalYearId, groupId }: RelationsOfFunds,
  ): AsyncGenerator<EntityRow> {
    const params = [tx.tenantId, [...new Set(fundIds)], fiscalYearId ?? null, groupId ?? null];
    for await (const rows of tx.cursor<EntityRow>(OF_FUNDS, params, ROWS_AT_ONCE)) yield* rows;
  }
}

const { table } = groupFundFiscalYear;
const OF_FUNDS = `
  select ${selected(groupFundFiscalYear)} from unnest($2::uuid[]) as wanted (fund_id)
  join ${table} on ${table}.tenant_id = $1 and ${table}.fund_id = wanted.fund_id
    and ($3::uuid is null or ${table}.fiscal_year_id = $3::uuid)
    and ($4::uuid is null or ${table}.group_id = $4::uuid)
  order by ${table}.id`;
