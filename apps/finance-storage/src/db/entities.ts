import { Injectable } from '@nestjs/common';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { columnOf, storedFields, type Entity } from '../domain/entities.js';
import { parameterOf, selected } from './entity-columns.js';

/** A row, by the names of its columns. */
export interface EntityRow {
  readonly id: string;
  readonly version: number;
  readonly [column: string]: unknown;
}

/** Properties of an entity, as a checked body has them. */
export type Values = Readonly<Record<string, unknown>>;

/** The tables of all entities; their statements follow from the descriptions in `domain/entities.ts`. */
@Injectable()
export class Entities {
  private readonly finds = new Map<Entity, string>();

  find(tx: TenantRead, entity: Entity, id: string): Promise<EntityRow | undefined> {
    return tx.one<EntityRow>(this.findOf(entity), [tx.tenantId, id]);
  }

  /** Those that exist, in the order of the ids. */
  ofIds(tx: TenantRead, entity: Entity, ids: readonly string[]): Promise<EntityRow[]> {
    const { table } = entity;
    return tx.query<EntityRow>(
      `select ${selected(entity)} from unnest($2::uuid[]) with ordinality as q (id, place)
       join ${table} on ${table}.tenant_id = $1 and ${table}.id = q.id order by q.place`,
      [tx.tenantId, ids],
    );
  }

  /**
   * The row as it is, which nobody else changes before the transaction has ended. A change lets others refer to the row
   * meanwhile, a removal does not.
   */
  hold(
    tx: TenantTx,
    entity: Entity,
    id: string,
    lock: 'update' | 'no key update',
  ): Promise<EntityRow | undefined> {
    return tx.one<EntityRow>(
      `select ${selected(entity)} from ${entity.table} where tenant_id = $1 and id = $2 for ${lock}`,
      [tx.tenantId, id],
    );
  }

  async insert(
    tx: TenantTx,
    entity: Entity,
    values: Values & { readonly id: string },
    userName: string,
  ): Promise<EntityRow> {
    const fields = storedFields(entity);
    const params: unknown[] = [tx.tenantId, values.id];
    const columns = ['tenant_id', 'id'];
    for (const field of fields) {
      columns.push(columnOf(field.name));
      params.push(parameterOf(field, values[field.name]));
    }
    const marks = params.map((_, at) => `$${at + 1}`);
    if (entity.stamped) {
      columns.push('created_at', 'updated_at', 'created_by', 'updated_by', 'created_by_name');
      columns.push('updated_by_name');
      const [actor, name] = [params.push(tx.scope.actorId), params.push(userName)];
      marks.push('now()', 'now()', `$${actor}`, `$${actor}`, `$${name}`, `$${name}`);
    }
    const row = await tx.one<EntityRow>(
      `insert into ${entity.table} (${columns.join(', ')}) values (${marks.join(', ')})
       returning ${selected(entity)}`,
      params,
    );
    if (!row) throw new Error('An insert returned no row.');
    return row;
  }

  /** Puts the values in place of all that is stored. @returns undefined when the version is another one by now */
  update(
    tx: TenantTx,
    entity: Entity,
    values: Values & { readonly id: string; readonly version: number },
    userName: string,
  ): Promise<EntityRow | undefined> {
    const params: unknown[] = [tx.tenantId, values.id, values.version];
    const sets = storedFields(entity).map((field) => {
      params.push(parameterOf(field, values[field.name]));
      return `${columnOf(field.name)} = $${params.length}`;
    });
    if (entity.stamped) sets.push(...stampSets(params, tx.scope.actorId, userName));
    return tx.one<EntityRow>(
      `update ${entity.table} set ${[...sets, NEXT_VERSION].join(', ')}
       where tenant_id = $1 and id = $2 and version = $3 returning ${selected(entity)}`,
      params,
    );
  }

  async remove(tx: TenantTx, entity: Entity, id: string): Promise<void> {
    await tx.execute(`delete from ${entity.table} where tenant_id = $1 and id = $2`, [
      tx.tenantId,
      id,
    ]);
  }

  /** The one that most requests ask, so it is not written anew for each. */
  private findOf(entity: Entity): string {
    const sql =
      this.finds.get(entity) ??
      `select ${selected(entity)} from ${entity.table} where tenant_id = $1 and id = $2`;
    this.finds.set(entity, sql);
    return sql;
  }
}

/** Modulo 2^31 (conventions, section 13). */
export const NEXT_VERSION = 'version = ((version::bigint + 1) % 2147483648)::int';

/** Pushes two parameters. A date of change never goes back. */
export function stampSets(params: unknown[], actorId: string, userName: string): string[] {
  const [actor, name] = [params.push(actorId), params.push(userName)];
  return [
    `updated_at = greatest(now(), updated_at)`,
    `updated_by = $${actor}`,
    `updated_by_name = $${name}`,
  ];
}
