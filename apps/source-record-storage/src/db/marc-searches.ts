import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';

/** Records to be looked at by a search in MARC fields (section 7.2). */
export interface SearchScope {
  /** Leader/05 that every match has. */
  readonly status?: string | undefined;
  readonly suppressed?: boolean | undefined;
  /** Also those of state DELETED. */
  readonly deleted: boolean;
}

const BATCH_ROWS = 200;

@Injectable()
export class MarcSearches {
  /** Bibliographic records with an instance id, in the order of those. */
  async *candidates(
    tx: TenantRead,
    { status, suppressed, deleted }: SearchScope,
  ): AsyncGenerator<{ external_id: string; content: Buffer }> {
    const params: unknown[] = [tx.tenantId];
    const conditions = [
      `r.tenant_id = $1 and r.record_type = 'MARC_BIB' and r.external_id is not null`,
      `r.state in ('ACTUAL', 'DELETED')`,
    ];
    if (!deleted) conditions.push(`r.state = 'ACTUAL'`);
    // One letter, as text and not as a parameter: only so can it imply the predicate of index `record_status`.
    if (status !== undefined && /^[a-z]$/.test(status))
      conditions.push(`r.leader_status = '${status}'`);
    if (suppressed !== undefined)
      conditions.push(`r.suppress_discovery = $${params.push(suppressed)}`);
    const sql = `
      select r.external_id, c.content from record r cross join lateral (
        select content from record_content where tenant_id = $1 and record_id = r.id limit 1) as c
      where ${conditions.join(' and ')} order by r.external_id`;
    for await (const rows of tx.cursor<{ external_id: string; content: Buffer }>(
      sql,
      params,
      BATCH_ROWS,
    ))
      yield* rows;
  }
}
