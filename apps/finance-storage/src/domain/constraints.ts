import { refused, type Failure } from '@quire/contracts/failure';
import { columnOf, type Entity } from './entities.js';

/**
 * What the database refuses, in the sentences of finance-storage, section 3. The database decides, because only it sees what
 * others write at the same time; the names of its constraints say which rule it was.
 */
export interface Violated {
  readonly code: string;
  readonly table: string;
  readonly constraint: string;
}

const UNIQUE = '23505';
const FOREIGN_KEY = '23503';

/** @param values of the body that was to be stored; of a deletion only the id */
export function constraintFailure(
  { code, table, constraint }: Violated,
  entity: Entity,
  values: Readonly<Record<string, unknown>>,
): Failure | undefined {
  if (code === UNIQUE) return duplicate(entity, constraint, values);
  if (code !== FOREIGN_KEY) return undefined;
  if (table === entity.table) return unknownReference(entity, constraint, values);
  return refused(
    `Cannot delete ${entity.table}.id = ${String(values['id'])} because id is still referenced from table ${table}.`,
    'finance.referenced',
  );
}

function duplicate(
  { table, unique }: Entity,
  constraint: string,
  values: Readonly<Record<string, unknown>>,
): Failure {
  const set =
    constraint === `${table}_pkey`
      ? ['id']
      : (unique.find((one) => constraint === `${table}_${columnOf(one[0] ?? '')}`) ??
        unique.find((one) => one.length > 1) ??
        []);
  return alreadyThere(table, set, values);
}

export const alreadyThere = (
  table: string,
  properties: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Failure =>
  refused(
    `${properties.join(', ')} value already exists in table ${table}: ${properties.map((one) => String(values[one])).join(', ')}`,
    'finance.duplicate',
  );

function unknownReference(
  { table, references }: Entity,
  constraint: string,
  values: Readonly<Record<string, unknown>>,
): Failure | undefined {
  for (const [property, target] of Object.entries(references)) {
    if (constraint !== `${table}_${columnOf(property)}`) continue;
    return refused(
      `Cannot set ${table}.${property.toLowerCase()} = ${String(values[property])} because it does not exist in ${target}.id.`,
      'finance.reference',
    );
  }
  return undefined;
}
