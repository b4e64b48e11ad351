import { Injectable } from '@nestjs/common';
import type { InstanceIdsDeleted, InstanceIdsType } from '@quire/contracts/source-records';
import type { CqlClause, CqlModifier, CqlNode, CqlQuery } from '@quire/cql/ast';
import type { CqlEntity, CqlField } from '@quire/postgres/cql-entity';
import { compileCql } from '@quire/postgres/cql-where';
import type { TenantRead } from '@quire/postgres/tenant';
import { INSTANCE } from './instance-entity.js';
import { DELETED_SQL } from './record-reads.js';

/**
 * Ids of instances, holdings and authorities (source-record-storage, 8.3). Instances are rows of the view; of holdings and
 * authorities these are the external ids of current records, of each the newest record.
 */
interface Subject {
  readonly entity: CqlEntity;
  /** FROM item; `$1` is the tenant. */
  readonly from: string;
  readonly id: string;
  readonly state: string;
  /** By the one rule for deleted records. */
  readonly deleted: string;
}

/** Written once, with the first generation. */
const createdAt = (column: string): string =>
  `(case when r.generation = 0 then r.${column} else (select f.${column} from record f where f.tenant_id = $1
     and f.matched_id = r.matched_id and f.generation = 0) end)`;

const COMMON: Readonly<Record<string, CqlField>> = {
  id: { type: 'uuid', sql: 'r.external_id' },
  hrid: { type: 'text', sql: 'r.external_hrid', whole: true },
  'metadata.createdDate': { type: 'date', sql: createdAt('created_at') },
  'metadata.createdByUserId': { type: 'text', sql: `${createdAt('created_by')}::text` },
  'metadata.updatedDate': { type: 'date', sql: 'r.updated_at' },
  'metadata.updatedByUserId': { type: 'text', sql: 'r.updated_by::text' },
};

const HOLDING: CqlEntity = {
  fields: {
    ...COMMON,
    instanceHrid: { type: 'text', sql: 'r.parent_hrid', whole: true },
    discoverySuppress: { type: 'boolean', sql: 'r.suppress_discovery' },
  },
};

/** In the order of index `record_external`, whose predicate is named: ids come without a sort of them all. */
const newestOf = (recordType: string): string => `(
  select distinct on (f.external_id) f.external_id, f.external_hrid, f.parent_hrid, f.state, f.leader_status,
    f.suppress_discovery, f.matched_id, f.generation, f.created_at, f.created_by, f.updated_at, f.updated_by
  from record f where f.tenant_id = $1 and f.record_type = '${recordType}' and f.state in ('ACTUAL', 'DELETED')
    and f.external_id is not null
  order by f.external_id, f.updated_at desc, f.id desc) as r`;

const recordsOf = (recordType: string, entity: CqlEntity): Subject => ({
  entity,
  from: newestOf(recordType),
  id: 'r.external_id',
  state: 'r.state',
  deleted: `(${DELETED_SQL})`,
});

const SUBJECTS: Readonly<Record<InstanceIdsType, Subject>> = {
  INSTANCE: {
    entity: INSTANCE,
    from: 'instance_row as i',
    id: 'i.id',
    state: 'i.state',
    deleted: 'i.deleted',
  },
  HOLDING: recordsOf('MARC_HOLDING', HOLDING),
  AUTHORITY: recordsOf('MARC_AUTHORITY', { fields: COMMON }),
};

const BATCH_ROWS = 5000;
/**
 * The bitmap of a million rows; a smaller one forgets which rows of a page were found, and all are looked at. And no reading from end
 * to end where an index of words or keys finds the rows: the planner does not know that keys stand outside of them.
 */
const SETTINGS = `select set_config('work_mem', '64MB', true), set_config('enable_seqscan', $1, true)`;

/** A query made into SQL; its first parameter, the tenant, is filled in by the transaction that runs it. */
export interface IdSelection {
  readonly from: string;
  readonly id: string;
  readonly where: string;
  readonly orderBy: string;
  readonly params: readonly unknown[];
  /** An index of words or keys finds all rows. */
  readonly byWords: boolean;
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
  const { entity, from, id, ...columns } = SUBJECTS[type];
  const params: unknown[] = [null];
  const schema = 'source_record_storage';
  const { where, orderBy } = compileCql(query, entity, { params, schema });
  const scope = scopeOf(columns, type === 'INSTANCE' ? query : undefined, deleted);
  const byWords = type === 'INSTANCE' && query !== undefined && isFoundByWords(query.root);
  return {
    from,
    id,
    where: `${tenantOf(type, byWords)} and ${scope} and ${where}`,
    orderBy,
    params,
    byWords,
  };
}

