import { Controller } from '@nestjs/common';
import { ExportCompleted, ExportCompletedPayload } from '@quire/contracts/data-export';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { OutputDigests } from '../usecases/output-digests.js';

/** ExportCompleted → the files are read for their digests. */
@Controller()
export class DigestsHandlers {
  constructor(private readonly digests: OutputDigests) {}

  /** The event only says that there is something to do; the rows say what. */
  @Handles(ExportCompleted)
  exportCompleted({ tenantId }: ExportCompletedPayload, _delivery: Delivery): Promise<void> {
    this.digests.wake(tenantId);
    return Promise.resolve();
  }
}
