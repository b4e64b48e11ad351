import { protect, systemFunction } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * Chunks of imports whose rows of the instance view are still to be made (docs/adr/0006-instance-view.md): one row per chunk,
 * written in its transaction and deleted in the one that makes the rows. `new_ids` are bibliographic records whose external id
 * was made for them; `other_ids` those that may share theirs, and records that the chunk has superseded.
 */
export class InstancePending1700000000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [
      `create table instance_pending (tenant_id text collate "C" not null, place bigint generated always as identity,
         snapshot_id uuid not null, new_ids uuid[] not null, other_ids uuid[] not null, records int not null,
         primary key (tenant_id, place))
         -- Rows come and go; the dead ones must not pile up in front of a look-up.
         with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200)`,
      ...protect(SCHEMA, 'instance_pending', { sys: true }),
      `create function instance_backlog() returns table (tenant_id text, records bigint)
         language sql stable security definer set search_path = ${SCHEMA}, pg_temp as $$
           select p.tenant_id, sum(p.records) from instance_pending p group by p.tenant_id order by p.tenant_id $$`,
      ...systemFunction(SCHEMA, 'instance_backlog()'),
    ])
      await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
