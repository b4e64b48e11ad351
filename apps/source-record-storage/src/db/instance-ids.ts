import { Injectable } from '@nestjs/common';
import type { CqlQuery } from '@quire/cql/ast';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import { compileCql } from '@quire/postgres/cql-where';
import type { TenantRead } from '@quire/postgres/tenant';

/**
 * Ids of instances: the external ids of current bibliographic records (source-record-storage, 8.3). The view with all its
 * indexes comes with the query language; until then `id` can be asked for.
 */
const INSTANCE: CqlEntity = { fields: { id: { type: 'uuid', sql: 'r.external_id' } } };
const HOLDING_TYPE = 'MARC_HOLDING';
const BATCH_ROWS = 5000;

export type InstanceIdsType = 'INSTANCE' | 'HOLDING';

@Injectable()
export class InstanceIds {
  async count(tx: TenantRead, type: InstanceIdsType, query: CqlQuery | undefined): Promise<number> {
    const { sql, params } = selection(tx, type, query);
    const row = await tx.one<{ count: string }>(
      `select count(distinct r.external_id) ${sql}`,
      params,
    );
    return Number(row?.count ?? 0);
  }

  async *list(
    tx: TenantRead,
    type: InstanceIdsType,
    query: CqlQuery | undefined,
    page: { offset: number; limit: number },
  ): AsyncGenerator<{ id: string }> {
    const { sql, params } = selection(tx, type, query);
    const text = `select distinct r.external_id as id ${sql} order by r.external_id offset ${page.offset} limit ${page.limit}`;
    for await (const rows of tx.cursor<{ id: string }>(text, params, BATCH_ROWS)) yield* rows;
  }
}

function selection(
  tx: TenantRead,
  type: InstanceIdsType,
  query: CqlQuery | undefined,
): { sql: string; params: unknown[] } {
  const params: unknown[] = [tx.tenantId, type === 'HOLDING' ? HOLDING_TYPE : 'MARC_BIB'];
  const { where } = compileCql(query, INSTANCE, { params, schema: 'source_record_storage' });
  // The partial index of current records is used, then those deleted are left out.
  const sql = `from record r where r.tenant_id = $1 and r.record_type = $2 and r.state in ('ACTUAL', 'DELETED')
    and r.state = 'ACTUAL' and r.external_id is not null and ${where}`;
  return { sql, params };
}
