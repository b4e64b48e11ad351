import { formatDate } from '@quire/contracts/dates';
import { decimalJson } from '@quire/contracts/decimals';
import { fieldsOf, type Field } from '@quire/contracts/fields';
import { columnOf, type Entity } from './entities.js';

export interface Answer {
  readonly _version: number;
  readonly [property: string]: unknown;
}

/** A row as the API shows it: the id first, properties in the order of the contract, without what is undefined. */
export function answerOf(
  { contract, stamped }: Entity,
  row: Readonly<Record<string, unknown>> & { readonly version: number },
): Answer {
  const answer: Record<string, unknown> & { _version: number } = {
    id: row['id'],
    _version: row.version,
  };
  for (const field of fieldsOf(contract)) {
    if (NOT_COLUMNS.has(field.name)) continue;
    const value = row[columnOf(field.name)];
    if (value !== null && value !== undefined) answer[field.name] = shown(field, value);
  }
  if (stamped) answer['metadata'] = metadataOf(row);
  return answer;
}

/** They come first or last, or from elsewhere. */
const NOT_COLUMNS: ReadonlySet<string> = new Set(['id', '_version', 'metadata', 'expanded']);

function shown({ type }: Field, value: unknown): unknown {
  if (type.kind === 'date') return formatDate(value as Date);
  return type.kind === 'decimal' ? decimalJson(value as string) : value;
}

function metadataOf(row: Readonly<Record<string, unknown>>): object {
  const text = (column: string, property: string): object =>
    row[column] === null ? {} : { [property]: row[column] };
  return {
    createdDate: formatDate(row['created_at'] as Date),
    ...text('created_by', 'createdByUserId'),
    ...text('created_by_name', 'createdByUsername'),
    updatedDate: formatDate(row['updated_at'] as Date),
    ...text('updated_by', 'updatedByUserId'),
    ...text('updated_by_name', 'updatedByUsername'),
  };
}
