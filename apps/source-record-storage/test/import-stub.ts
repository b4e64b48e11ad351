import { Controller, Module } from '@nestjs/common';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import {
  ChunkRejected,
  ChunkSaved,
  type ChunkRejectedPayload,
  type ChunkSavedPayload,
} from '@quire/contracts/source-records';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { TenantKey } from '@quire/object-store/tenant-key';
import { houseTables } from '@quire/postgres/house-tables';
import type { ServiceDefinition } from '@quire/service/boot';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export const TENANT = 'library';
export const OTHER_TENANT = 'archive';
export const USER_ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
export const FILE_ID = '5a6de9c9-9b1e-4b0b-8f4f-1c3a6e1e7d22';
const PROFILE_ID = 'e34d7b92-9b83-11eb-a8b3-0242ac130003';
const NAMES = '0b7c7a3e-5f4d-4c55-9a70-3d1c2a4e8f11';
/** The same name gives the same UUID. */
export const idOf = (name: string): string => uuidV5(NAMES, name);

/** What data-import is told of a chunk. */
export type Told = { readonly actorId: string } & (
  | { readonly name: 'ChunkSaved'; readonly payload: ChunkSavedPayload }
  | { readonly name: 'ChunkRejected'; readonly payload: ChunkRejectedPayload }
);

export interface Sending {
  readonly tenantId?: string;
  /** Name of the job. */
  readonly job?: string;
  readonly chunkNo?: number;
  readonly firstOrder?: number;
  /** Bytes of the file before the chunk. */
  readonly offset?: number;
  readonly changes?: Partial<ChunkReadyPayload>;
  readonly options?: Partial<ChunkReadyPayload['options']>;
  readonly profile?: Partial<ChunkReadyPayload['profile']>;
}

let files = 0;

/** A chunk of a file that consists of these frames, behind `offset` bytes of something else. */
export function chunkOf(frames: readonly Buffer[], sending: Sending = {}): ChunkReadyPayload {
  const { tenantId = TENANT, job = 'job', chunkNo = 0, firstOrder = 0, offset = 0 } = sending;
  const jobExecutionId = idOf(job);
  return {
    tenantId,
    jobExecutionId,
    jobVersion: 2,
    chunkId: uuidV5(jobExecutionId, `chunk:${chunkNo}`),
    chunkNo,
    attempt: 1,
    objectKey: TenantKey.of('import', tenantId, idOf(`file ${(files += 1)}`)).toString(),
    offset,
    length: frames.reduce((sum, frame) => sum + frame.length, 0),
    format: 'MARC_RAW',
    frames: frames.flatMap((frame) => [0, frame.length]),
    firstOrder,
    count: frames.length,
    userName: 'ann',
    userId: USER_ID,
    source: { fileDefinitionId: FILE_ID },
    snapshot: {
      status: 'PARSING_IN_PROGRESS',
      processingStartedDate: '2026-11-25T06:00:00.000+00:00',
    },
    profile: {
      id: PROFILE_ID,
      name: 'Create records',
      recordTypes: ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'],
      match: 'none',
      ...sending.profile,
    },
    options: {
      on999ff: 'reject',
      skipUnchanged: true,
      strict: false,
      assignInstanceIds: true,
      dryRun: false,
      ...sending.options,
    },
    ...sending.changes,
  };
}

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
    schema: { service: 'data-import', schema: 'data_import', migrations: [House1700000000001] },
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
