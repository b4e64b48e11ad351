import { Injectable } from '@nestjs/common';
import {
  externalKey,
  numberKey,
  type StoredGeneration,
  type StoredIds,
} from '../domain/identity.js';
import type { MarcRecordType } from '@quire/contracts/source-records';
import type { TenantRead } from '@quire/postgres/tenant';
import { CURRENT } from './record-locks.js';

/** What the frames of a chunk refer to. */
export interface Asked {
  readonly bibHrids: ReadonlySet<string>;
  readonly matchedIds: ReadonlySet<string>;
  readonly externalIds: readonly (readonly [type: MarcRecordType, id: string])[];
  /** 001 and 003, by their key. */
  readonly numbers: ReadonlyMap<
    string,
    { readonly type: MarcRecordType; readonly hrid: string; readonly source: string | undefined }
  >;
  /** Longest record to compare with, by matched id or key of a number. */
  readonly lengths: ReadonlyMap<string, number>;
}

/** A stored record may be longer than one that says the same, by its 005 and its 999 ff. */
const OWN_FIELDS_BYTES_MAX = 1024;
/** One tells the record, a second that it is not the only one. */
const HITS_MAX = 2;

/**
 * Looks up what is stored under the ids of a chunk, in up to five statements. Each asks by a lateral query with a limit,
 * so that the plan is one index look-up per id whatever the planner knows of the tables.
 */
@Injectable()
export class StoredIdsReads {
  async find(tx: TenantRead, asked: Asked, jobId: string): Promise<StoredIds> {
    const matchedIds = await this.byExternalIds(tx, asked.externalIds);
    const numbers = await this.byNumbers(tx, asked.numbers);
    const hits = [...numbers.values()].flat();
    const matched = new Set([...asked.matchedIds, ...matchedIds.values(), ...hits]);
    const generations = await this.generations(tx, matched, jobId);
    return {
      bibHrids: await this.bibHrids(tx, asked.bibHrids),
      matchedIds,
      numbers,
      generations,
      contents: await this.contents(tx, comparedOf(asked.lengths, numbers, generations)),
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

  private async byNumbers(tx: TenantRead, asked: Asked['numbers']): Promise<Map<string, string[]>> {
    if (asked.size === 0) return new Map();
    const all = [...asked.values()];
    const rows = await tx.query<NumberRow>(
      `select q.type, q.hrid, q.source, r.matched_id from unnest($2::text[], $3::text[], $4::text[]) as q (type, hrid, source)
       cross join lateral (
         select matched_id from record r where r.tenant_id = $1 and r.external_hrid = q.hrid and r.record_type = q.type
           and r.control_number_source is not distinct from q.source and r.state in ('ACTUAL', 'DELETED')
         limit ${HITS_MAX}) as r`,
      [
        tx.tenantId,
        all.map(({ type }) => type),
        all.map(({ hrid }) => hrid),
        all.map(({ source }) => source ?? null),
      ],
    );
    const found = new Map<string, string[]>();
    for (const { type, hrid, source, matched_id } of rows) {
      const key = numberKey(type, hrid, source ?? undefined);
      found.set(key, [...(found.get(key) ?? []), matched_id]);
    }
    return found;
  }

  /** Those that may be the same as a frame: not too long, and in its form. */
  private async contents(
    tx: TenantRead,
    lengths: ReadonlyMap<string, number>,
  ): Promise<Map<string, Buffer>> {
    if (lengths.size === 0) return new Map();
    const rows = await tx.query<{ id: string; content: Buffer }>(
      `select q.id, c.content from unnest($2::uuid[], $3::int4[]) as q (id, length) cross join lateral (
         select content from record_content where tenant_id = $1 and record_id = q.id
           and form = 'ISO2709' and octet_length(content) <= q.length limit 1) as c`,
      [tx.tenantId, [...lengths.keys()], [...lengths.values()]],
    );
    return new Map(rows.map(({ id, content }) => [id, content]));
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
           (array_agg(r.id) filter (where ${CURRENT}))[1] as current_id,
           (array_agg(r.record_type) filter (where ${CURRENT}))[1] as current_type,
           bool_or(state = 'DELETED') as deleted, bool_or(snapshot_id = $3) as of_this_job
         from record r where r.tenant_id = $1 and r.matched_id = q.id limit 1) as r
       where r.generation is not null`,
      [tx.tenantId, [...matchedIds], jobId],
    );
    return new Map(rows.map((row) => [row.id, generationOf(row)]));
  }
}

/** Length up to which the bytes of current records are wanted, by record id. */
function comparedOf(
  lengths: Asked['lengths'],
  numbers: ReadonlyMap<string, readonly string[]>,
  generations: ReadonlyMap<string, StoredGeneration>,
): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const [key, length] of lengths)
    for (const matchedId of numbers.get(key) ?? [key]) {
      const current = generations.get(matchedId)?.current;
      if (!current || current.deleted) continue;
      const before = wanted.get(current.id) ?? 0;
      wanted.set(current.id, Math.max(before, length + OWN_FIELDS_BYTES_MAX));
    }
  return wanted;
}

interface NumberRow {
  readonly type: MarcRecordType;
  readonly hrid: string;
  readonly source: string | null;
  readonly matched_id: string;
}

interface GenerationRow {
  readonly id: string;
  readonly generation: number;
  readonly external_id: string | null;
  readonly current_id: string | null;
  readonly current_type: MarcRecordType | null;
  readonly deleted: boolean;
  readonly of_this_job: boolean;
}

const generationOf = (row: GenerationRow): StoredGeneration => ({
  generation: row.generation,
  externalId: row.external_id ?? undefined,
  current:
    row.current_id === null || row.current_type === null
      ? undefined
      : { id: row.current_id, type: row.current_type, deleted: row.deleted },
  ofThisJob: row.of_this_job,
});
