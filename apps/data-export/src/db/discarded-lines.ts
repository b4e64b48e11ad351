import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/** Of each table in one transaction: well below a second. */
const LINES_AT_ONCE = 50_000;
const OWNERS_AT_ONCE = 100;

/**
 * Lines that nobody refers to any more: ids and bad lines of inputs, outcomes of jobs. A file of ids has up to 14 million, and
 * no statement may take a minute, so they go bit by bit.
 */
export class DiscardedLines {
  /**
   * In the transaction in which nobody refers to them any more: the first go with it, which mostly are all, the others later.
   *
   * @param ownerId an input, or a job for its outcomes
   */
  async discard(tx: TenantTx, ownerId: string): Promise<void> {
    if ((await this.removeSome(tx, ownerId, 0)) === undefined) return;
    await tx.execute(
      'insert into discarded_lines (tenant_id, owner_id) values ($1, $2) on conflict do nothing',
      [tx.tenantId, ownerId],
    );
  }

  /** Owners of discarded lines; there may be more. */
  async owners(tx: TenantRead): Promise<string[]> {
    const rows = await tx.query<{ owner_id: string }>(
      'select owner_id from discarded_lines where tenant_id = $1 order by owner_id limit $2',
      [tx.tenantId, OWNERS_AT_ONCE],
    );
    return rows.map((row) => row.owner_id);
  }

  /** All of its lines are gone. */
  async settle(tx: TenantTx, ownerId: string): Promise<void> {
    await tx.execute('delete from discarded_lines where tenant_id = $1 and owner_id = $2', [
      tx.tenantId,
      ownerId,
    ]);
  }

  /**
   * Removes the next lines of an owner, from a line number on.
   *
   * @returns the line to go on from; undefined: there was none left
   */
  async removeSome(tx: TenantTx, ownerId: string, from: number): Promise<number | undefined> {
    const row = await tx.one<{ line: number | null }>(
      `select least(
         (select min(ordinal) from export_id where tenant_id = $1 and input_id = $2 and ordinal >= $3),
         (select min(line) from export_line where tenant_id = $1 and input_id = $2 and line >= $3),
         (select min(ordinal) from export_outcome where tenant_id = $1 and job_id = $2 and ordinal >= $3)) as line`,
      [tx.tenantId, ownerId, from],
    );
    const first = row?.line ?? undefined;
    if (first === undefined) return undefined;
    const next = first + LINES_AT_ONCE;
    for (const [table, owner, line] of TABLES)
      await tx.execute(
        `delete from ${table} where tenant_id = $1 and ${owner} = $2 and ${line} >= $3 and ${line} < $4`,
        [tx.tenantId, ownerId, first, next],
      );
    return next;
  }
}

const TABLES = [
  ['export_id', 'input_id', 'ordinal'],
  ['export_line', 'input_id', 'line'],
  ['export_outcome', 'job_id', 'ordinal'],
] as const;
