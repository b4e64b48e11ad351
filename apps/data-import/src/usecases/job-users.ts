import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@quire/contracts/clock';
import type { InternalUser } from '@quire/contracts/gateway';
import type { Caller } from '@quire/contracts/scope';
import { CLOCK } from '@quire/service/platform.module';
import { ServiceClient, UnexpectedAnswer } from '@quire/service/service-client';
import type { JobUser } from '../db/job-executions.js';
import { failures } from '../domain/failures.js';

const FRESH_MS = 60_000;
const CACHE_MAX = 10_000;

/** Names of the people jobs are made for. Those of the caller came with the request; the gateway knows the others. */
@Injectable()
export class JobUsers {
  private readonly known = new Map<string, { readonly user: JobUser; readonly until: number }>();

  constructor(
    private readonly client: ServiceClient,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param userId empty: the caller @throws Failure 400 for an unknown user, 503 when the gateway does not answer */
  async of(caller: Caller, userId: string): Promise<JobUser> {
    const id = userId.toLowerCase();
    if (id === '' || id === caller.actorId) {
      const { username: name, firstName, lastName } = caller;
      return { name, firstName, lastName };
    }
    const now = this.clock.now().getTime();
    const key = `${caller.tenantId} ${id}`;
    const found = this.known.get(key);
    if (found && found.until > now) return found.user;
    const user = await this.ask(caller, id);
    this.known.delete(key);
    this.known.set(key, { user, until: now + FRESH_MS });
    if (this.known.size > CACHE_MAX) this.known.delete(this.known.keys().next().value ?? '');
    return user;
  }

  private async ask({ tenantId, actorId, requestId }: Caller, id: string): Promise<JobUser> {
    try {
      const { username, firstName, lastName } = await this.client.json<InternalUser>({
        to: 'gateway',
        method: 'GET',
        target: `/internal/users/${id}`,
        scope: { tenantId, actorId },
        requestId,
      });
      return { id, name: username, firstName, lastName };
    } catch (error) {
      if (error instanceof UnexpectedAnswer && error.status === 404)
        throw failures.userNotFound(id);
      throw error;
    }
  }
}