/**
 * All indexes but those of words and keys begin with the tenant. Where these serve the query, the tenant is not named besides
 * by the view: a planner without statistics of the tenant would find all its rows with the other index and look at each.
 */
function tenantOf(type: InstanceIdsType, byWords: boolean): string {
  if (type !== 'INSTANCE') return 'true';
  return byWords ? '$1::text is not null' : 'i.tenant_id = $1';
}

/** Some clause that every match fulfils has an index of words or keys, and none names a single row. */
function isFoundByWords(root: CqlNode): boolean {
  if (root.kind === 'clause') return isWordClause(root);
  const { first, rest } = root;
  if (rest.some(({ operator }) => operator === 'or')) {
    return [first, ...rest.map(({ operand }) => operand)].every(isFoundByWords);
  }
  const needed = [first, ...rest.flatMap((one) => (one.operator === 'and' ? [one.operand] : []))];
  return needed.some(isFoundByWords) && !needed.some(isOneRow);
}

function isWordClause({ index, relation, term, modifiers }: CqlClause): boolean {
  const field = INSTANCE.fields[index?.name ?? 'keyword'];
  // What is about other subfields, or begins with a mask, no index knows.
  if (!field || /[<>]/.test(relation) || modifiers.some(choosesSubfield)) return false;
  if (relation === '==') return 'keys' in field && /^[^*?[]/.test(term);
  return ('words' in field || 'keys' in field) && /[^\s*]/.test(term);
}

const choosesSubfield = ({ name, comparison }: CqlModifier): boolean =>
  name.startsWith('@') && comparison === undefined;

const isOneRow = (node: CqlNode): boolean =>
  node.kind === 'clause' &&
  (node.index?.name === 'id' || node.index?.name === 'hrid') &&
  !/[<>]/.test(node.relation);

function scopeOf(
  { state, deleted }: Pick<Subject, 'state' | 'deleted'>,
  query: CqlQuery | undefined,
  wanted: InstanceIdsDeleted | undefined,
): string {
  if (wanted === 'include') return 'true';
  if (wanted === 'only') return deleted;
  if (wanted === 'exclude') return `not ${deleted}`;
  return query && names(query.root, 'deleted') ? 'true' : `${state} = 'ACTUAL'`;
}

function names(node: CqlNode, index: string): boolean {
  if (node.kind === 'clause') return node.index?.name === index;
  return names(node.first, index) || node.rest.some(({ operand }) => names(operand, index));
}

@Injectable()
export class InstanceIds {
  async count(tx: TenantRead, selection: IdSelection): Promise<number> {
    await tx.query(SETTINGS, settingsOf(selection));
    const params = paramsOf(tx, selection.params);
    const row = await tx.one<{ count: string }>(countSql(selection), params);
    return Number(row?.count ?? 0);
  }

  async *list(
    tx: TenantRead,
    selection: IdSelection,
    page: { offset: number; limit: number } = { offset: 0, limit: LIMIT_MAX },
  ): AsyncGenerator<{ id: string }> {
    await tx.query(SETTINGS, settingsOf(selection));
    const params = paramsOf(tx, selection.params);
    const found = tx.cursor<{ id: string }>(idsSql(selection, page), params, BATCH_ROWS);
    for await (const rows of found) yield* rows;
  }
}

const LIMIT_MAX = 2_147_483_647;

export const countSql = ({ from, where }: IdSelection): string =>
  `select count(*) from ${from} where ${where}`;

export const idsSql = (
  { from, id, where, orderBy }: IdSelection,
  { offset, limit }: { offset: number; limit: number },
): string =>
  `select ${id} as id from ${from} where ${where} order by ${orderBy} offset ${offset} limit ${limit}`;

const settingsOf = ({ byWords }: IdSelection): string[] => [byWords ? 'off' : 'on'];

const paramsOf = (tx: TenantRead, params: readonly unknown[]): unknown[] => [
  tx.tenantId,
  ...params.slice(1),
];
