import { exactKeys, type InstanceFacts } from './instance-facts.js';

/**
 * What the two searched columns of the instance view are made of (source-record-storage, 8.2).
 *
 * The field of a word is the prefix that it stands behind: the index then tells the rows of a word of a field, and need not look
 * at them. A word stands once, so that what two indexes search has a prefix of its own, and each index asks for several.
 */
export const WORD_PREFIX = {
  /** What both `title` and `indexTitle` search: the index title where it stands in the title, and titles in other scripts. */
  titles: 'u:',
  /** The rest of the title. */
  title: 't:',
  /** The index title where it does not stand in the title. */
  indexTitle: 'x:',
  primaryContributors: 'p:',
  otherContributors: 'c:',
  identifiers: 'i:',
  isbn: 'n:',
  issn: 's:',
  alternativeTitles: 'a:',
  series: 'r:',
} as const;
export type WordField = keyof typeof WORD_PREFIX;

/** Texts of one field, in the order of their positions. */
export interface WordGroup {
  readonly prefix: string;
  /** Kept apart by a gap in the positions. */
  readonly elements: readonly string[];
  /** No gap behind the last one: the next group goes on with it. */
  readonly open?: true;
}

/** A few rows cannot be decided by their words. Queries look at their values, so that the answers are right for every row. */
export const WORD_FORM = {
  /** The words tell all. */
  WHOLE: 0,
  /** Words are missing, or their positions. Such rows are found whatever the words say. */
  DOUBTFUL: 2,
} as const;
export type WordForm = (typeof WORD_FORM)[keyof typeof WORD_FORM];

export interface SearchColumns {
  /**
   * For `instance_words`: each a prefix and the elements of the group as one text, so that a row costs few calls of the parser; a
   * word that no catalogue has stands behind each of them, and is taken out again. It must make no difference: joined, an
   * element has the same words as alone (`test/instance-words.int.spec.ts` tries).
   */
  readonly texts: readonly string[];
  readonly form: WordForm;
  /** So long that positions may have been lost: `instance_clipped` tells. */
  readonly long: boolean;
}

const GAP = 'zzgapzz';
/** More text might exceed the megabyte that a tsvector holds. */
const TEXT_CHARACTERS_MAX = 100_000;
/** Positions of the gaps themselves must not be lost, and a word has 256 of them. */
const ELEMENTS_MAX = 200;
/** Less text has no word 255 times. */
const SHORT_CHARACTERS_MAX = 500;

export function searchColumns(facts: InstanceFacts): SearchColumns {
  const groups = wordGroups(facts);
  let characters = 0;
  const texts = groups.flatMap((group) => {
    const text = textOf(group);
    characters += text?.length ?? 0;
    return text === undefined || characters > TEXT_CHARACTERS_MAX ? [] : [text];
  });
  return {
    texts,
    form: texts.length < groups.length ? WORD_FORM.DOUBTFUL : WORD_FORM.WHOLE,
    long: characters > SHORT_CHARACTERS_MAX,
  };
}

export function wordGroups({ title, indexTitle, data }: InstanceFacts): WordGroup[] {
  const { contributors = [], alternativeTitles = [], series = [], identifiers = [] } = data;
  const names = (primary: boolean): string[] =>
    contributors.flatMap((one) => (one.primary === primary ? [one.name] : []));
  const { primaryContributors, otherContributors } = WORD_PREFIX;
  const groups: WordGroup[] = [
    ...titleGroups(title, indexTitle),
    { prefix: WORD_PREFIX.titles, elements: data.linkedTitles ?? [] },
    { prefix: primaryContributors, elements: names(true) },
    { prefix: otherContributors, elements: names(false) },
    { prefix: WORD_PREFIX.identifiers, elements: identifiers.map(({ value }) => value) },
    { prefix: WORD_PREFIX.isbn, elements: data.isbn ?? [] },
    { prefix: WORD_PREFIX.issn, elements: data.issn ?? [] },
    {
      prefix: WORD_PREFIX.alternativeTitles,
      elements: alternativeTitles.map(({ alternativeTitle }) => alternativeTitle),
    },
    { prefix: WORD_PREFIX.series, elements: series.map(({ value }) => value) },
  ];
  return groups.filter(({ elements }) => elements.length > 0);
}

/** The title in up to three parts, cut at blanks, of which the middle one is the index title. */
function titleGroups(title = '', indexTitle = ''): WordGroup[] {
  const part = partOf(title, indexTitle);
  if (part) {
    const { titles, title: rest } = WORD_PREFIX;
    return [
      ...partGroup(rest, title.slice(0, part.from), true),
      ...partGroup(titles, title.slice(part.from, part.to), part.to < title.length),
      ...partGroup(rest, title.slice(part.to), false),
    ];
  }
  return [
    ...partGroup(WORD_PREFIX.title, title, false),
    ...partGroup(WORD_PREFIX.indexTitle, indexTitle, false),
  ];
}

const partGroup = (prefix: string, text: string, open: boolean): WordGroup[] =>
  text === '' ? [] : [{ prefix, elements: [text], ...(open && { open }) }];

/** Where the index title stands in the title, with a sign behind it; undefined where its words might be others than alone. */
function partOf(title: string, indexTitle: string): { from: number; to: number } | undefined {
  const from = title.indexOf(indexTitle);
  // A tag and the address behind a protocol span blanks.
  if (indexTitle === '' || from < 0 || isDependent(indexTitle) || /<|:\/\//.test(title)) {
    return undefined;
  }
  const end = from + indexTitle.length;
  const sign = /^[.,:;=]?(?= |$)/.exec(title.slice(end));
  const startsWord = from === 0 || title[from - 1] === ' ';
  return startsWord && sign ? { from, to: end + sign[0].length } : undefined;
}

/** Undefined: joined, some words would not be those of the elements. */
function textOf({ prefix, elements, open }: WordGroup): string | undefined {
  if (elements.length > ELEMENTS_MAX || elements.some(isDependent)) return undefined;
  return open
    ? prefix + elements.join('')
    : prefix + elements.map((text) => `${text} ${GAP} `).join('');
}

/**
 * An element that would be read otherwise behind another one, or would change how the next one is read: it begins as names of
 * files do, which are such at the beginning of a text only; a tag, a quote in it or a comment is left open.
 */
function isDependent(element: string): boolean {
  if (/zzgapzz/i.test(element) || /^[~./\p{M}]/u.test(element)) return true;
  if (!element.includes('<')) return false;
  return element.lastIndexOf('<') > element.lastIndexOf('>') || /"|<[!?]/.test(element);
}

export const searchKeys = (facts: InstanceFacts): readonly string[] => [
  ...exactKeys(facts),
  ...oddLanguages(facts),
];

/** A language that is no plain word is not found by its words in the keys: such rows are looked at. */
export const ODD_LANGUAGE = 'lang?';

const oddLanguages = ({ data }: InstanceFacts): readonly string[] =>
  data.languages?.some((code) => !/^[a-z]+$/.test(code)) ? [ODD_LANGUAGE] : [];
