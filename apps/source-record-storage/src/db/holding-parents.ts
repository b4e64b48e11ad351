import { Injectable } from '@nestjs/common';
import { controlText } from '@quire/marc/fields';
import type { TenantTx } from '@quire/postgres/tenant';
import { marcRecordOf, type ContentForm } from '../domain/stored-content.js';

/**
 * Column `parent_hrid` of holdings: 004, the number of the bibliographic record that they belong to, by which `instanceHrid`
 * finds them (source-record-storage, 8.3). An import writes it with its rows; everything else comes by `refresh`.
 */
@Injectable()
export class HoldingParents {
  /** Of those among these records that are holdings. */
  async refresh(tx: TenantTx, recordIds: readonly string[]): Promise<void> {
    const rows = await tx.query<HoldingRow>(CURRENT, [tx.tenantId, recordIds]);
    if (rows.length === 0) return;
    await tx.execute(UPDATE, [tx.tenantId, rows.map(({ id }) => id), rows.map(parentOf)]);
  }
}

interface HoldingRow {
  readonly id: string;
  readonly content: Buffer;
  readonly form: ContentForm;
}

function parentOf({ content, form }: HoldingRow): string | null {
  const record = marcRecordOf({ form, bytes: content });
  return (record && controlText(record, '004'))?.replaceAll('\0', ' ') ?? null;
}

const CURRENT = `
  select q.id, c.content, c.form from unnest($2::uuid[]) as q (id)
  cross join lateral (
    select record_type from record where tenant_id = $1 and id = q.id and state in ('ACTUAL', 'DELETED') limit 1) as r
  cross join lateral (
    select content, form from record_content where tenant_id = $1 and record_id = q.id limit 1) as c
  where r.record_type = 'MARC_HOLDING'`;

const UPDATE = `
  update record r set parent_hrid = q.parent from unnest($2::uuid[], $3::text[]) as q (id, parent)
  where r.tenant_id = $1 and r.id = q.id and r.parent_hrid is distinct from q.parent`;
