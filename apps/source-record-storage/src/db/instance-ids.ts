import { Injectable } from '@nestjs/common';
import type { InstanceIdsDeleted, InstanceIdsType } from '@quire/contracts/source-records';
import type { CqlNode, CqlQuery } from '@quire/cql/ast';
import type { CqlEntity, CqlField } from '@quire/postgres/cql-entity';
import { compileCql } from '@quire/postgres/cql-where';
import type { TenantRead } from '@quire/postgres/tenant';
import { DELETED_SQL } from './record-reads.js';

/**
 * Ids of instances, holdings and authorities: the external ids of current records (source-record-storage, 8.3), of each the
 * newest record. The fields are those that stand beside a record; the view with all its indexes comes with the query
 * language.
 */
const RECORD_TYPE: Readonly<Record<InstanceIdsType, string>> = {
  INSTANCE: 'MARC_BIB',
  HOLDING: 'MARC_HOLDING',
  AUTHORITY: 'MARC_AUTHORITY',
};

/** Written once, with the first generation. */
const createdAt = (column: string): string =>
  `(case when r.generation = 0 then r.${column} else (select f.${column} from record f where f.tenant_id = $1
     and f.matched_id = r.matched_id and f.generation = 0) end)`;

const COMMON: Readonly<Record<string, CqlField>> = {
  id: { type: 'uuid', sql: 'r.external_id' },
  hrid: { type: 'text', sql: 'r.external_hrid' },
  'metadata.createdDate': { type: 'date', sql: createdAt('created_at') },
  'metadata.createdByUserId': { type: 'text', sql: `${createdAt('created_by')}::text` },
  'metadata.updatedDate': { type: 'date', sql: 'r.updated_at' },
  'metadata.updatedByUserId': { type: 'text', sql: 'r.updated_by::text' },
};
const SUPPRESSED: CqlField = { type: 'boolean', sql: 'r.suppress_discovery' };

const ENTITY: Readonly<Record<InstanceIdsType, CqlEntity>> = {
  INSTANCE: {
    fields: {
      ...COMMON,
      source: { type: 'enum', sql: `'MARC'::text`, values: ['MARC'] },
      discoverySuppress: SUPPRESSED,
      staffSuppress: { type: 'boolean', sql: `(r.state = 'DELETED')` },
      deleted: { type: 'boolean', sql: `(${DELETED_SQL})` },
      snapshotId: { type: 'uuid', sql: 'r.snapshot_id' },
    },
  },
  HOLDING: { fields: { ...COMMON, discoverySuppress: SUPPRESSED } },
  AUTHORITY: { fields: COMMON },
};

const BATCH_ROWS = 5000;

/** A query made into SQL; its first parameter, the tenant, is filled in by the transaction that runs it. */
export interface IdSelection {
  readonly where: string;
  readonly orderBy: string;
  readonly params: readonly unknown[];
}

/**
 * @param deleted absent: records of state DELETED only when the query of instances asks for `deleted`
 * @throws CqlError
 */
export function selectIds(
  type: InstanceIdsType,
  query: CqlQuery | undefined,
  deleted?: InstanceIdsDeleted,
): IdSelection {
  const params: unknown[] = [null, RECORD_TYPE[type]];
  const schema = 'source_record_storage';
  const { where, orderBy } = compileCql(query, ENTITY[type], { params, schema });
  return { where: `${scopeOf(type, query, deleted)} and ${where}`, orderBy, params };
}

function scopeOf(
  type: InstanceIdsType,
  query: CqlQuery | undefined,
  deleted: InstanceIdsDeleted | undefined,
): string {
  if (deleted === 'include') return 'true';
  if (deleted === 'only') return `(${DELETED_SQL})`;
  if (deleted === 'exclude') return `not (${DELETED_SQL})`;
  return type === 'INSTANCE' && query && names(query.root, 'deleted')
    ? 'true'
    : `r.state = 'ACTUAL'`;
}

function names(node: CqlNode, index: string): boolean {
  if (node.kind === 'clause') return node.index?.name === index;
  return names(node.first, index) || node.rest.some(({ operand }) => names(operand, index));
}

@Injectable()
export class InstanceIds {
  async count(tx: TenantRead, selection: IdSelection): Promise<number> {
    const row = await tx.one<{ count: string }>(
      `select count(*) from ${NEWEST} where ${selection.where}`,
      paramsOf(tx, selection),
    );
    return Number(row?.count ?? 0);
  }

  async *list(
    tx: TenantRead,
    selection: IdSelection,
    page: { offset: number; limit: number } = { offset: 0, limit: LIMIT_MAX },
  ): AsyncGenerator<{ id: string }> {
    const { where, orderBy } = selection;
    const text = `select r.external_id as id from ${NEWEST} where ${where} order by ${orderBy}
      offset ${page.offset} limit ${page.limit}`;
    const params = paramsOf(tx, selection);
    for await (const rows of tx.cursor<{ id: string }>(text, params, BATCH_ROWS)) yield* rows;
  }
}

const LIMIT_MAX = 2_147_483_647;

const paramsOf = (tx: TenantRead, { params }: IdSelection): unknown[] => [
  tx.tenantId,
  ...params.slice(1),
];

/** In the order of index `record_external`, whose predicate is named: ids come without a sort of them all. */
const NEWEST = `(
  select distinct on (f.external_id) f.external_id, f.external_hrid, f.state, f.leader_status, f.suppress_discovery,
    f.snapshot_id, f.matched_id, f.generation, f.created_at, f.created_by, f.updated_at, f.updated_by
  from record f where f.tenant_id = $1 and f.record_type = $2 and f.state in ('ACTUAL', 'DELETED')
    and f.external_id is not null
  order by f.external_id, f.updated_at desc, f.id desc) as r`;
