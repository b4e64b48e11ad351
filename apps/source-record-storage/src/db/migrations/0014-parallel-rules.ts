import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Texts of `instance.data` by a path, for the exact rules of word searches (source-record-storage, 8.2). A subquery that looks
 * at the row says the same, but PostgreSQL makes no parallel plan of a condition that has one.
 */
export class ParallelRules1700000000014 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `create function instance_texts(data jsonb, path jsonpath) returns text[]
       language plpgsql immutable strict parallel safe as $$
       begin
         return array(select item #>> '{}' from jsonb_path_query(data, path) as item);
       end $$`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}
