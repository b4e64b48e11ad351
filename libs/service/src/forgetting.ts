import type { Log } from '@quire/contracts/log';
import { Background } from '@quire/jobs/background';
import type { Inbox } from '@quire/messaging/inbox';
import { withTenant } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';
import { forgetAnswers } from './idempotency.js';
import type { Tenants } from './tenants.js';

const EVERY_MS = 3_600_000;

export interface Memories {
  readonly source: DataSource;
  readonly tenants: Tenants;
  readonly inbox: Inbox;
  readonly log: Log;
}

/** Once an hour every service forgets answers that are no longer repeated, and events that will not come again. */
export function forgetting({ source, tenants, inbox, log }: Memories): Background {
  const work = (): Promise<void> =>
    tenants.eachAlone('forgetting', async (scope) => {
      // eslint-disable-next-line no-restricted-syntax -- a use case that every service has
      await withTenant(source, scope, forgetAnswers);
      // eslint-disable-next-line no-restricted-syntax -- a use case that every service has
      while (await withTenant(source, scope, (tx) => inbox.forget(tx)));
    });
  return new Background({ name: 'forgetting', everyMs: EVERY_MS, work, log });
}
