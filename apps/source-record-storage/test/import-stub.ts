import { Controller, Module } from '@nestjs/common';
import {
  ChunkRejected,
  ChunkSaved,
  type ChunkRejectedPayload,
  type ChunkSavedPayload,
} from '@quire/contracts/source-record-events';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { houseMigrations } from '@quire/postgres/house-migrations';
import { houseTables } from '@quire/postgres/house-tables';
import type { ServiceDefinition } from '@quire/service/boot';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What data-import is told of a chunk. */
export type Told = { readonly actorId: string } & (
  | { readonly name: 'ChunkSaved'; readonly payload: ChunkSavedPayload }
  | { readonly name: 'ChunkRejected'; readonly payload: ChunkRejectedPayload }
);

/**
 * A data-import that does no work of its own: an outbox to send from, and a list of what it is told. The bus may deliver an
 * event more than once; that is told once.
 */
export function importStub(told: Told[]): ServiceDefinition {
  const seen = new Set<string>();
  const isNew = ({ id }: Delivery): boolean => !seen.has(id) && seen.add(id).has(id);

  @Controller()
  class Answers {
    @Handles(ChunkSaved)
    saved(payload: ChunkSavedPayload, delivery: Delivery): Promise<void> {
      const { actorId } = delivery.scope;
      if (isNew(delivery)) told.push({ name: 'ChunkSaved', payload, actorId });
      return Promise.resolve();
    }

    @Handles(ChunkRejected)
    rejected(payload: ChunkRejectedPayload, delivery: Delivery): Promise<void> {
      const { actorId } = delivery.scope;
      if (isNew(delivery)) told.push({ name: 'ChunkRejected', payload, actorId });
      return Promise.resolve();
    }
  }

  @Module({ controllers: [Answers] })
  class StubModule {}

  return {
    name: 'data-import',
    schema: {
      service: 'data-import',
      schema: 'data_import',
      migrations: [House1700000000001, ...houseMigrations('data_import')],
    },
    module: StubModule,
  };
}

class House1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of houseTables('data_import')) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}
