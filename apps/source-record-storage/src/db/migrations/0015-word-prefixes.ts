import { CQL_FUNCTIONS_SQL } from '@quire/postgres/cql-functions';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isShown } from '../snapshot-removal-policy.js';

const SCHEMA = 'source_record_storage';

/**
 * The field of a word in `words` is its prefix (see `domain/instance-words.ts`), not its weight any more: weights are not in the
 * index, so that every row with the word had to be looked at. What decides no query by itself, and is the larger part of most
 * rows, moves out of their pages (`toast_tuple_target`): a query that many rows answer reads half as many.
 *
 * The table is written anew, with its indexes: a row takes 0.25 ms of a processor (measured with a million), and until a vacuum
 * has been here no plan is index-only. Rows that are there get title and index title apart, words of both twice; answers are
 * the same.
 */
export class WordPrefixes1700000000015 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      CQL_FUNCTIONS_SQL,
      ...functions(),
      'drop view instance_row',
      `set local maintenance_work_mem = '256MB'`,
      'alter table instance set (toast_tuple_target = 1300)',
      REWRITE,
      ...view(),
      'analyze instance',
      'drop function instance_words(text, text, text, text)',
      'drop function instance_old_words(text, text, jsonb)',
      'drop function instance_old_form(smallint, text, jsonb)',
      'drop function instance_old_keys(tsvector)',
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

/** `instance_words`: see `SearchColumns.texts`. `instance_keys` has no words to make any more. */
function functions(): string[] {
  return [
    `create function instance_words(texts text[]) returns tsvector
     language plpgsql immutable strict parallel safe as $$
     declare
       found tsvector := '';
       one text;
     begin
       foreach one in array texts loop
         found := found || ${SCHEMA}.cql_prefixed(${SCHEMA}.cql_words(substr(one, 3)), left(one, 2));
       end loop;
       return ts_delete(found, '${GAPS}'::text[]);
     end $$`,
    `create or replace function instance_keys(keys text[]) returns tsvector
     language plpgsql immutable strict parallel safe as $$
     begin
       return array_to_tsvector(array(select ${SCHEMA}.cql_head(key) from unnest(keys) as key));
     end $$`,
    OLD_WORDS,
    `create function instance_old_keys(keys tsvector) returns tsvector
     language plpgsql immutable strict parallel safe as $$
     begin
       return ts_delete(keys, array(select lexeme from unnest(keys) where starts_with(lexeme, 'it:')));
     end $$`,
    // Positions end at 16,383, and so many words are not in less text.
    `create function instance_old_form(form smallint, title text, data jsonb) returns smallint
     language plpgsql immutable parallel safe as $$
     begin
       return case when form = 2 or 2 * length(coalesce(title, '')) + length(data::text) > 30000 then 2 else 0 end;
     end $$`,
  ];
}

const PREFIXES = ['u:', 't:', 'x:', 'p:', 'c:', 'i:', 'n:', 's:', 'a:', 'r:'];
const GAPS = `{${PREFIXES.map((prefix) => `"${prefix}zzgapzz"`).join(',')}}`;

const OLD_WORDS = `
  create function instance_old_words(title text, index_title text, data jsonb) returns tsvector
  language plpgsql immutable parallel safe as $$
  declare
    found tsvector := '';
    one record;
  begin
    for one in
      select 't:' as prefix, title as text
      union all select 'x:', index_title
      union all select 'u:', jsonb_array_elements_text(data -> 'linkedTitles')
      union all select case when (c -> 'primary')::boolean then 'p:' else 'c:' end, c ->> 'name'
        from jsonb_array_elements(data -> 'contributors') as c
      union all select 'i:', jsonb_array_elements(data -> 'identifiers') ->> 'value'
      union all select 'n:', jsonb_array_elements_text(data -> 'isbn')
      union all select 's:', jsonb_array_elements_text(data -> 'issn')
      union all select 'a:', jsonb_array_elements(data -> 'alternativeTitles') ->> 'alternativeTitle'
      union all select 'r:', jsonb_array_elements(data -> 'series') ->> 'value'
    loop
      continue when one.text is null;
      found := found || ${SCHEMA}.cql_prefixed(${SCHEMA}.cql_words(one.text), one.prefix) || 'zzgapzz:1'::tsvector;
    end loop;
    return ts_delete(found, 'zzgapzz');
  end $$`;

/**
 * Nothing is compressed, which costs more than it saves. Words stay in the row: a phrase is looked up in them, what keys say the
 * index knows. In one statement with the types: these set the storage back.
 */
const STORAGE = `alter data set storage external, alter keys set storage external, alter words set storage main`;

/** Not bound by row-level security: of all tenants. */
const REWRITE = `
  alter table instance
    alter words type tsvector using
      case when ${SCHEMA}.instance_old_form(word_form, title, data) = 2 then ''
        else ${SCHEMA}.instance_old_words(title, index_title, data) end,
    alter word_form type smallint using ${SCHEMA}.instance_old_form(word_form, title, data),
    alter keys type tsvector using ${SCHEMA}.instance_old_keys(keys),
    ${STORAGE}`;

/** As 0008 made it, which says why. */
function view(): string[] {
  return [
    `create view instance_row as select * from instance where (tenant_id = (select ${SCHEMA}.current_tenant())) is true
       and ${isShown()}`,
    `alter view instance_row owner to ${SCHEMA}_sys`,
    `grant select on instance_row to ${SCHEMA}_app`,
  ];
}
