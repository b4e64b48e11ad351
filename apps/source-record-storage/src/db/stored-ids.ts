import { Injectable } from '@nestjs/common';
import { externalKey, type StoredGeneration, type StoredIds } from '../domain/identity.js';
import type { MarcRecordType } from '@quire/contracts/source-records';
import type { TenantRead } from '@quire/postgres/tenant';

/** Ids that the frames of a chunk refer to. */
export interface Asked {
  readonly bibHrids: ReadonlySet<string>;
  readonly matchedIds: ReadonlySet<string>;
  readonly externalIds: readonly (readonly [type: MarcRecordType, id: string])[];
}

/**
 * Looks up what is stored under the ids of a chunk, in up to three statements. Each asks by a lateral query with a limit,
 * so that the plan is one index look-up per id whatever the planner knows of the tables.
 */
@Injectable()
export class StoredIdsReads {
  async find(tx: TenantRead, asked: Asked, jobId: string): Promise<StoredIds> {
    const matchedIds = await this.byExternalIds(tx, asked.externalIds);
    const matched = new Set([...asked.matchedIds, ...matchedIds.values()]);
    return {
      bibHrids: await this.bibHrids(tx, asked.bibHrids),
      matchedIds,
      generations: await this.generations(tx, matched, jobId),
    };
  }

  /** Current = ACTUAL or DELETED (data-import, 9.3). */
  private async bibHrids(tx: TenantRead, hrids: ReadonlySet<string>): Promise<Set<string>> {
    if (hrids.size === 0) return new Set();
    const rows = await tx.query<{ hrid: string }>(
      `select q.hrid from unnest($2::text[]) as q (hrid) cross join lateral (
         select from record r where r.tenant_id = $1 and r.external_hrid = q.hrid
           and r.record_type = 'MARC_BIB' and r.state in ('ACTUAL', 'DELETED') limit 1) as r`,
      [tx.tenantId, [...hrids]],
    );
    return new Set(rows.map((row) => row.hrid));
  }

  /** Of several current records with one external id the newest counts. */
  private async byExternalIds(
    tx: TenantRead,
    ids: Asked['externalIds'],
  ): Promise<Map<string, string>> {
    if (ids.length === 0) return new Map();
    const rows = await tx.query<{ type: MarcRecordType; id: string; matched_id: string }>(
      `select q.type, q.id, r.matched_id from unnest($2::text[], $3::uuid[]) as q (type, id) cross join lateral (
         select matched_id from record r where r.tenant_id = $1 and r.record_type = q.type and r.external_id = q.id
           and r.state in ('ACTUAL', 'DELETED') order by r.updated_at desc, r.id desc limit 1) as r`,
      [tx.tenantId, ids.map(([type]) => type), ids.map(([, id]) => id)],
    );
    return new Map(rows.map(({ type, id, matched_id }) => [externalKey(type, id), matched_id]));
  }

  private async generations(
    tx: TenantRead,
    matchedIds: ReadonlySet<string>,
    jobId: string,
  ): Promise<Map<string, StoredGeneration>> {
    if (matchedIds.size === 0) return new Map();
    const rows = await tx.query<GenerationRow>(
      `select q.id, r.* from unnest($2::uuid[]) as q (id) cross join lateral (
         select max(generation) as generation, (array_agg(external_id order by generation desc))[1] as external_id,
           (array_agg(r.id) filter (where state in ('ACTUAL', 'DELETED')))[1] as current_id,
           bool_or(snapshot_id = $3) as of_this_job
         from record r where r.tenant_id = $1 and r.matched_id = q.id limit 1) as r
       where r.generation is not null`,
      [tx.tenantId, [...matchedIds], jobId],
    );
    return new Map(rows.map((row) => [row.id, generationOf(row)]));
  }
}

interface GenerationRow {
  readonly id: string;
  readonly generation: number;
  readonly external_id: string | null;
  readonly current_id: string | null;
  readonly of_this_job: boolean;
}

const generationOf = (row: GenerationRow): StoredGeneration => ({
  generation: row.generation,
  externalId: row.external_id ?? undefined,
  currentId: row.current_id ?? undefined,
  ofThisJob: row.of_this_job,
});
