import { Injectable } from '@nestjs/common';
import { int4Array, textArray, uuidBytesArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';

/** Ids and bad lines of the inputs of exports. Written by the batch while an upload runs, read by the slice. */
export interface InputLines {
  /** 16 bytes each. */
  readonly ids: readonly Buffer[];
  /** Their line numbers from 1. */
  readonly lines: readonly number[];
  readonly invalid: readonly { readonly line: number; readonly input: string }[];
}

/** How many ids a slice has and between which lines they stand. */
export interface SliceBorders {
  readonly slice_no: number;
  readonly from_ordinal: number;
  readonly to_ordinal: number;
  readonly ids: number;
}

export interface IdsRow {
  /** A JSON array of ids. */
  readonly ids: string;
  /** Their lines, joined by commas. */
  readonly ordinals: string;
}

/** Lines of a job whose failed ones are taken over in one transaction. */
const FAILED_AT_ONCE = 50_000;

@Injectable()
export class ExportIds {
  /**
   * Adds lines behind those that are there. Of an id that comes again the first line counts; the index on
   * (tenant, input, id) finds it.
   *
   * @returns how many of the ids were duplicates
   */
  async add(tx: TenantTx, inputId: string, { ids, lines, invalid }: InputLines): Promise<number> {
    if (invalid.length > 0) {
      await tx.execute(
        `insert into export_line (tenant_id, input_id, line, class, input)
         select $1, $2, l.line, 'INVALID', l.input from unnest($3::int4[], $4::text[]) as l (line, input)`,
        [
          tx.tenantId,
          inputId,
          int4Array(invalid.map((one) => one.line)),
          textArray(invalid.map((one) => one.input)),
        ],
      );
    }
    if (ids.length === 0) return 0;
    return tx.execute(
      `with sent as (select * from unnest($3::uuid[], $4::int4[]) as s (id, line)),
       added as (
         insert into export_id (tenant_id, input_id, ordinal, id)
         select $1, $2, s.line, s.id from sent s order by s.line
         on conflict (tenant_id, input_id, id) do nothing returning ordinal)
       insert into export_line (tenant_id, input_id, line, class, id)
       select $1, $2, s.line, 'DUPLICATED', s.id from sent s
       where not exists (select from added a where a.ordinal = s.line)`,
      [tx.tenantId, inputId, uuidBytesArray(ids), int4Array(lines)],
    );
  }

  /** Cuts the ids of an input into slices of at most `idsMax`, in the order of the lines; reads the primary key once. */
  borders(tx: TenantRead, inputId: string, idsMax: number): Promise<SliceBorders[]> {
    return tx.query<SliceBorders>(
      `select slice_no, min(ordinal) as from_ordinal, max(ordinal) as to_ordinal, count(*)::int as ids
       from (select ordinal, ((row_number() over (order by ordinal) - 1) / $3)::int as slice_no
             from export_id where tenant_id = $1 and input_id = $2) as numbered
       group by slice_no order by slice_no`,
      [tx.tenantId, inputId, idsMax],
    );
  }

  /** The ids of a slice in batches of at most `idsMax`, each as the body of a request. */
  batches(
    tx: TenantRead,
    inputId: string,
    slice: { readonly fromOrdinal: number; readonly toOrdinal: number },
    idsMax: number,
  ): Promise<IdsRow[]> {
    return tx.query<IdsRow>(
      `select json_agg(id order by ordinal)::text as ids, string_agg(ordinal::text, ',' order by ordinal) as ordinals
       from (select ordinal, id, (row_number() over (order by ordinal) - 1) / $5 as batch
             from export_id where tenant_id = $1 and input_id = $2 and ordinal between $3 and $4) as numbered
       group by batch order by batch`,
      [tx.tenantId, inputId, slice.fromOrdinal, slice.toOrdinal, idsMax],
    );
  }

  /** The first bad lines as read, in their order. */
  async invalidLines(tx: TenantRead, inputId: string, rowsMax: number): Promise<string[]> {
    const rows = await tx.query<{ input: string }>(
      `select input from export_line where tenant_id = $1 and input_id = $2 and class = 'INVALID' order by line limit $3`,
      [tx.tenantId, inputId, rowsMax],
    );
    return rows.map((row) => row.input);
  }

  /** Ids that stand on several lines, with the number of their lines, in the order of their first repetition. */
  repeatedIds(
    tx: TenantRead,
    inputId: string,
    rowsMax: number,
  ): Promise<{ id: string; n: number }[]> {
    return tx.query(
      `select id, count(*)::int + 1 as n from export_line
       where tenant_id = $1 and input_id = $2 and class = 'DUPLICATED' group by id order by min(line) limit $3`,
      [tx.tenantId, inputId, rowsMax],
    );
  }

  /**
   * Takes over the next lines of a job that were not found or faulty, with their numbers, from a line number on.
   *
   * @returns how many, and the line to go on from; undefined: there is none left, or no such job
   */
  async addFailed(
    tx: TenantTx,
    inputId: string,
    { ofJob, from }: { readonly ofJob: string; readonly from: number },
  ): Promise<{ readonly added: number; readonly next: number } | undefined> {
    const row = await tx.one<{ input_id: string; line: number | null }>(
      `select j.input_id, (select min(o.ordinal) from export_outcome o
         where o.tenant_id = j.tenant_id and o.job_id = j.id and o.class in ('NOT_FOUND', 'FAULTY') and o.ordinal >= $3) as line
       from job_execution j where j.tenant_id = $1 and j.id = $2 for share`,
      [tx.tenantId, ofJob, from],
    );
    if (!row) {
      if (from > 0) throw new Error(`Job ${ofJob} was removed while its failed lines were taken.`);
      return undefined;
    }
    const first = row.line ?? undefined;
    if (first === undefined) return undefined;
    const next = first + FAILED_AT_ONCE;
    const added = await tx.execute(
      `insert into export_id (tenant_id, input_id, ordinal, id)
       select e.tenant_id, $2, e.ordinal, e.id
       from export_outcome o
       join export_id e on (e.tenant_id, e.input_id, e.ordinal) = (o.tenant_id, $4::uuid, o.ordinal)
       where o.tenant_id = $1 and o.job_id = $3 and o.class in ('NOT_FOUND', 'FAULTY') and o.ordinal >= $5 and o.ordinal < $6
       order by e.ordinal`,
      [tx.tenantId, inputId, ofJob, row.input_id, first, next],
    );
    return { added, next };
  }
}
