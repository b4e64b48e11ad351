import { INTEGER_MAX } from '@quire/contracts/paging';

/** What is stored under the matched id of a record that is to be saved (source-record-storage, 2.5). */
export interface StoredGenerations {
  /** Largest number of all. */
  readonly newest: number | undefined;
  /** Largest number of other records: of those with another id. */
  readonly newestOther: number | undefined;
  /** Largest number of another snapshot that has ended, or was not touched since this one started. */
  readonly finished: number | undefined;
  /** That of the record itself, if this snapshot has saved it before. */
  readonly own: number | undefined;
}

export const NO_GENERATIONS: StoredGenerations = {
  newest: undefined,
  newestOther: undefined,
  finished: undefined,
  own: undefined,
};

/**
 * The generation that a record becomes. A sent one is kept when it is larger than all that are stored; else it is the one after
 * the last finished one. Saving a record once more in its snapshot does not make it older than it was.
 *
 * @returns undefined for a collision: this snapshot has the record under another id, or one that is running holds it
 */
export function generationOf(stored: StoredGenerations, sent?: number): number | undefined {
  const { newest = -1, newestOther = -1, finished = -1, own = 0 } = stored;
  if (sent !== undefined && sent > newest) return sent;
  const computed = Math.max(finished + 1, own);
  return computed > newestOther && computed <= INTEGER_MAX ? computed : undefined;
}
