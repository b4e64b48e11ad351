import { Controller } from '@nestjs/common';
import { SnapshotUndone, type SnapshotUndonePayload } from '@quire/contracts/source-record-events';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { Undos } from '../usecases/undos.js';

/** What source-record-storage has taken back. */
@Controller()
export class UndosHandlers {
  constructor(private readonly undos: Undos) {}

  @Handles(SnapshotUndone)
  async snapshotUndone(undone: SnapshotUndonePayload, delivery: Delivery): Promise<void> {
    await this.undos.done(delivery.scope, undone);
  }
}
