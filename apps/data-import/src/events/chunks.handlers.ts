import { Controller } from '@nestjs/common';
import {
  ChunkRejected,
  ChunkSaved,
  type ChunkRejectedPayload,
  type ChunkSavedPayload,
} from '@quire/contracts/source-record-events';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles, HandlesGivenUp } from '@quire/messaging/handles';
import { Imports } from '../usecases/imports.js';

/** The chunks come home from source-record-storage. */
@Controller()
export class ChunksHandlers {
  constructor(private readonly imports: Imports) {}

  @Handles(ChunkSaved)
  async chunkSaved(saved: ChunkSavedPayload, delivery: Delivery): Promise<void> {
    await this.imports.chunkSaved(delivery.scope, saved);
  }

  @Handles(ChunkRejected)
  async chunkRejected(rejected: ChunkRejectedPayload, delivery: Delivery): Promise<void> {
    await this.imports.chunkRejected(delivery.scope, rejected);
  }

  @HandlesGivenUp(ChunkSaved)
  async savedGivenUp(saved: ChunkSavedPayload, delivery: Delivery): Promise<void> {
    await this.imports.answerGivenUp(delivery.scope, saved);
  }

  @HandlesGivenUp(ChunkRejected)
  async rejectedGivenUp(rejected: ChunkRejectedPayload, delivery: Delivery): Promise<void> {
    await this.imports.answerGivenUp(delivery.scope, rejected);
  }
}
