import { Injectable } from '@nestjs/common';
import { textArray, uuidArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/** A record that an undo has left as it is. */
export interface KeptRecord {
  readonly id: string;
  readonly matchedId: string;
  readonly reason: string;
}

@Injectable()
export class UndoConflicts {
  /** @returns how many were not known yet */
  async add(tx: TenantTx, snapshotId: string, kept: readonly KeptRecord[]): Promise<number> {
    if (kept.length === 0) return 0;
    return tx.execute(
      `insert into undo_conflict (tenant_id, snapshot_id, record_id, matched_id, reason)
       select $1, $2, * from unnest($3::uuid[], $4::uuid[], $5::text[]) on conflict do nothing`,
      [
        tx.tenantId,
        snapshotId,
        uuidArray(kept.map(({ id }) => id)),
        uuidArray(kept.map(({ matchedId }) => matchedId)),
        textArray(kept.map(({ reason }) => reason)),
      ],
    );
  }

  /** In the order in which they were found. */
  list(
    tx: TenantRead,
    snapshotId: string,
    limit: number,
  ): Promise<{ matchedId: string; reason: string }[]> {
    return tx.query(
      `select matched_id as "matchedId", reason from undo_conflict
       where tenant_id = $1 and snapshot_id = $2 order by place limit $3`,
      [tx.tenantId, snapshotId, limit],
    );
  }
}
