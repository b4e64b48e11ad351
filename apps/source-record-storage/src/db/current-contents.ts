import { Injectable } from '@nestjs/common';
import { uuidArray } from '@quire/postgres/bulk';
import type { TenantRead } from '@quire/postgres/tenant';
import type { ContentForm, StoredContent } from '../domain/stored-content.js';

/** Contents of the records that are ACTUAL. */
@Injectable()
export class CurrentContents {
  /** By record id; of those among them that are ACTUAL and have parsed content. */
  async actual(
    tx: TenantRead,
    recordIds: readonly string[],
  ): Promise<ReadonlyMap<string, StoredContent>> {
    if (recordIds.length === 0) return new Map();
    const rows = await tx.query<{ id: string; form: ContentForm; content: Buffer }>(ACTUAL, [
      tx.tenantId,
      uuidArray(recordIds),
    ]);
    return new Map(rows.map(({ id, form, content }) => [id, { form, bytes: content }]));
  }
}

const ACTUAL = `
  select q.id, c.form, c.content from unnest($2::uuid[]) as q (id)
  cross join lateral (select state from record where tenant_id = $1 and id = q.id limit 1) as r
  cross join lateral (
    select form, content from record_content where tenant_id = $1 and record_id = q.id limit 1) as c
  where r.state = 'ACTUAL'`;
