import { Injectable } from '@nestjs/common';
import type { RecordState, SourceRecordType } from '@quire/contracts/source-records';
import type { TenantRead } from '@quire/postgres/tenant';

/** What an event says of a record. */
export interface ReferenceRow {
  readonly id: string;
  readonly snapshot_id: string;
  readonly matched_id: string;
  readonly record_type: SourceRecordType;
  readonly state: RecordState;
  readonly generation: number;
  readonly leader_status: string | null;
  readonly external_id: string | null;
  readonly external_hrid: string | null;
  readonly updated_at: Date;
}

@Injectable()
export class RecordReferences {
  /** Of those that have parsed content, in the order of the ids. */
  withContent(tx: TenantRead, recordIds: readonly string[]): Promise<ReferenceRow[]> {
    return tx.query<ReferenceRow>(
      `select r.* from unnest($2::uuid[]) with ordinality as q (id, place)
       cross join lateral (
         select id, snapshot_id, matched_id, record_type, state, generation, leader_status, external_id, external_hrid,
           updated_at from record where tenant_id = $1 and id = q.id limit 1) as r
       cross join lateral (select from record_content where tenant_id = $1 and record_id = q.id limit 1) as c
       order by q.place`,
      [tx.tenantId, recordIds],
    );
  }
}
