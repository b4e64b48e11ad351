import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import { changeVersion, checkIfMatch } from '@quire/contracts/locking';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { Entities, type EntityRow, type Values } from '../db/entities.js';
import { constraintFailure, type Violated } from '../domain/constraints.js';
import { columnOf, storedFields, type Entity } from '../domain/entities.js';
import { ownRules } from '../domain/entity-rules.js';
import { failures } from '../domain/failures.js';
import { ChangeEvents } from './change-events.js';
import { Effects } from './effects.js';

/** A change by a client: the body, which was checked by its contract, and the header `If-Match`. */
export interface EntityChange {
  readonly id: string;
  readonly values: Values;
  readonly ifMatch?: string | undefined;
}

/** Making, changing and removing entities, each with its effects and events in one transaction (finance-storage, 1 to 5). */
@Injectable()
export class EntityChanges {
  constructor(
    private readonly source: DataSource,
    private readonly entities: Entities,
    private readonly effects: Effects,
    private readonly events: ChangeEvents,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  create(caller: Caller, entity: Entity, body: Values): Promise<EntityRow> {
    const values = {
      ...entity.defaults,
      ...body,
      id: (body['id'] as string | undefined) ?? this.ids.next(),
    };
    return withTenant(this.source, caller, (tx) => this.insert(tx, entity, values, caller));
  }

  async change(caller: Caller, entity: Entity, change: EntityChange): Promise<void> {
    const values = { ...entity.defaults, ...change.values, id: change.id };
    await this.constrained(caller, entity, values, async (tx) => {
      await this.effects.holding(tx, entity, change.id, values);
      const before = await this.entities.hold(tx, entity, change.id, 'no key update');
      if (!before) throw failures.notFound();
      const { id, version: stored } = before;
      const sent = change.values['_version'] as number | undefined;
      changeVersion({ id, stored, sent, ifMatch: change.ifMatch });
      checkOwn(entity, values);
      await this.effects.changing(tx, entity, values, before);
      const held = { ...values, version: stored };
      const after = await this.entities.update(tx, entity, held, caller.username);
      if (!after) throw new Error('A row that was held was changed.');
      await this.events.add(tx, [entity.name, 'Updated'], after, differing(entity, before, after));
      await this.effects.changed(tx, entity, [before, after], caller.username);
    });
  }

  async remove(
    caller: Caller,
    entity: Entity,
    { id, ifMatch }: Omit<EntityChange, 'values'>,
  ): Promise<void> {
    await this.constrained(caller, entity, { id }, async (tx) => {
      await this.effects.holding(tx, entity, id);
      const row = await this.entities.hold(tx, entity, id, 'update');
      if (!row) throw failures.notFound();
      checkIfMatch({ id, stored: row.version, ifMatch });
      await this.effects.removing(tx, entity, row);
      await this.entities.remove(tx, entity, id);
      await this.events.add(tx, [entity.name, 'Deleted'], row, defined(entity, row));
    });
  }

  /** In a transaction that may make more: sample data. */
  insert(
    tx: TenantTx,
    entity: Entity,
    sent: Values & { readonly id: string },
    { username }: Pick<Caller, 'username'>,
  ): Promise<EntityRow> {
    return constrained(entity, sent, async () => {
      checkOwn(entity, sent);
      const values = await this.effects.creating(tx, entity, sent);
      const row = await this.entities.insert(tx, entity, values, username);
      await this.events.add(tx, [entity.name, 'Created'], row, defined(entity, row));
      await this.effects.created(tx, entity, row);
      return row;
    });
  }

  private constrained(
    caller: Caller,
    entity: Entity,
    values: Values,
    work: (tx: TenantTx) => Promise<void>,
  ): Promise<void> {
    return constrained(entity, values, () => withTenant(this.source, caller, work));
  }
}

/** What the database refuses becomes the sentence for it. */
async function constrained<T>(entity: Entity, values: Values, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw constraintFailure(violatedOf(error), entity, values) ?? error;
  }
}

function checkOwn({ name }: Entity, values: Values): void {
  const failure = ownRules[name]?.(values);
  if (failure) throw failure;
}

function violatedOf(error: unknown): Violated {
  const { code, table, constraint } = (error ?? {}) as Record<string, unknown>;
  return { code: String(code), table: String(table), constraint: String(constraint) };
}

/** Names of the properties whose values differ. */
const differing = (entity: Entity, before: EntityRow, after: EntityRow): string[] =>
  storedFields(entity)
    .map(({ name }) => name)
    .filter((name) => {
      const column = columnOf(name);
      return JSON.stringify(before[column]) !== JSON.stringify(after[column]);
    });

const defined = (entity: Entity, row: EntityRow): string[] =>
  storedFields(entity)
    .map(({ name }) => name)
    .filter((name) => row[columnOf(name)] !== null);
