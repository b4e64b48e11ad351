import { Controller } from '@nestjs/common';
import {
  ChunkReady,
  ImportCancelled,
  ImportCompleted,
  ImportJobChanged,
  ImportJobCreated,
  type ChunkReadyPayload,
  type ImportCancelledPayload,
  type ImportCompletedPayload,
  type ImportJobChangedPayload,
  type ImportJobCreatedPayload,
} from '@quire/contracts/data-import';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles, HandlesGivenUp } from '@quire/messaging/handles';
import { Chunks } from '../usecases/chunks.js';
import { SnapshotFollowing } from '../usecases/snapshots.js';

/** What data-import says of its jobs, and the chunks it hands over. */
@Controller()
export class ImportsHandlers {
  constructor(
    private readonly chunks: Chunks,
    private readonly snapshots: SnapshotFollowing,
  ) {}

  @Handles(ChunkReady)
  async chunkReady(chunk: ChunkReadyPayload, delivery: Delivery): Promise<void> {
    await this.chunks.save({ ...delivery.scope, actorId: chunk.userId }, chunk);
  }

  @HandlesGivenUp(ChunkReady)
  async chunkGivenUp(chunk: ChunkReadyPayload, delivery: Delivery): Promise<void> {
    await this.chunks.reject(delivery.scope, chunk, 'STORE');
  }

  @Handles(ImportJobCreated)
  async jobCreated(job: ImportJobCreatedPayload, delivery: Delivery): Promise<void> {
    // A parent of several files saves nothing itself.
    if (job.subordinationType === 'PARENT_MULTIPLE') return;
    await this.snapshots.follow({ id: job.jobExecutionId, ...job }, delivery);
  }

  @Handles(ImportJobChanged)
  async jobChanged(job: ImportJobChangedPayload, delivery: Delivery): Promise<void> {
    await this.snapshots.follow({ id: job.jobExecutionId, ...job }, delivery);
  }

  @Handles(ImportCompleted)
  async jobCompleted(job: ImportCompletedPayload, delivery: Delivery): Promise<void> {
    const { created, updated } = job.counts;
    await this.snapshots.end({ id: job.jobExecutionId, ...job }, created + updated, delivery);
  }

  @Handles(ImportCancelled)
  async jobCancelled(job: ImportCancelledPayload, delivery: Delivery): Promise<void> {
    await this.snapshots.follow({ id: job.jobExecutionId, ...job }, delivery);
  }
}
