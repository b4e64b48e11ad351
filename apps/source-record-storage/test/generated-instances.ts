import type { DataSource } from 'typeorm';

/** A word of the generated rows: the smaller the number the more frequent, as in real titles. */
const word = (seed: number): string =>
  `'w' || floor(power(20000, (hashint4(g * 16 + ${seed}) & 65535) / 65536.0))::int`;

/**
 * Rows straight into the instance view, as many as no test could import: six words in a title, one or two contributors, an
 * ISBN, two other numbers; six of ten in English, one of a hundred suppressed, one of two hundred deleted.
 *
 * @param admin as the superuser, whom row-level security does not bind
 */
export async function insertInstances(
  admin: DataSource,
  tenantId: string,
  range: { from: number; to: number },
  form: keyof typeof WORDS = 'prefixes',
): Promise<void> {
  await admin.query(insert(WORDS[form]), [tenantId, range.from, range.to]);
}

const numbers = `'978' || lpad(g::text, 10, '0') || ' (pbk.) zzgapzz (OCoLC)' || g || ' zzgapzz '`;
const issn = `lpad((g % 10000)::text, 4, '0') || '-1234 zzgapzz '`;
const isbn = `'978' || lpad(g::text, 10, '0') || ' zzgapzz '`;

/** The column `words` since migration 0015, and before. */
const WORDS = {
  prefixes: `array['t:The ', 'u:' || t.title, 't: / ' || t.author || ' zzgapzz ', 'p:' || t.author || ' zzgapzz ',
    'i:' || ${numbers}, 'n:' || ${isbn}, 's:' || ${issn}, 'r:' || t.series || ' zzgapzz ']`,
  weights: `'The ' || t.title || ' / ' || t.author || ' zzgapzz ', t.author || ' zzgapzz ', ${numbers} || ${issn} || ${isbn},
    t.series || ' zzgapzz '`,
};

const insert = (words: string): string => `
  insert into source_record_storage.instance (tenant_id, id, record_id, matched_id, snapshot_id, created_at, updated_at,
    duplicates, word_form, discovery_suppress, staff_suppress, deleted, state, leader_status, hrid, title, index_title, keys,
    words, data)
  select $1, md5('i' || g)::uuid, md5('r' || g)::uuid, md5('r' || g)::uuid, md5('s' || g / 100000)::uuid,
    timestamptz '2026-01-01' + g * interval '1 second', timestamptz '2026-01-01' + g * interval '1 second', 0, 0,
    g % 100 = 7, g % 200 = 9, g % 200 = 9, case when g % 200 = 9 then 'DELETED' else 'ACTUAL' end,
    case when g % 200 = 9 then 'd' else 'n' end, 'in' || lpad(g::text, 11, '0'), 'The ' || t.title || ' / ' || t.author,
    t.title,
    source_record_storage.instance_keys(array['isbn:978' || lpad(g::text, 10, '0'), 'id:978' || lpad(g::text, 10, '0') || ' (pbk.)',
      'id:(OCoLC)' || g, 'oclc:' || g, 'issn:' || lpad((g % 10000)::text, 4, '0') || '-1234', 'name:' || t.author, 'lang:' || t.lang]),
    source_record_storage.instance_words(${words}),
    jsonb_build_object(
      'contributors', jsonb_build_array(jsonb_build_object('name', t.author, 'nameType', 'Personal name', 'primary', true)),
      'identifiers', jsonb_build_array(
        jsonb_build_object('value', '978' || lpad(g::text, 10, '0') || ' (pbk.)', 'type', 'ISBN'),
        jsonb_build_object('value', '(OCoLC)' || g, 'type', 'OCLC')),
      'isbn', jsonb_build_array('978' || lpad(g::text, 10, '0')), 'oclc', jsonb_build_array(g::text),
      'issn', jsonb_build_array(lpad((g % 10000)::text, 4, '0') || '-1234'),
      'languages', jsonb_build_array(t.lang), 'series', jsonb_build_array(jsonb_build_object('value', t.series)),
      'dates', jsonb_build_object('dateType', 's', 'date1', (1950 + g % 75)::text),
      'publication', jsonb_build_array(jsonb_build_object('publisher', t.author, 'place', 'Lund', 'dateOfPublication', '1998')),
      'subjects', jsonb_build_array(jsonb_build_object('value', t.series)),
      'instanceTypeCode', 'txt', 'modeOfIssuance', 'single unit', 'recordKind', 'am')
  from generate_series($2::int, $3::int) as g
  cross join lateral (
    select ${word(0)} || ' of ' || ${word(1)} || ' and ' || ${word(2)} || ' : ' || ${word(3)} as title,
      initcap(${word(4)}) || ', ' || initcap(${word(5)}) as author, 'Series ' || ${word(6)} as series,
      (array['eng', 'eng', 'eng', 'eng', 'eng', 'eng', 'ger', 'fre', 'spa', 'lat'])[g % 10 + 1] as lang
    offset 0) as t`;
