import type { Field } from '@quire/contracts/fields';
import { columnOf, storedFields, type Entity } from '../domain/entities.js';
import { computedAmounts } from './budget-amounts.js';

/** From the description of an entity to the columns of its table: what is read, and what is written. */
const STAMPS = [
  'created_at',
  'created_by',
  'created_by_name',
  'updated_at',
  'updated_by',
  'updated_by_name',
];

/** What `select` names, with the table's own name as alias. */
export function selected(entity: Entity): string {
  const { table, stamped } = entity;
  const stored = storedFields(entity).map(({ name, type }) => {
    const column = columnOf(name);
    return type.kind === 'decimal' ? decimal(`${table}.${column}`, column) : `${table}.${column}`;
  });
  const computed =
    entity.name === 'Budget' ? computedAmounts((column) => `${table}.${column}`) : {};
  return [
    `${table}.id`,
    `${table}.version`,
    ...stored,
    ...Object.entries(computed).map(([column, sql]) => decimal(sql, column)),
    ...(stamped ? STAMPS.map((column) => `${table}.${column}`) : []),
  ].join(', ');
}

/** Without trailing zeros (conventions, section 9). */
const decimal = (sql: string, column: string): string => `trim_scale(${sql})::text as ${column}`;

/** The value of a property as a parameter of its column. */
export function parameterOf({ type }: Field, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (type.kind === 'nested' || (type.kind === 'list' && type.of.kind === 'nested'))
    return JSON.stringify(value);
  return value;
}
