import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'source_record_storage';

/**
 * Keys that decide queries of the instance view alone (source-record-storage, 8.2): a key `it:…` for each word that `indexTitle`
 * searches, `name1:…` for the name of a primary contributor. Rows that are there get theirs here, so that no query has to wait
 * for them to be made anew; titles too long for keys make a row doubtful (see `domain/instance-words.ts`).
 */
export class TitleWords1700000000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [KEYS, EXISTING]) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

/** A text behind `it:=` stands for its words. They are cut so that a lexeme holds them, as no catalogue has any of that length. */
const KEYS = `
  create or replace function instance_keys(keys text[]) returns tsvector
  language plpgsql immutable strict parallel safe as $$
  begin
    return array_to_tsvector(array(
      select ${SCHEMA}.cql_head(key) from unnest(keys) as key where not starts_with(key, 'it:=')
      union all
      select left('it:' || word, 403)
      from unnest(keys) as key
      cross join lateral unnest(tsvector_to_array(${SCHEMA}.cql_words(substr(key, 5)))) as word
      where starts_with(key, 'it:=')));
  end $$`;

/** Tenant by tenant: the owner of the table sees the rows of one at a time. */
const EXISTING = `
  do $$
  declare
    one text;
  begin
    for one in select tenant_id from ${SCHEMA}.tenant loop
      perform set_config('app.tenant', one, true);
      update ${SCHEMA}.instance as i set
        keys = i.keys || ${SCHEMA}.instance_keys(n.names || case when n.long then '{}' else n.titles end),
        word_form = case when n.long then 2 else i.word_form end
      from ${SCHEMA}.instance as o
      cross join lateral (select array(
        select 'it:=' || text from (
          select o.index_title union all select jsonb_array_elements_text(o.data -> 'linkedTitles')) as t (text)
        where text is not null) as titles, array(
        select 'name1:' || (c ->> 'name') from jsonb_array_elements(o.data -> 'contributors') as c
        where (c -> 'primary')::boolean) as names) as k
      cross join lateral (
        select k.titles, k.names, length(array_to_string(k.titles, '')) > 5000 as long) as n
      where o.tenant_id = one and i.tenant_id = one and i.id = o.id;
    end loop;
    perform set_config('app.tenant', '', true);
  end $$`;
