import type { MigrationInterface, QueryRunner } from 'typeorm';
import { systemFunction } from './house-tables.js';
import type { MigrationClass } from './migrate.js';

/**
 * What came to the tables of the house after the services had made theirs, for the end of each service's list.
 */
export function houseMigrations(schema: string): MigrationClass[] {
  return [takingDeadLetters(schema), measuringOutbox(schema)];
}

/** `dead_letter_take` removes dead letters and returns them, to be sent again or written off in the same transaction. */
function takingDeadLetters(schema: string): MigrationClass {
  return migration('TakingDeadLetters1766000000000', [
    `create function dead_letter_take(ids bigint[]) returns setof dead_letter
       language sql security definer set search_path = ${schema}, pg_temp as $$
         delete from dead_letter where id = any (ids) returning * $$`,
    ...systemFunction(schema, 'dead_letter_take(bigint[])'),
  ]);
}

/**
 * `outbox_stand` tells how many rows wait, none counted beyond `most`, and the age of the one that waits longest. That is the
 * first by `seq` but for transactions that ran side by side, and the key finds it without reading the table.
 */
function measuringOutbox(schema: string): MigrationClass {
  return migration('MeasuringOutbox1767000000000', [
    `create function outbox_stand(most int, out rows int, out oldest_seconds float8)
       language sql stable security definer set search_path = ${schema}, pg_temp as $$
         select (select count(*) from (select from outbox limit most) as counted)::int,
           coalesce((select greatest(extract(epoch from clock_timestamp() - created_at), 0)
             from outbox order by seq limit 1), 0)::float8 $$`,
    ...systemFunction(schema, 'outbox_stand(int)'),
  ]);
}

/** @param name ends with the time by which TypeORM orders */
function migration(name: string, statements: readonly string[]): MigrationClass {
  return class implements MigrationInterface {
    readonly name = name;

    async up(runner: QueryRunner): Promise<void> {
      for (const statement of statements) await runner.query(statement);
    }

    down(): Promise<void> {
      return Promise.reject(new Error('Migrations are not undone.'));
    }
  };
}
