import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Indexes by which what is kept for a time only is found without reading the tenant (source-record-storage, 9.2): deleted
 * records by the day of their deletion, older generations by record, the history by its date. And numbers of generations that
 * are not current, because a number counts as known by any of them (section 5, verified-records).
 */
export class Retention1700000000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of INDEXES) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

/** Partial, so that no other query can take them for its own (see `0001-records.ts`). */
const INDEXES = [
  `create index record_deleted_since on record (tenant_id, updated_at, id) where state = 'DELETED'`,
  `create index record_former on record (tenant_id, matched_id, generation) where state = 'OLD'`,
  `create index record_former_hrid on record (tenant_id, external_hrid)
     where state in ('OLD', 'DRAFT') and external_hrid is not null`,
  `create index record_history_replaced on record_history (tenant_id, replaced_at, record_id, place)
     where replaced_at is not null`,
];
