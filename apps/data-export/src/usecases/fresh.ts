import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Ids } from '@quire/contracts/clock';
import { CLOCK, IDS } from '@quire/service/platform.module';

/** What a use case takes from outside of its inputs: the time, and ids that were never used. */
@Injectable()
export class Fresh {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  id(): string {
    return this.ids.next();
  }
}
