import { Injectable } from '@nestjs/common';
import { formatDate } from '@quire/contracts/dates';
import { isUuid } from '@quire/contracts/ids';
import { storable } from '@quire/contracts/storable';
import { jsonbArray, textArray, uuidArray } from '@quire/postgres/bulk';
import type { TenantTx } from '@quire/postgres/tenant';
import type { AffectedRecord, LogRow } from '../domain/error-codes.js';
import { inventoryLink } from '../domain/inventory-link.js';
import type { Listing } from '@quire/postgres/pages';

export interface ErrorLogRow {
  readonly id: string;
  readonly job_id: string;
  readonly created_at: Date;
  readonly level: string;
  readonly code: string;
  readonly message_values: string[];
  readonly affected: AffectedRecord | null;
  readonly actor: string;
}

/** A row and its id, which is derived where the row must not come twice. */
export interface IdentifiedRow {
  readonly id: string;
  readonly row: LogRow;
}

@Injectable()
export class ErrorLogs {
  /** Rows of a job, or of one of its slices. */
  async add(
    tx: TenantTx,
    of: { readonly jobId: string; readonly sliceNo?: number },
    at: Date,
    rows: readonly IdentifiedRow[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await tx.execute(
      `insert into error_log (tenant_id, job_id, created_at, actor, id, level, code, message_values, affected, slice_no)
       select $1, $2, $3, $4, r.id, r.level, r.code,
         array(select jsonb_array_elements_text(r.message_values)), nullif(r.affected, '{}'::jsonb), $10
       from unnest($5::uuid[], $6::text[], $7::text[], $8::jsonb[], $9::jsonb[]) with ordinality
         as r (id, level, code, message_values, affected, n)
       order by r.n on conflict do nothing`,
      [
        tx.tenantId,
        of.jobId,
        at,
        tx.scope.actorId,
        uuidArray(rows.map((one) => one.id)),
        textArray(rows.map((one) => one.row.level)),
        textArray(rows.map((one) => one.row.code)),
        jsonbArray(rows.map((one) => one.row.values.map(storable))),
        jsonbArray(rows.map((one) => storableRecord(one.row.affected))),
        of.sliceNo ?? null,
      ],
    );
  }
}

/** Titles come from records, which may hold anything. */
const storableRecord = (record: AffectedRecord = {}): object =>
  Object.fromEntries(Object.entries(record).map(([name, text]) => [name, storable(String(text))]));

/** @param host where the tenant's inventory is, for the link to the record */
export function errorLogAnswer(row: ErrorLogRow, host: string | null): object {
  const at = formatDate(row.created_at);
  return {
    id: row.id,
    jobExecutionId: row.job_id,
    createdDate: at,
    logLevel: row.level,
    errorMessageCode: row.code,
    errorMessageValues: row.message_values,
    ...(row.affected === null ? {} : { affectedRecord: withLink(row.affected, host) }),
    metadata: {
      createdDate: at,
      createdByUserId: row.actor,
      updatedDate: at,
      updatedByUserId: row.actor,
    },
  };
}

/** Instances have their own page; of other records it is not known below which instance they are. */
function withLink(record: AffectedRecord, host: string | null): AffectedRecord {
  const { id = '', recordType } = record;
  const link = recordType === 'INSTANCE' && isUuid(id) ? inventoryLink(host, id) : undefined;
  return link === undefined ? record : { ...record, inventoryRecordLink: link };
}

const affected = (property: string) =>
  ({ type: 'text', sql: `(log.affected ->> '${property}')` }) as const;

export const errorLogListing: Listing = {
  collection: 'logs',
  table: 'error_log',
  alias: 'log',
  columns: 'id, job_id, created_at, level, code, message_values, affected, actor',
  defaultOrder: 'log.seq, log.id',
  entity: {
    fields: {
      id: { type: 'uuid', sql: 'log.id' },
      jobExecutionId: { type: 'uuid', sql: 'log.job_id' },
      logLevel: {
        type: 'enum',
        sql: 'log.level',
        values: ['DEBUG', 'INFO', 'WARNING', 'ERROR'],
      },
      errorMessageCode: { type: 'text', sql: 'log.code' },
      errorMessageValues: { type: 'list', sql: 'log.message_values', sortable: false },
      'affectedRecord.id': affected('id'),
      'affectedRecord.hrid': affected('hrid'),
      'affectedRecord.title': affected('title'),
      createdDate: { type: 'date', sql: 'log.created_at' },
    },
  },
};
