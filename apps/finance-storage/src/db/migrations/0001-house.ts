import { houseTables } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every service has. The entities of finance come with the calls that serve them. */
export class House1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of houseTables('finance_storage')) await runner.query(statement);
  }

  /** Forward only. */
  down(): Promise<void> {
    return Promise.reject(new Error('Migrations only go forward.'));
  }
}
