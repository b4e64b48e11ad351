/**
 * Rows of snapshots that are being removed are hidden at once and go in batches (source-record-storage, 9.1). Hiding is a
 * policy beside the tenant's: whoever reads, updates or deletes with the app role does not see them, and no query has to
 * know. The list of such snapshots is asked once per statement (an InitPlan) and is nearly always empty.
 *
 * Four things to know:
 * - It binds the app role only. What a function or view of `_sys` finds must be looked up in a table with this policy before
 *   it is shown or counted, or it says {@link isShown} itself.
 * - What is derived from records and kept right by whoever writes them (the instance view, the index of MARC fields) must not
 *   have the policy: its writers have to see every row.
 * - `on conflict do update` against a hidden row is an error of row-level security, and a unique index knows hidden rows
 *   too. A writer that may meet one makes way first (`usecases/hidden-records.ts`).
 * - `nullif(…) is not null` says the same as `<> all` but is taken for true by the planner's estimates, which would
 *   otherwise shrink by the tenth power of the share of one snapshot.
 */
const SCHEMA = 'source_record_storage';

/** Condition on a column with the id of a snapshot: its rows are not hidden. */
export const isShown = (column = 'snapshot_id'): string =>
  `nullif(${column} = any ((select ${SCHEMA}.removing_snapshots())::uuid[]), true) is not null`;

/** Hides rows of `table` (with a column `snapshot_id`) whose snapshot is being removed. For migrations. */
export function hideRemoved(table: string): string {
  return `create policy removed on ${table} as restrictive for select to ${SCHEMA}_app using (${isShown()})`;
}

/**
 * What the policy asks. `app.hidden` is `shown` for those statements that remove: to them all rows are there. Only the rows
 * of `snapshot_removal` of the own tenant are seen, by its own policy.
 */
export const REMOVING_SNAPSHOTS = `
  create function removing_snapshots() returns uuid[] language plpgsql stable as $$
  begin
    if current_setting('app.hidden', true) = 'shown' then
      return '{}';
    end if;
    return array(select r.snapshot_id from ${SCHEMA}.snapshot_removal r);
  end $$`;
