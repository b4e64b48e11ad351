/**
 * What CQL may say of instances (source-record-storage, 8.2), on a row `i` of the view `instance_row`. Indexed are `id`, `hrid`,
 * `title`, `indexTitle`, `keyword`, `allTitles`, `contributors`, `identifiers`, `isbn`, `issn`, `oclc`, `languages`, `source`,
 * the three booleans and `metadata.updatedDate`; everything else is looked up in `data`, row by row.
 *
 * A property without a value is undefined, lists too: `languages=""` are the rows with a language.
 */
import type { CqlRelation } from '@quire/cql/ast';
import type {
  CqlEntity,
  CqlField,
  CqlKeys,
  CqlListField,
  CqlObjectsField,
  CqlTextField,
  CqlWordIndex,
} from '@quire/postgres/cql-entity';
import { KEY_PREFIX } from '../domain/instance-facts.js';
import { ODD_LANGUAGE, WORD_FORM, WORD_PREFIX, type WordField } from '../domain/instance-words.js';

const DOUBTFUL = `(i.word_form = ${WORD_FORM.DOUBTFUL})`;

/** The words of these fields. */
const wordsOf = (...fields: readonly WordField[]): CqlWordIndex => ({
  vector: 'i.words',
  prefixes: fields.map((field) => WORD_PREFIX[field]),
  doubtful: DOUBTFUL,
  exact: true,
});

/** Elements of `data` as text[]; by a function, because a subquery would keep the count of a query from parallel plans. */
const texts = (path: string): string => `source_record_storage.instance_texts(i.data, '${path}')`;

const LINKED = texts('$.linkedTitles[*]');
const OTHER_TITLES = `${texts('$.alternativeTitles[*].alternativeTitle')} || ${texts('$.series[*].value')}`;
const NUMBERS = [texts('$.identifiers[*].value'), texts('$.isbn[*]'), texts('$.issn[*]')];

/** The exact rule for words in several texts: `all` finds its words in any of them, the others in one. */
const inTexts =
  (all: string) =>
  (query: string, relation: CqlRelation): string =>
    `source_record_storage.instance_matches(${all}, ${query}, ${String(relation === 'all')})`;

const inElement =
  (path: string) =>
  (query: string): string =>
    inTexts(texts(path))(query, '=');

/** Words of one title, or of those in other scripts, which few rows have: the others need no list to be made. */
const inTitle =
  (title: string) =>
  (query: string, relation: CqlRelation): string =>
    `(source_record_storage.cql_words(${title}) @@ ${query} or i.data ? 'linkedTitles'
      and ${inTexts(`array[${title}] || ${LINKED}`)(query, relation)})`;

const TITLES = `array[i.title, i.index_title] || ${LINKED}`;

const title: CqlTextField = {
  type: 'text',
  sql: 'i.title',
  head: 'i.title_head',
  words: wordsOf('titles', 'title'),
  rule: inTitle('i.title'),
};

const indexTitle: CqlTextField = {
  type: 'text',
  sql: 'i.index_title',
  head: 'i.index_head',
  words: wordsOf('titles', 'indexTitle'),
  rule: inTitle('i.index_title'),
};

/** Words only, in several fields. Every row has it. */
const joined = (all: string, words: CqlWordIndex): CqlTextField => ({
  type: 'text',
  sql: 'i.id',
  sortable: false,
  wordsOnly: true,
  words,
  rule: inTexts(all),
});

const allTitles = joined(
  `${TITLES} || ${OTHER_TITLES}`,
  wordsOf('titles', 'title', 'indexTitle', 'alternativeTitles', 'series'),
);
const keyword = joined(
  `${TITLES} || ${OTHER_TITLES} || ${texts('$.contributors[*].name')} || ${NUMBERS.join(' || ')}`,
  wordsOf(...(Object.keys(WORD_PREFIX) as WordField[])),
);

const keysOf = (prefix: string, words?: CqlKeys['words']): CqlKeys => ({
  vector: 'i.keys',
  prefix,
  ...(words === undefined ? {} : { words }),
});

/** Code that is one text in `data`. */
const code = (...path: string[]): CqlTextField => ({
  type: 'text',
  sql: `(i.data #>> '{${path.join(',')}}')`,
});

const list = (name: string, more: Partial<CqlListField> = {}): CqlListField => ({
  type: 'list',
  sql: `(select array_agg(item.value order by item.place)
    from jsonb_array_elements_text(i.data -> '${name}') with ordinality as item(value, place))`,
  ...more,
});

