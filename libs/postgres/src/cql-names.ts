/** From a name in a query to the field it means, or to the name that was probably meant. */
import type { CqlEntity, CqlField, CqlJoin } from './cql-entity.js';

export interface Found {
  readonly field: CqlField;
  /** Present when the name begins with the prefix of a related entity. */
  readonly join?: CqlJoin;
}

/** Own properties win over prefixes: `contact.email` may be a field although `contact` is no join. */
export function findField(entity: CqlEntity, name: string): Found | undefined {
  const own = ownOf(entity.fields, name);
  if (own) return { field: own };
  const dot = name.indexOf('.');
  const join = dot < 0 ? undefined : ownOf(entity.joins ?? {}, name.slice(0, dot));
  const field = join && ownOf(join.entity().fields, name.slice(dot + 1));
  return field && { field, join };
}

/** Own keys only: `constructor` and `__proto__` are names that anyone may type. */
function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Longer names are not looked up: the distance costs the product of both lengths. */
const SUGGESTION_CHARACTERS_MAX = 64;

/** The only allowed name within 1 change of the typed one, 2 changes from 5 characters on; letter case ignored. */
export function suggestName(entity: CqlEntity, typed: string): string | undefined {
  if (typed.length > SUGGESTION_CHARACTERS_MAX) return undefined;
  const changesMax = typed.length >= 5 ? 2 : 1;
  const near = new Map<string, string>();
  for (const name of allowedNames(entity)) {
    const folded = name.toLowerCase();
    if (near.has(folded) || Math.abs(name.length - typed.length) > changesMax) continue;
    if (distance(typed.toLowerCase(), folded) <= changesMax) near.set(folded, name);
  }
  return near.size === 1 ? [...near.values()][0] : undefined;
}

function* allowedNames(entity: CqlEntity): Generator<string> {
  yield* Object.keys(entity.fields);
  for (const [prefix, join] of Object.entries(entity.joins ?? {})) {
    for (const name of Object.keys(join.entity().fields)) yield `${prefix}.${name}`;
  }
}

/**
 * Damerau-Levenshtein distance in its restricted form: insertions, deletions, replacements and swaps of neighbours,
 * no part changed twice. Row by row over the table of all beginnings of both names.
 */
function distance(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1];
      const swapped =
        i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const costs = [
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (same ? 0 : 1),
        ...(swapped ? [(before[j - 2] ?? 0) + 1] : []),
      ];
      next.push(Math.min(...costs));
    }
    [before, row] = [row, next];
  }
  return row[right.length] ?? 0;
}
