import { Controller } from '@nestjs/common';
import {
  ExportRequested,
  ExportRequestedPayload,
  SliceFinished,
  SliceFinishedPayload,
  SliceReady,
  SliceReadyPayload,
} from '@quire/contracts/data-export';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles, HandlesGivenUp } from '@quire/messaging/handles';
import { ExportWorkers } from '../usecases/export-workers.js';
import { Exports } from '../usecases/exports.js';

/** ExportRequested → slice · SliceReady → run · SliceFinished → close, release. */
@Controller()
export class ExportsHandlers {
  constructor(
    private readonly exports: Exports,
    private readonly workers: ExportWorkers,
  ) {}

  @Handles(ExportRequested)
  async exportRequested(request: ExportRequestedPayload, delivery: Delivery): Promise<void> {
    await this.exports.slice(request, delivery);
  }

  @HandlesGivenUp(ExportRequested)
  async requestGivenUp(request: ExportRequestedPayload, delivery: Delivery): Promise<void> {
    await this.exports.giveUp(request, delivery);
  }

  /** The slice is a leased row: the event only says that there is something to claim. */
  @Handles(SliceReady)
  sliceReady(_slice: SliceReadyPayload, _delivery: Delivery): Promise<void> {
    this.workers.wake();
    return Promise.resolve();
  }

  @Handles(SliceFinished)
  async sliceFinished(slice: SliceFinishedPayload, delivery: Delivery): Promise<void> {
    await this.exports.close(slice, delivery);
  }

  @HandlesGivenUp(SliceFinished)
  async finishGivenUp(slice: SliceFinishedPayload, delivery: Delivery): Promise<void> {
    await this.exports.giveUp(slice, delivery);
  }
}
