/** Word searches: the query for the words of a term, and what an index on the words tells about it. */
import type { CqlRelation } from '@quire/cql/ast';
import type { CqlLookup, CqlWordIndex } from './cql-entity.js';
import { badTerm } from './cql-scope.js';
import type { Comparison, CqlScope } from './cql-scope.js';
import { readWords } from './cql-terms.js';
import type { Word } from './cql-terms.js';

/** The words of a term, of the clause itself or of a modifier. @throws CqlError on a mask that words cannot have */
export function wordsOf(comparison: Comparison, term: string): readonly Word[] | 'every' | 'blank' {
  const read = readWords(term);
  if (read.kind === 'wrong') throw badTerm(comparison, read.reason);
  return read.kind === 'words' ? read.words : read.kind;
}

/** The tsquery of a term: `all` and `any` as they say, else the words side by side. */
export function wordQuery(scope: CqlScope, relation: CqlRelation, words: readonly Word[]): string {
  const joiner = relation === 'all' ? ' & ' : relation === 'any' ? ' | ' : ' <-> ';
  const suffixes = words.map(({ truncated }) => (truncated ? ':*' : ''));
  return scope.call(
    'cql_query',
    scope.bind(
      words.map((word) => word.text),
      'text[]',
    ),
    scope.bind(suffixes, 'text[]'),
    `'${joiner}'`,
  );
}

/** The row's key is among those that a function of the service finds. */
export function lookedUp({ key, call }: CqlLookup, wanted: string): string {
  return `${key} in (select found from ${call}(${wanted}) as found)`;
}

export interface WordSearch {
  readonly relation: CqlRelation;
  readonly words: readonly Word[];
  /** The exact rule, as a condition on the value; called when it is needed, because it may bind parameters. */
  readonly rule: () => string;
  /** False: the index finds candidates only, also where it is exact otherwise. */
  readonly exact?: boolean;
}

/** The index finds rows, and the rule is applied to those of which the index does not tell all. */
export function settled(scope: CqlScope, index: CqlWordIndex, search: WordSearch): string {
  const { relation, words, rule, exact = true } = search;
  const parts = partsOf(words);
  const phrase = relation !== 'all' && relation !== 'any';
  const conditions = (phrase ? parts.slice(0, 1) : parts).map((part) =>
    foundBy(scope, index, wordQuery(scope, relation, part)),
  );
  const found = joined(conditions, relation === 'any' ? ' or ' : ' and ');
  const { doubtful } = index;
  const candidates = doubtful === undefined ? found : `(${found} or ${doubtful})`;
  const tellsAll = index.exact === true && exact && !(phrase && parts.length > 1);
  if (!tellsAll) return `(${candidates} and ${rule()})`;
  return doubtful === undefined ? found : `(${candidates} and (not ${doubtful} or ${rule()}))`;
}

function foundBy(
  scope: CqlScope,
  { vector, lookup, prefixes }: CqlWordIndex,
  words: string,
): string {
  const query = prefixes
    ? scope.call('cql_in_fields', words, scope.bind(prefixes, 'text[]'))
    : words;
  return lookup ? lookedUp(lookup, query) : `${vector} @@ ${query}`;
}

const joined = (conditions: readonly string[], operator: string): string =>
  conditions.length === 1 ? conditions.join('') : `(${conditions.join(operator)})`;

/** Of one query: a tsquery holds a megabyte, in which each word stands once for every field, and a compound with its parts. */
const PART_CHARACTERS_MAX = 16_000;

/** At least one. */
function partsOf(words: readonly Word[]): (readonly Word[])[] {
  const parts: Word[][] = [[]];
  let characters = 0;
  for (const word of words) {
    characters += word.text.length + 1;
    if (characters > PART_CHARACTERS_MAX) {
      parts.push([]);
      characters = word.text.length + 1;
    }
    parts.at(-1)?.push(word);
  }
  return parts;
}
