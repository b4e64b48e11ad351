import { badParameter, type Query } from '@quire/contracts/paging';
import { aText, many, type QueryParameter } from '@quire/contracts/query-parameters';

export const orderParameter = (columns: object): QueryParameter =>
  many(
    aText('orderBy', {
      description: `A field, ascending, or with \`,DESC\` descending. Fields: ${Object.keys(columns).join(', ')}.`,
      example: 'id,DESC',
    }),
  );

/**
 * `orderBy` of lists (source-record-storage, 1.3): repeatable, each `field[,DIRECTION]`. Postgres puts undefined values last
 * when ascending and first when descending, which is ours too.
 *
 * @param columns expression by the name of the field; `id` is always the last key
 * @returns what follows `order by`; undefined when nothing was asked
 * @throws Failure 400
 */
export function listOrder(
  query: Query,
  columns: Readonly<Record<string, string>> & { readonly id: string },
): string | undefined {
  const asked = query['orderby'];
  if (asked === undefined) return undefined;
  const keys = new Map<string, string>();
  for (const value of typeof asked === 'string' ? [asked] : asked) {
    const [column, direction] = keyOf(value, columns);
    // A field that comes again orders nothing more.
    if (!keys.has(column)) keys.set(column, `${column}${direction}`);
  }
  if (!keys.has(columns.id)) keys.set(columns.id, columns.id);
  return [...keys.values()].join(', ');
}

const DIRECTIONS: Readonly<Record<string, string>> = { ASC: '', DEFAULT: '', DESC: ' desc' };

function keyOf(value: string, columns: Readonly<Record<string, string>>): [string, string] {
  const [name = '', direction = 'DEFAULT', ...more] = value.split(',').map((part) => part.trim());
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  const sql = Object.hasOwn(DIRECTIONS, direction.toUpperCase())
    ? DIRECTIONS[direction.toUpperCase()]
    : undefined;
  if (column === undefined || sql === undefined || more.length > 0)
    throw badParameter('orderBy', value, `Invalid order by ${value}`);
  return [column, sql];
}
