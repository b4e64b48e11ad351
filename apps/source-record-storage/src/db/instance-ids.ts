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

/** A query made into SQL; its first parameter, the tenant, is filled in by the transaction that runs it. */
export interface IdSelection {
  readonly where: string;
  readonly params: readonly unknown[];
}

/** @throws CqlError */
export function selectIds(type: InstanceIdsType, query: CqlQuery | undefined): IdSelection {
  const params: unknown[] = [null, type === 'HOLDING' ? HOLDING_TYPE : 'MARC_BIB'];
  const { where } = compileCql(query, INSTANCE, { params, schema: 'source_record_storage' });
  return { where, params };
}

@Injectable()
export class InstanceIds {
  async count(tx: TenantRead, selection: IdSelection): Promise<number> {
    const row = await tx.one<{ count: string }>(
      `select count(*) from (${distinctIds(selection)}) as ids`,
      paramsOf(tx, selection),
    );
    return Number(row?.count ?? 0);
  }

  async *list(
    tx: TenantRead,
    selection: IdSelection,
    page: { offset: number; limit: number },
  ): AsyncGenerator<{ id: string }> {
    const text = `${distinctIds(selection)} order by r.external_id offset ${page.offset} limit ${page.limit}`;
    const params = paramsOf(tx, selection);
    for await (const rows of tx.cursor<{ id: string }>(text, params, BATCH_ROWS)) yield* rows;
  }
}

const paramsOf = (tx: TenantRead, { params }: IdSelection): unknown[] => [
  tx.tenantId,
  ...params.slice(1),
];

/** In the order of index `record_external`, whose predicate is named; then those deleted are left out. */
const distinctIds = ({ where }: IdSelection): string =>
  `select distinct r.external_id as id from record r where r.tenant_id = $1 and r.record_type = $2
     and r.state in ('ACTUAL', 'DELETED') and r.state = 'ACTUAL' and r.external_id is not null and ${where}`;
