import type { Scope } from '@quire/contracts/scope';
import type { ObjectStore } from '@quire/object-store/object-store';
import type { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';

/**
 * Every object of the store has an intent row, committed before its first byte and deleted in the transaction that refers
 * to it (reliability, section 10). What is left over after an hour is an object that nobody refers to: it is swept.
 */
export class ObjectIntents {
  async announce(tx: TenantTx, key: TenantKey): Promise<void> {
    await tx.execute('insert into object_intent (tenant_id, key) values ($1, $2)', [
      tx.tenantId,
      key.toString(),
    ]);
  }

  /** In the transaction that refers to the objects, or that says they are gone. */
  async settle(tx: TenantTx, ...keys: readonly (TenantKey | string)[]): Promise<void> {
    await tx.execute('delete from object_intent where tenant_id = $1 and key = any ($2)', [
      tx.tenantId,
      keys.map(String),
    ]);
  }

  /** In the transaction in which the last reference to the objects goes: the next sweep removes them. */
  async discard(tx: TenantTx, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await tx.execute(
      `insert into object_intent (tenant_id, key, at) select $1, key, '-infinity' from unnest($2::text[]) as k (key)
       on conflict (tenant_id, key) do update set at = excluded.at`,
      [tx.tenantId, [...new Set(keys)]],
    );
  }

  /**
   * Removes an object that nobody refers to, and then its intent. One that the store does not give up is overdue again later:
   * it must not stand before the others for ever.
   *
   * @throws what the store says
   */
  async sweep(
    source: DataSource,
    scope: Scope,
    { store, key }: { readonly store: Pick<ObjectStore, 'remove'>; readonly key: TenantKey },
  ): Promise<void> {
    try {
      await store.remove(key);
    } catch (error) {
      await withTenant(source, scope, (tx) => this.postpone(tx, key));
      throw error;
    }
    await withTenant(source, scope, (tx) => this.settle(tx, key));
  }

  /** Keys whose object nobody refers to, the oldest first. */
  async overdue(tx: TenantRead, olderThanMs: number, limit = 100): Promise<string[]> {
    const rows = await tx.query<{ key: string }>(
      `select key from object_intent where tenant_id = $1 and at < now() - $2 * interval '1 millisecond'
       order by at, key limit $3`,
      [tx.tenantId, olderThanMs, limit],
    );
    return rows.map((row) => row.key);
  }

  private async postpone(tx: TenantTx, key: TenantKey): Promise<void> {
    await tx.execute('update object_intent set at = now() where tenant_id = $1 and key = $2', [
      tx.tenantId,
      key.toString(),
    ]);
  }
}
