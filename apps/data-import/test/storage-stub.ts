import { Controller, Module } from '@nestjs/common';
import {
  ChunkReady,
  ImportCompleted,
  ImportJobChanged,
  ImportJobCreated,
  ImportUndoRequested,
  type ChunkReadyPayload,
  type ImportJobPayload,
  type ImportUndoRequestedPayload,
} from '@quire/contracts/data-import';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { houseMigrations } from '@quire/postgres/house-migrations';
import { houseTables } from '@quire/postgres/house-tables';
import type { ServiceDefinition } from '@quire/service/boot';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { entriesController, SavedStub } from './saved-stub.js';

/** What source-record-storage was sent, each chunk and attempt once. */
export class Sent {
  /** What it tells of imports. */
  readonly saved = new SavedStub();
  private readonly chunks = new Map<string, ChunkReadyPayload>();
  private waiting: (() => void)[] = [];
  /** Jobs of which something was said, chunks aside. */
  readonly toldOf = new Set<string>();
  /** What it was asked to take back, by delivery. */
  readonly undos = new Map<string, ImportUndoRequestedPayload>();

  take(chunk: ChunkReadyPayload): void {
    this.chunks.set(`${chunk.chunkId} ${chunk.attempt}`, chunk);
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** The chunks of a job, by number and attempt, once there are so many. */
  async of(jobId: string, count: number): Promise<ChunkReadyPayload[]> {
    for (;;) {
      const found = [...this.chunks.values()].filter(
        ({ jobExecutionId }) => jobExecutionId === jobId,
      );
      if (found.length >= count)
        return found.sort((a, b) => a.chunkNo - b.chunkNo || a.attempt - b.attempt);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

/** A source-record-storage that does no work of its own: it notes the chunks it is sent, and has an outbox to answer from. */
export function storageStub(sent: Sent): ServiceDefinition {
  @Controller()
  class Chunks {
    @Handles(ChunkReady)
    ready(chunk: ChunkReadyPayload, _delivery: Delivery): Promise<void> {
      sent.take(chunk);
      return Promise.resolve();
    }
  }

  @Controller()
  class Jobs {
    @Handles(ImportJobCreated)
    created(job: ImportJobPayload, _delivery: Delivery): Promise<void> {
      return this.told(job);
    }

    @Handles(ImportJobChanged)
    changed(job: ImportJobPayload, _delivery: Delivery): Promise<void> {
      return this.told(job);
    }

    @Handles(ImportCompleted)
    completed(job: ImportJobPayload, _delivery: Delivery): Promise<void> {
      return this.told(job);
    }

    @Handles(ImportUndoRequested)
    undo(job: ImportUndoRequestedPayload, { id }: Delivery): Promise<void> {
      sent.undos.set(id, job);
      return Promise.resolve();
    }

    private told(job: ImportJobPayload): Promise<void> {
      sent.toldOf.add(job.jobExecutionId);
      return Promise.resolve();
    }
  }

  @Module({ controllers: [Chunks, Jobs, entriesController(sent.saved)] })
  class StubModule {}

  const schema = 'source_record_storage';
  return {
    name: 'source-record-storage',
    schema: {
      service: 'source-record-storage',
      schema,
      migrations: [House1700000000001, ...houseMigrations(schema)],
    },
    module: StubModule,
  };
}

class House1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of houseTables('source_record_storage')) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}
