import { Controller } from '@nestjs/common';
import { ImportUndoRequested, type ImportUndoRequestedPayload } from '@quire/contracts/data-import';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { UndoRequests } from '../usecases/undo-requests.js';

/** Imports whose records data-import wants back. */
@Controller()
export class UndosHandlers {
  constructor(private readonly requests: UndoRequests) {}

  @Handles(ImportUndoRequested)
  async undoRequested(job: ImportUndoRequestedPayload, delivery: Delivery): Promise<void> {
    await this.requests.take({ ...delivery.scope, actorId: job.userId }, job.jobExecutionId);
  }
}
