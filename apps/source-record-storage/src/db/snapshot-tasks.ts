import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

export type SnapshotTaskKind = 'REMOVE' | 'UNDO';

/** Work on a snapshot that takes more than one transaction. */
export interface SnapshotTaskRow<Options = object, Cursor = object, Counts = object> {
  readonly snapshot_id: string;
  readonly kind: SnapshotTaskKind;
  readonly options: Options;
  readonly cursor: Cursor;
  readonly counts: Counts;
  readonly created_by: string;
  readonly created_by_name: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly lease_epoch: string;
}

export interface NewTask {
  readonly snapshotId: string;
  readonly kind: SnapshotTaskKind;
  readonly options: object;
  readonly userName: string | undefined;
}

/**
 * Leased rows (reliability, section 10). Each batch of a task is one transaction that begins with {@link SnapshotTasks.hold}:
 * it locks the row, so that a batch in hand is never claimed, renews the lease and learns whether the task is still ours. So
 * no heartbeat is needed; the lease has to be longer than the pause between two batches only.
 */
const LEASE = `interval '30 seconds'`;

@Injectable()
export class SnapshotTasks {
  find<T extends SnapshotTaskRow>(
    tx: TenantRead,
    snapshotId: string,
    kind: SnapshotTaskKind,
  ): Promise<T | undefined> {
    return tx.one<T>(`select ${COLUMNS} from snapshot_task t where ${KEY}`, [
      tx.tenantId,
      snapshotId,
      kind,
    ]);
  }

  async create(tx: TenantTx, task: NewTask): Promise<void> {
    await tx.execute(
      `insert into snapshot_task (tenant_id, snapshot_id, kind, options, created_by, created_by_name)
       values ($1, $2, $3, $4, $5, $6)`,
      [
        tx.tenantId,
        task.snapshotId,
        task.kind,
        JSON.stringify(task.options),
        tx.scope.actorId,
        task.userName ?? null,
      ],
    );
  }

  /** The oldest open one that nobody has, leased to us. @param snapshotId of this snapshot only */
  claim<T extends SnapshotTaskRow>(
    tx: TenantTx,
    kind: SnapshotTaskKind,
    snapshotId?: string,
  ): Promise<T | undefined> {
    return tx.one<T>(
      `update snapshot_task t set lease_epoch = t.lease_epoch + 1, lease_until = clock_timestamp() + ${LEASE},
         attempts = t.attempts + 1
       where t.tenant_id = $1 and t.kind = $2 and t.snapshot_id = (
         select o.snapshot_id from snapshot_task o
         where o.tenant_id = $1 and o.kind = $2 and o.finished_at is null
           and o.snapshot_id = coalesce($3, o.snapshot_id)
           and (o.lease_until is null or o.lease_until < clock_timestamp())
         order by o.created_at, o.snapshot_id limit 1 for update skip locked)
       returning ${COLUMNS}`,
      [tx.tenantId, kind, snapshotId ?? null],
    );
  }

  /** At the beginning of a batch. @returns the task as it is now; undefined when somebody else has it, or it is done */
  hold<T extends SnapshotTaskRow>(tx: TenantTx, task: SnapshotTaskRow): Promise<T | undefined> {
    return tx.one<T>(
      `update snapshot_task t set lease_until = clock_timestamp() + ${LEASE}
       where ${KEY} and t.lease_epoch = $4 and t.finished_at is null returning ${COLUMNS}`,
      [tx.tenantId, task.snapshot_id, task.kind, task.lease_epoch],
    );
  }

  /** At the end of a batch. */
  async progress(
    tx: TenantTx,
    { snapshot_id, kind }: Pick<SnapshotTaskRow, 'snapshot_id' | 'kind'>,
    { cursor, counts }: { readonly cursor: object; readonly counts: object },
  ): Promise<void> {
    await tx.execute(
      `update snapshot_task t set cursor = $4, counts = $5, attempts = 0 where ${KEY}`,
      [tx.tenantId, snapshot_id, kind, JSON.stringify(cursor), JSON.stringify(counts)],
    );
  }

  /** Waits for the batch in hand; until the transaction ends there is no other. In one order for all. */
  lock<T extends SnapshotTaskRow>(
    tx: TenantTx,
    snapshotIds: readonly string[],
    kind: SnapshotTaskKind,
  ): Promise<T[]> {
    return tx.query<T>(
      `select ${COLUMNS} from snapshot_task t
       where t.tenant_id = $1 and t.snapshot_id = any ($2::uuid[]) and t.kind = $3 order by t.snapshot_id for update`,
      [tx.tenantId, snapshotIds, kind],
    );
  }

  /** There is nothing left to do; the row stays, to tell what was done. */
  async finish(
    tx: TenantTx,
    { snapshot_id, kind }: Pick<SnapshotTaskRow, 'snapshot_id' | 'kind'>,
  ): Promise<void> {
    await tx.execute(
      `update snapshot_task t set finished_at = clock_timestamp(), lease_until = null where ${KEY}`,
      [tx.tenantId, snapshot_id, kind],
    );
  }

  /** Can be claimed at once. */
  async giveBack(tx: TenantTx, task: SnapshotTaskRow): Promise<void> {
    await tx.execute(
      `update snapshot_task t set lease_until = null where ${KEY} and t.lease_epoch = $4`,
      [tx.tenantId, task.snapshot_id, task.kind, task.lease_epoch],
    );
  }

  /** All tasks of a snapshot, or those of a kind. */
  async remove(tx: TenantTx, snapshotId: string, kind?: SnapshotTaskKind): Promise<void> {
    await tx.execute(
      `delete from snapshot_task where tenant_id = $1 and snapshot_id = $2 and kind = coalesce($3, kind)`,
      [tx.tenantId, snapshotId, kind ?? null],
    );
  }
}

/** In whose name the task goes on. */
export const scopeOf = (tenantId: string, task: SnapshotTaskRow): Scope => ({
  tenantId,
  actorId: task.created_by,
});

const KEY = 't.tenant_id = $1 and t.snapshot_id = $2 and t.kind = $3';

const COLUMNS = `t.snapshot_id, t.kind, t.options, t.cursor, t.counts, t.created_by, t.created_by_name, t.created_at, t.finished_at,
  t.lease_epoch`;
