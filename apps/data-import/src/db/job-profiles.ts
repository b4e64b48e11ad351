import { Injectable } from '@nestjs/common';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import type { CqlQuery } from '@quire/cql/ast';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import { compileCql } from '@quire/postgres/cql-where';
import type { TenantRead } from '@quire/postgres/tenant';
import { BUILT_IN_AT, JOB_PROFILES } from '../domain/job-profiles.js';

const NOTHING = `''::text`;
const BUILT_IN = `'${BUILT_IN_AT}'::timestamptz`;
const SYSTEM = `'${SYSTEM_USER_ID}'::uuid`;
export const PROFILE: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'p.id' },
    name: { type: 'text', sql: 'p.name' },
    description: { type: 'text', sql: 'p.description' },
    dataType: { type: 'enum', sql: `'MARC'::text`, values: ['MARC'] },
    hidden: { type: 'boolean', sql: 'false' },
    'tags.tagList': { type: 'list', sql: 'array[]::text[]' },
    'userInfo.firstName': { type: 'text', sql: NOTHING },
    'userInfo.lastName': { type: 'text', sql: NOTHING },
    'userInfo.userName': { type: 'text', sql: `'System'::text` },
    'metadata.createdDate': { type: 'date', sql: BUILT_IN },
    'metadata.updatedDate': { type: 'date', sql: BUILT_IN },
    'metadata.createdByUserId': { type: 'uuid', sql: SYSTEM },
    'metadata.updatedByUserId': { type: 'uuid', sql: SYSTEM },
    'metadata.createdByUsername': { type: 'text', sql: `'System'::text` },
    'metadata.updatedByUsername': { type: 'text', sql: `'System'::text` },
  },
};

/** The built-in profiles, which no tenant can change, seen as a table: so CQL means here what it means everywhere. */
@Injectable()
export class JobProfiles {
  /** Ids in the order of the query, else by name. */
  async ids(tx: TenantRead, query: CqlQuery | undefined): Promise<string[]> {
    const rows = JOB_PROFILES.map(({ id, name, description }) => ({ id, name, description }));
    const { where, orderBy, params } = compileCql(query, PROFILE, {
      params: [JSON.stringify(rows)],
      schema: 'data_import',
    });
    const order = query?.sortKeys && query.sortKeys.length > 0 ? orderBy : 'lower(p.name), p.id';
    const found = await tx.query<{ id: string }>(
      `select p.id from jsonb_to_recordset($1::jsonb) as p (id uuid, name text, description text) where ${where} order by ${order}`,
      params,
    );
    return found.map((row) => row.id);
  }
}
