import { Client } from 'pg';

/**
 * A million rows of the instance view out of some thousand, which an import has made: each copy has an id, a number and an
 * ISBN of its own, everything else, words and keys too, is that of the row it was copied from. Straight into the table, because
 * an import of so many records is another bench.
 */
const BATCH_COPIES = 20;

/** @returns the number of rows there are then, at least `count` */
export async function copyInstances(databaseUrl: string, count: number): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set search_path = source_record_storage, public');
    await client.query('create table base_row as select * from instance');
    const base = await rowsIn(client, 'base_row');
    if (base === 0) throw new Error('There is no instance to copy.');
    for (let from = 1; from * base < count; from += BATCH_COPIES) {
      const last = Math.min(from + BATCH_COPIES, Math.ceil(count / base)) - 1;
      await client.query(COPY, [from, last]);
      await client.query('select merge_pending_keys()');
    }
    await client.query('drop table base_row');
    // As autovacuum would have done in the time that so many imports take.
    await client.query('vacuum (analyze) instance');
    return await rowsIn(client, 'instance');
  } finally {
    await client.end();
  }
}

async function rowsIn(client: Client, table: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from ${table}`,
  );
  return rows[0]?.count ?? 0;
}

/** The number behind 979-0 is none that a book has. */
const COPY = `
  insert into instance (tenant_id, id, record_id, matched_id, snapshot_id, created_at, created_by, updated_at, updated_by,
    duplicates, word_form, discovery_suppress, staff_suppress, deleted, state, leader_status, hrid, title, index_title, keys,
    words, data)
  select b.tenant_id, c.id, c.id, c.id, b.snapshot_id, b.created_at - c.age, b.created_by, b.updated_at - c.age, b.updated_by,
    0, b.word_form, c.random < 0.01, c.random < 0.005, b.deleted, b.state, b.leader_status, b.hrid || '-' || n, b.title,
    b.index_title, b.keys || array_to_tsvector(array['isbn:' || c.isbn]), b.words,
    jsonb_set(b.data, '{isbn}', coalesce(b.data -> 'isbn', '[]') || to_jsonb(c.isbn))
  from generate_series($1::int, $2::int) as n cross join base_row as b cross join lateral (
    select gen_random_uuid() as id, random() as random, n * interval '1 hour' as age,
      '9790' || lpad((hashtextextended(b.hrid, n) & 999999999)::text, 9, '0') as isbn) as c`;
