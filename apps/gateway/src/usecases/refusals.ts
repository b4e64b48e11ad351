import { Inject, Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import type { Log } from '@quire/service/log';
import { LOG } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { AuditStore } from '../db/audit.js';

/** Writes down who was refused what (reliability, section 16). The answer does not depend on it. */
@Injectable()
export class Refusals {
  constructor(
    private readonly source: DataSource,
    private readonly audit: AuditStore,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async note(who: Scope, action: 'denied' | 'foreign-token', subject: string): Promise<void> {
    const { tenantId, actorId } = who;
    try {
      const scope = { tenantId, actorId };
      await withTenant(this.source, scope, (tx) => this.audit.add(tx, action, subject));
    } catch (err) {
      this.log.warn({ err, tenantId, actorId, action }, 'a refusal could not be written down');
    }
  }
}
