import { refused, type Failure } from './failure.js';

/** Paging of every collection (conventions, section 14). */
export const TOTAL_RECORDS_MODES = ['exact', 'estimated', 'none', 'auto'] as const;
export type TotalRecordsMode = (typeof TOTAL_RECORDS_MODES)[number];

export interface Paging {
  readonly offset: number;
  readonly limit: number;
  readonly totalRecords: TotalRecordsMode;
}

export const INTEGER_MAX = 2_147_483_647;

/** Query parameters, names in lower case, `name[]` as `name`; a repeated one is an array. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The 400 of conventions, section 8, for a bad query parameter. */
export function badParameter(name: string, value: string | null, reason: string): Failure {
  return refused(
    `'${name}' parameter is incorrect. parameter value {${String(value)}} is not valid: ${reason}`,
    'bad-parameter',
  );
}

/** The one value of a parameter; undefined when absent, refused when repeated. */
export function single(query: Query, name: string): string | undefined {
  const value = query[name.toLowerCase()];
  if (value === undefined || typeof value === 'string') return value;
  if (value.length === 1) return value[0];
  throw refused(
    `'${name}' parameter is incorrect. parameter has been passed more than once`,
    'bad-parameter',
  );
}

/** The one value of a parameter by which something is looked for in the database, which knows no U+0000. */
export function textParameter(query: Query, name: string): string | undefined {
  const value = single(query, name);
  return value === undefined ? undefined : withoutNull(name, value);
}

/** As {@link textParameter}, of one that may be repeated. */
export function textParameters(query: Query, name: string): readonly string[] {
  const value = query[name.toLowerCase()] ?? [];
  return (typeof value === 'string' ? [value] : value).map((one) => withoutNull(name, one));
}

function withoutNull(name: string, value: string): string {
  if (value.includes('\0')) throw badParameter(name, value, 'must not contain U+0000');
  return value;
}

export function required(query: Query, name: string): string {
  const value = single(query, name);
  if (value === undefined) throw badParameter(name, null, 'must not be null');
  return value;
}

export function integerParameter(
  query: Query,
  name: string,
  fallback: number,
  max = INTEGER_MAX,
): number {
  const text = single(query, name);
  if (text === undefined) return fallback;
  if (/^-\d+$/.test(text)) throw badParameter(name, text, 'must be greater than or equal to 0');
  if (!/^\d+$/.test(text))
    throw badParameter(name, text, `must be an integer between 0 and ${max}`);
  const value = Number(text);
  if (value > max) throw badParameter(name, text, `must be less than or equal to ${max}`);
  return value;
}

export function booleanParameter(query: Query, name: string, fallback: boolean): boolean {
  const text = single(query, name);
  if (text === undefined) return fallback;
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  throw badParameter(name, text, 'must be true or false');
}

/** Exact case first, then any case. `reason` replaces the usual text for an unknown value. */
export function enumParameter<T extends string>(
  query: Query,
  name: string,
  values: readonly T[],
  reason?: (value: string) => string,
): T | undefined {
  const text = single(query, name);
  if (text === undefined) return undefined;
  const found =
    values.find((value) => value === text) ??
    values.find((value) => value.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw badParameter(name, text, reason?.(text) ?? `must match "${values.join('|')}"`);
}

/** The page alone, of a list whose count is not asked for. */
export function parsePage(query: Query, defaultLimit = 10): Pick<Paging, 'offset' | 'limit'> {
  return {
    offset: integerParameter(query, 'offset', 0),
    limit: integerParameter(query, 'limit', defaultLimit),
  };
}

export function parsePaging(query: Query, defaultLimit?: number): Paging {
  return {
    ...parsePage(query, defaultLimit),
    totalRecords: enumParameter(query, 'totalRecords', TOTAL_RECORDS_MODES) ?? 'auto',
  };
}

/** `lang` has no effect, but data-export and data-import check its form (conventions, section 8). */
export function checkLang(query: Query): void {
  const lang = single(query, 'lang');
  if (lang !== undefined && !/^[a-zA-Z]{2}$/.test(lang)) {
    throw badParameter('lang', lang, 'must match "[a-zA-Z]{2}"');
  }
}

/**
 * Reconciles the count with the page (conventions, 14.3): a page that came short tells the true end, one that is full
 * proves at least as many.
 */
export function correctTotal(
  rows: number,
  total: number | undefined,
  { offset, limit }: Pick<Paging, 'offset' | 'limit'>,
): number | undefined {
  if (total === undefined) return undefined;
  if (limit === 0) return total;
  if (rows === 0) return Math.min(offset, total);
  if (rows === limit) return Math.max(offset + limit, total);
  return offset + rows;
}
