import { isUuid } from '@quire/contracts/ids';
import {
  ENTRY_ACTIONS,
  ENTRY_SORTS,
  type EntryAction,
  type EntrySort,
} from '@quire/contracts/source-records';

export type EntryDirection = 'asc' | 'desc';

/** How entries are ordered. Ties are broken by order, then by record id, in the same direction. */
export interface EntryOrder {
  readonly sortBy: EntrySort;
  readonly direction: EntryDirection;
}

/** The entry that a page ended with. */
export interface EntryPlace {
  readonly action: EntryAction;
  /** In the order of code points. */
  readonly title: string;
  readonly order: number;
  readonly id: string;
}

/** Texts for `next` and `after`; made for one order of entries and good for no other. */
export function writeCursor({ sortBy, direction }: EntryOrder, place: EntryPlace): string {
  const { action, title, order, id } = place;
  const parts = [sortBy, direction, action, sortBy === 'title' ? title : '', order, id];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Undefined: not a cursor of this order. */
export function readCursor(
  { sortBy, direction }: EntryOrder,
  cursor: string,
): EntryPlace | undefined {
  const parts = partsOf(cursor);
  if (!Array.isArray(parts) || parts.length !== 6) return undefined;
  const [sort, way, action, title, order, id] = parts as readonly unknown[];
  if (sort !== sortBy || way !== direction || !isOneOf(ENTRY_SORTS, sort)) return undefined;
  if (!isOneOf(ENTRY_ACTIONS, action) || typeof title !== 'string' || title.includes('\u0000'))
    return undefined;
  if (!isInt4(order) || typeof id !== 'string' || !isUuid(id)) return undefined;
  return { action, title, order, id };
}

function partsOf(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

const isOneOf = <T>(values: readonly T[], value: unknown): value is T =>
  values.includes(value as T);

const isInt4 = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 2_147_483_647;
