import { Injectable } from '@nestjs/common';
import { booleanParameter, parsePaging, type Query } from '@quire/contracts/paging';
import { aFlag, pagingParameters, type QueryParameter } from '@quire/contracts/query-parameters';
import type { Caller } from '@quire/contracts/scope';
import type { Listing } from '@quire/postgres/pages';
import { readOnce, readTenant, type TenantRead } from '@quire/postgres/tenant';
import { answerCompletedList } from '@quire/service/listings';
import { cqlOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { Entities, type EntityRow } from '../db/entities.js';
import { listingOf } from '../db/entity-queries.js';
import { Expansions } from '../db/expansions.js';
import { LedgerSums } from '../db/ledger-sums.js';
import type { Answer } from '../domain/entity-answer.js';
import type { Entity } from '../domain/entities.js';
import { expandedOf, expandParameter } from '../domain/expansions.js';
import { failures } from '../domain/failures.js';

/** What a request asks to see besides the row itself. */
interface Asked {
  readonly expanded: readonly string[];
  /** Of ledgers: the sums of their budgets. */
  readonly summary: boolean;
}

/** The reading calls of every entity: lists with CQL, one by its id, both with `expand` and, of ledgers, `summary`. */
@Injectable()
export class EntityReads {
  private readonly listings = new Map<Entity, Listing>();

  constructor(
    private readonly source: DataSource,
    private readonly entities: Entities,
    private readonly expansions: Expansions,
    private readonly sums: LedgerSums,
  ) {}

  list(reply: FastifyReply, caller: Caller, entity: Entity, query: Query): void {
    const asked = askedOf(entity, query);
    answerCompletedList<EntityRow>(this.source, reply, {
      key: entity.key,
      listing: this.listingOf(entity),
      query,
      paging: parsePaging(query),
      scope: caller,
      write: (tx, rows) => this.answers(tx, entity, rows, asked),
    });
  }

  /** @throws Failure 404, 400 for what cannot be expanded */
  async read(caller: Caller, entity: Entity, id: string, query: Query): Promise<Answer> {
    const asked = askedOf(entity, query);
    const reading = asked.expanded.length === 0 && !asked.summary ? readOnce : readTenant;
    const [answer] = await reading(this.source, caller, async (tx) => {
      const row = await this.entities.find(tx, entity, id);
      return this.answers(tx, entity, row ? [row] : [], asked);
    });
    if (!answer) throw failures.notFound();
    return answer;
  }

  private async answers(
    tx: TenantRead,
    entity: Entity,
    rows: readonly EntityRow[],
    { expanded, summary }: Asked,
  ): Promise<Answer[]> {
    const shown = summary ? await this.sums.added(tx, rows) : rows;
    return this.expansions.answers(tx, entity, shown, expanded);
  }

  private listingOf(entity: Entity): Listing {
    const listing = this.listings.get(entity) ?? listingOf(entity);
    this.listings.set(entity, listing);
    return listing;
  }
}

/** What {@link EntityReads} reads of lists. */
export const listParameters = (entity: Entity): readonly QueryParameter[] => [
  cqlOf(listingOf(entity).entity),
  ...askedParameters(entity),
  ...pagingParameters(),
];

/** What it reads of lists and of single ones. */
export const askedParameters = (entity: Entity): readonly QueryParameter[] => [
  expandParameter(entity),
  ...(hasSums(entity) ? [SUMMARY] : []),
];

const SUMMARY = aFlag('summary', { default: false, description: 'Adds the sums of its budgets.' });
const hasSums = (entity: Entity): boolean => entity.name === 'Ledger';

/** @throws Failure 400 */
const askedOf = (entity: Entity, query: Query): Asked => ({
  expanded: expandedOf(entity, query),
  summary: hasSums(entity) && booleanParameter(query, 'summary', false),
});