const objects = (
  name: string,
  subfields: readonly string[],
  more: Partial<CqlObjectsField> = {},
): CqlObjectsField => ({
  type: 'objects',
  sql: `(i.data -> '${name}')`,
  subfields,
  defaults: subfields.slice(0, 1),
  ...more,
});

const contributors = objects(
  'contributors',
  ['name', 'nameType', 'primary', 'relator', 'authorityId'],
  {
    keys: keysOf(KEY_PREFIX.contributors),
    words: wordsOf('primaryContributors', 'otherContributors'),
    where: [
      {
        subfield: 'primary',
        value: 'true',
        keys: keysOf(KEY_PREFIX.primaryContributors),
        words: wordsOf('primaryContributors'),
      },
      { subfield: 'primary', value: 'false', words: wordsOf('otherContributors') },
    ],
    rule: inElement('$.contributors[*].name'),
  },
);
const identifiers = objects('identifiers', ['value', 'type'], {
  keys: keysOf(KEY_PREFIX.identifiers),
  words: wordsOf('identifiers'),
  rule: inElement('$.identifiers[*].value'),
});
const alternativeTitles = objects('alternativeTitles', ['alternativeTitle'], {
  words: wordsOf('alternativeTitles'),
});
const series = objects('series', ['value'], { words: wordsOf('series') });
const subjects = objects('subjects', ['value']);
const classifications = objects('classifications', ['classificationNumber', 'type']);

const PUBLICATION = ['publisher', 'place', 'dateOfPublication'] as const;
const publication = (...defaults: readonly string[]): CqlObjectsField =>
  objects('publication', PUBLICATION, { defaults });

/** As people write the numbers: an ISBN with hyphens, an OCLC number with its prefix and leading zeros. */
const isbnSpelling = (word: string): string =>
  /^[\dx*?-]+$/i.test(word) ? word.replaceAll('-', '') : word;
const oclcSpelling = (word: string): string =>
  word.replace(/^(?:\(ocolc\))?(?:ocm|ocn|on)?0*(?=\d)/i, '');

const boolean = (sql: string): CqlField => ({ type: 'boolean', sql });

export const INSTANCE: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'i.id' },
    hrid: { type: 'text', sql: 'i.hrid', head: 'i.hrid_head', whole: true },
    source: { type: 'enum', sql: `'MARC'::text`, values: ['MARC'], sortable: false },
    title,
    indexTitle,
    alternativeTitles,
    'alternativeTitles.alternativeTitle': alternativeTitles,
    series,
    'series.value': series,
    contributors,
    'contributors.name': contributors,
    identifiers,
    'identifiers.value': identifiers,
    isbn: list('isbn', {
      ordered: true,
      spelling: isbnSpelling,
      keys: keysOf(KEY_PREFIX.isbn, true),
    }),
    issn: list('issn', {
      ordered: true,
      keys: keysOf(KEY_PREFIX.issn),
      words: wordsOf('issn'),
    }),
    oclc: list('oclc', {
      ordered: true,
      spelling: oclcSpelling,
      keys: keysOf(KEY_PREFIX.oclc, true),
    }),
    languages: list('languages', {
      keys: keysOf(KEY_PREFIX.languages, { except: `i.keys @@ '''${ODD_LANGUAGE}'''::tsquery` }),
    }),
    'dates.date1': code('dates', 'date1'),
    'dates.date2': code('dates', 'date2'),
    'dates.dateType': code('dates', 'dateType'),
    publication: publication(...PUBLICATION),
    'publication.publisher': publication('publisher'),
    'publication.place': publication('place'),
    'publication.dateOfPublication': publication('dateOfPublication'),
    dateOfPublication: list('dateOfPublication'),
    subjects,
    'subjects.value': subjects,
    classifications,
    'classifications.classificationNumber': classifications,
    'electronicAccess.uri': objects('electronicAccess', ['uri']),
    instanceTypeCode: code('instanceTypeCode'),
    instanceFormatCode: code('instanceFormatCode'),
    modeOfIssuance: code('modeOfIssuance'),
    recordKind: code('recordKind'),
    discoverySuppress: boolean('i.discovery_suppress'),
    staffSuppress: boolean('i.staff_suppress'),
    deleted: boolean('i.deleted'),
    snapshotId: { type: 'uuid', sql: 'i.snapshot_id' },
    'metadata.createdDate': { type: 'date', sql: 'i.created_at' },
    'metadata.createdByUserId': { type: 'text', sql: 'i.created_by::text' },
    'metadata.updatedDate': { type: 'date', sql: 'i.updated_at' },
    'metadata.updatedByUserId': { type: 'text', sql: 'i.updated_by::text' },
    keyword,
    allTitles,
  },
  defaultIndexes: ['keyword'],
};
