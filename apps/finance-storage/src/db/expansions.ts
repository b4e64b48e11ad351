import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';
import { answerOf, type Answer } from '../domain/entity-answer.js';
import { fund, type Entity } from '../domain/entities.js';
import { EXPANSIONS, type Expansion } from '../domain/expansions.js';
import { Entities, type EntityRow } from './entities.js';
import { selected } from './entity-columns.js';

type Shown = Readonly<Record<string, unknown>>;
/** What is shown with each row, by the id of the row. */
type Shows = ReadonlyMap<string, unknown>;

/** Reads the related rows of a batch of rows: one query for each entity, whatever the number of rows. */
@Injectable()
export class Expansions {
  constructor(private readonly entities: Entities) {}

  /** @returns the answers of the rows, each with `expanded` */
  async answers(
    tx: TenantRead,
    entity: Entity,
    rows: readonly EntityRow[],
    names: readonly string[],
  ): Promise<Answer[]> {
    const found = await this.found(tx, entity, rows, names);
    return rows.map((row) => {
      if (names.length === 0) return answerOf(entity, row);
      const shown = found.flatMap(([name, shows]) =>
        shows.has(row.id) ? [[name, shows.get(row.id)] as const] : [],
      );
      return { ...answerOf(entity, row), expanded: Object.fromEntries(shown) };
    });
  }

  private async found(
    tx: TenantRead,
    entity: Entity,
    rows: readonly EntityRow[],
    names: readonly string[],
  ): Promise<(readonly [string, Shows])[]> {
    const known = EXPANSIONS[entity.name] ?? {};
    const funds = names.some((name) => known[name]?.overFund)
      ? await this.byId(
          tx,
          fund,
          rows.map((row) => row['fund_id']),
        )
      : new Map<string, EntityRow>();
    const found: (readonly [string, Shows])[] = [];
    for (const name of names) {
      const expansion = known[name];
      if (!expansion) continue;
      const shows =
        expansion.column === undefined
          ? await this.groupsOf(tx, expansion, rows)
          : await this.related(tx, { ...expansion, column: expansion.column }, rows, funds);
      found.push([name, shows]);
    }
    return found;
  }

  private async related(
    tx: TenantRead,
    expansion: Expansion & { readonly column: string },
    rows: readonly EntityRow[],
    funds: ReadonlyMap<string, EntityRow>,
  ): Promise<Shows> {
    const { entity, column, overFund = false } = expansion;
    const holder = (row: EntityRow): EntityRow | undefined =>
      overFund ? funds.get(String(row['fund_id'])) : row;
    const related = await this.byId(
      tx,
      entity,
      rows.map((row) => holder(row)?.[column]),
    );
    // Many rows share one group, year or ledger.
    const shown = new Map([...related].map(([id, one]) => [id, shownOf(expansion, one)]));
    const pairs = rows.flatMap((row) => {
      const one = shown.get(String(holder(row)?.[column]));
      return one ? [[row.id, one] as const] : [];
    });
    return new Map(pairs);
  }

  private async byId(
    tx: TenantRead,
    entity: Entity,
    ids: readonly unknown[],
  ): Promise<ReadonlyMap<string, EntityRow>> {
    const wanted = [...new Set(ids.filter((id): id is string => typeof id === 'string'))];
    if (wanted.length === 0) return new Map();
    const rows = await this.entities.ofIds(tx, entity, wanted);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Of funds: every group that a fund is in, in any fiscal year, by code. */
  private async groupsOf(
    tx: TenantRead,
    expansion: Expansion,
    rows: readonly EntityRow[],
  ): Promise<Shows> {
    const found = await tx.query<EntityRow & { of_fund: string }>(
      `select q.id as of_fund, ${selected(expansion.entity)} from unnest($2::uuid[]) as q (id)
       join groups on groups.tenant_id = $1 and groups.id in (
         select group_id from group_fund_fiscal_year where tenant_id = $1 and fund_id = q.id)
       order by groups.code_head collate "C", groups.id`,
      [tx.tenantId, rows.map((row) => row.id)],
    );
    const groups = new Map<string, Shown[]>(rows.map((row) => [row.id, []]));
    for (const row of found) groups.get(row.of_fund)?.push(shownOf(expansion, row));
    return groups;
  }
}

function shownOf({ entity, properties }: Expansion, row: EntityRow): Shown {
  const whole = answerOf(entity, row);
  return Object.fromEntries(
    properties.flatMap((name) => (whole[name] === undefined ? [] : [[name, whole[name]]])),
  );
}
