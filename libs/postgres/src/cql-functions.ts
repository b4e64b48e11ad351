/** What unaccent writes as `<` or `>`, and as many commas. */
export const ANGLES = '«»˂˃‹›≪≫〈〉《》︽︾︿﹀﹤﹥＜＞';

/**
 * Text as the parser of words gets it. Quotation marks and brackets that unaccent writes as < and > would turn the
 * words between them into a tag, which the parser drops: they become commas first. & and ' separate words; unaccent
 * makes some of them, so they go last.
 */
function plain(value: string): string {
  const commas = ','.repeat(ANGLES.length);
  const unaccented = `public.unaccent('public.unaccent'::regdictionary, translate(${value}, '${ANGLES}', '${commas}'))`;
  return `translate(${unaccented}, '&''', ',,')`;
}

/**
 * The SQL functions that compiled CQL calls. A service's first migration runs this text inside its own schema; the
 * pool's `search_path` finds them there. The extension `unaccent` must be installed in schema `public` before.
 *
 * Four of them are made for generated columns and their indexes:
 *   code_folded text generated always as (fold(code)) stored       index (tenant_id, code_folded collate "C")
 *   name_head text generated always as (cql_head(name)) stored     index (tenant_id, name_head collate "C")
 *   words tsvector generated always as (cql_words(name)) stored    index using gin (words)
 *   tags_folded text[] generated always as (fold_all(tags)) stored index using gin (tags_folded)
 * Stored, because below row-level security no index serves a condition that calls a function on a column (seen in
 * plans of 18.4). A b-tree takes no value of more than 2,700 bytes, and a longer one fails the write: `fold` is for
 * bounded columns, `cql_head` for the others. GIN needs a CqlLookup there.
 *
 * `unaccent` is only stable, because its rules could be exchanged; these wrappers declare that Quire never does. They
 * are PL/pgSQL and name everything by schema: index maintenance runs with an empty search path, and a wrapper in
 * SQL, which cannot be inlined here, was measured at twice the time (1.5 against 0.8 microseconds a call).
 *
 * Limits: words behind the first 100,000 characters of a value are not found (a tsvector holds 1 MB, and more is an
 * error); a number with more than 400 characters or an exponent of more than three digits is not a number.
 */
export const CQL_FUNCTIONS_SQL = `
create or replace function fold(value text) returns text
language plpgsql immutable strict parallel safe as $function$
begin
  return lower(public.unaccent('public.unaccent'::regdictionary, value));
end
$function$;

create or replace function cql_head(value text) returns text
language plpgsql immutable strict parallel safe as $function$
begin
  return left(lower(public.unaccent('public.unaccent'::regdictionary, value)), 400);
end
$function$;

create or replace function fold_all(items text[]) returns text[]
language plpgsql immutable strict parallel safe as $function$
begin
  return array(
    select lower(public.unaccent('public.unaccent'::regdictionary, item))
    from unnest(items) with ordinality as item_list(item, place) order by place);
end
$function$;

create or replace function cql_unaccent(value text) returns text
language plpgsql immutable strict parallel safe as $function$
begin
  return public.unaccent('public.unaccent'::regdictionary, value);
end
$function$;

create or replace function cql_words(value text) returns tsvector
language plpgsql immutable strict parallel safe as $function$
begin
  return to_tsvector('pg_catalog.simple'::regconfig, ${plain('left(value, 100000)')});
end
$function$;

-- Pieces of a term → query; suffixes are empty or a label such as ':*AD'. Null when no piece holds a word. Groups of
-- 256 keep the tree flat: PostgreSQL walks it recursively, and one chain of 32,000 words exhausts its stack.
create or replace function cql_query(pieces text[], suffixes text[], joiner text) returns tsquery
language plpgsql immutable strict parallel safe as $function$
begin
  return (
    select string_agg('(' || part || ')', joiner order by batch)::tsquery
    from (
      select batch, string_agg('(' || word || ')', joiner order by place) as part
      from (
        select (place - 1) / 256 as batch, place,
               case when joiner = ' & ' then replace(query::text, ' <-> ', ' & ') else query::text end as word
        from (
          select place, to_tsquery('pg_catalog.simple'::regconfig,
                   '''' || replace(${plain('piece')}, '\\', '\\\\') || '''' || suffix) as query
          from unnest(pieces, suffixes) with ordinality as piece_list(piece, suffix, place)
          where ${plain('piece')} <> ''
        ) as queries
        where numnode(query) > 0
      ) as words
      group by batch
    ) as batches);
end
$function$;

-- Words of a field: each behind the prefix of the field, where it was. Several fields are one vector so.
create or replace function cql_prefixed(words tsvector, prefix text) returns tsvector
language plpgsql immutable strict parallel safe as $function$
begin
  return replace(' ' || words::text, ' ''', ' ''' || prefix)::tsvector;
end
$function$;

-- A query of words → the same query of words of these fields. No word has a quote, see cql_words.
create or replace function cql_in_fields(wanted tsquery, prefixes text[]) returns tsquery
language plpgsql immutable strict parallel safe as $function$
begin
  return regexp_replace(wanted::text, '''([^'']+)''(:\\*)?',
    (select '(' || string_agg('''' || prefix || '\\1''\\2', ' | ') || ')' from unnest(prefixes) as prefix), 'g')::tsquery;
end
$function$;

-- Whole values, prefixes included → query for the lexemes cql_head(…) of a tsvector.
create or replace function cql_keys(items text[], suffixes text[], joiner text) returns tsquery
language plpgsql immutable strict parallel safe as $function$
begin
  return (
    select string_agg(
      '''' || replace(replace(head, '\\', '\\\\'), '''', '''''') || '''' || suffix, joiner)::tsquery
    from (
      select left(lower(public.unaccent('public.unaccent'::regdictionary, item)), 400) as head, suffix
      from unnest(items, suffixes) as item_list(item, suffix)
    ) as heads);
end
$function$;

-- Literal pieces and the masks between them → LIKE pattern. Folding comes before escaping, because unaccent turns
-- some characters into the wildcards of LIKE.
create or replace function cql_like(pieces text[], masks text[], fold_case boolean, fold_accents boolean)
returns text language plpgsql immutable strict parallel safe as $function$
begin
  return (
    select string_agg(
      replace(replace(replace(folded, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || coalesce(mask, ''), ''
      order by place)
    from (
      select place, mask, case when fold_case then lower(bare) else bare end as folded
      from (
        select place, mask, case when fold_accents
          then public.unaccent('public.unaccent'::regdictionary, piece) else piece end as bare
        from unnest(pieces, masks) with ordinality as piece_list(piece, mask, place)
      ) as bare_list
    ) as folded_list);
end
$function$;

-- Text → number, null for text that is none.
create or replace function cql_number(value text) returns numeric
language plpgsql immutable strict parallel safe as $function$
begin
  if length(value) <= 400
     and value ~ '^ *[-+]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]{1,3})? *$' then
    return value::numeric;
  end if;
  return null;
end
$function$;
`;
