import { protect, systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * What finds records by their MARC fields (source-record-storage, 7 and 11; docs/adr/0005-marc-index.md): one row per record
 * that is ACTUAL or DELETED, its keys as the lexemes of one tsvector, `035a(OCoLC)63611770`. The keys find candidates only;
 * the record's bytes decide.
 *
 * New keys wait in the index's pending list, which is merged sorted and all at once (`merge_pending_keys`); the default limit
 * of 4 MB would merge over and over. Below row-level security no GIN index is ever used, so the look-up is a function of
 * `_sys` that names the tenant itself, in a form for which the primary key is no temptation.
 *
 * Records of before have no row yet: `marc_index_fill` has a row for each tenant until its records are all read
 * (`usecases/index-upkeep.ts`), and as long as it is there, nothing is looked up in the index of that tenant.
 */
export class MarcIndex1700000000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [...keys(), ...merging(), ...filling()])
      await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

function keys(): string[] {
  return [
    `create table marc_index (tenant_id text collate "C" not null, record_id uuid not null, keys tsvector not null,
       primary key (tenant_id, record_id))`,
    `create index marc_index_keys on marc_index using gin (keys)
       with (fastupdate = on, gin_pending_list_limit = 1048576)`,
    // Never asked for; to sample them would be the dearest part of an ANALYZE.
    `alter table marc_index alter column keys set statistics 0, alter column tenant_id set statistics 0`,
    ...protect(SCHEMA, 'marc_index', { sys: true }),
    `create function marc_index_find(wanted tsquery[]) returns setof uuid rows 100
       language sql stable security definer set search_path = ${SCHEMA}, pg_temp set enable_seqscan = off
     begin atomic
       select distinct m.record_id from unnest(wanted) as w (key) cross join lateral (
         select record_id from marc_index
         where keys @@ w.key and (tenant_id = current_tenant()) is true offset 0) as m;
     end`,
    ...systemFunction(SCHEMA, 'marc_index_find(tsquery[])'),
  ];
}

/**
 * Every GIN index of the schema, because only the owner may. One call works at a time, who comes second need not wait; the
 * size of the memory is what makes the merge one sorted pass.
 */
function merging(): string[] {
  return [
    `create function merge_pending_keys() returns void
       language plpgsql security definer set search_path = ${SCHEMA}, pg_temp set maintenance_work_mem = '256MB' as $$
     begin
       if pg_try_advisory_xact_lock(hashtext('${SCHEMA}.merge')) then
         perform gin_clean_pending_list(i.indexrelid::regclass)
         from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
         where c.relnamespace = '${SCHEMA}'::regnamespace and a.amname = 'gin';
       end if;
     end $$`,
    'revoke all on function merge_pending_keys() from public',
    `grant execute on function merge_pending_keys() to ${SCHEMA}_app`,
  ];
}

function filling(): string[] {
  return [
    `create table marc_index_fill (tenant_id text collate "C" primary key, after uuid)`,
    // Whether a tenant has records, the owner of the tables cannot see.
    `insert into marc_index_fill (tenant_id) select tenant_id from tenant`,
    ...protect(SCHEMA, 'marc_index_fill', { grants: 'select, update, delete' }),
  ];
}
