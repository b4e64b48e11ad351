import type { Log } from '@quire/contracts/log';
import type { ServiceName } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import type { Inbox } from '@quire/messaging/inbox';
import { withTenant } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';
import { forgetAnswers } from './idempotency.js';
import type { Tenants } from './tenants.js';

const EVERY_MS = 3_600_000;

export interface Memories {
  readonly service: ServiceName;
  readonly source: DataSource;
  readonly tenants: Tenants;
  readonly inbox: Inbox;
  readonly log: Log;
}

/** Once an hour every service forgets answers that are no longer repeated, and events that will not come again. */
export function forgetting({ service, source, tenants, inbox, log }: Memories): Background {
  // The lock of a turn is the whole database's, which the services share.
  const name = `${service}.forgetting`;
  const work = (): Promise<void> =>
    tenants.eachAlone(name, async (scope) => {
      // eslint-disable-next-line no-restricted-syntax -- a use case that every service has
      await withTenant(source, scope, forgetAnswers);
      // eslint-disable-next-line no-restricted-syntax -- a use case that every service has
      while (await withTenant(source, scope, (tx) => inbox.forget(tx)));
    });
  return new Background({ name, everyMs: EVERY_MS, work, log });
}
