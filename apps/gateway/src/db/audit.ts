import { Injectable } from '@nestjs/common';
import type { TenantTx } from '@quire/postgres/tenant';

/** What is written down for later questions; append-only by grant (reliability, section 16). */
export const AUDITED = [
  'login',
  'login-failed',
  'logout',
  'refresh-reused',
  'tenant-created',
  'user-created',
  'denied',
  'foreign-token',
] as const;
export type AuditedAction = (typeof AUDITED)[number];

@Injectable()
export class AuditStore {
  /** The actor is that of the transaction. */
  async add(
    tx: TenantTx,
    action: AuditedAction,
    subject: string,
    details: object = {},
  ): Promise<void> {
    await tx.execute(
      'insert into audit (tenant_id, action, subject, details) values ($1, $2, $3, $4)',
      [tx.tenantId, action, subject, details],
    );
  }
}
