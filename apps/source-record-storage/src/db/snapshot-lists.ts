import { JOB_STATUSES, type JobStatus } from '@quire/contracts/source-records';
import type { CqlEntity, CqlField } from '@quire/postgres/cql-entity';
import type { ListFilter, Listing } from '@quire/postgres/pages';
import { SNAPSHOT_COLUMNS } from './snapshots.js';

/** Lists of snapshots: what CQL may ask, and what they can be ordered by (source-record-storage, 1.3). */
const date = (column: string): CqlField => ({ type: 'date', sql: `s.${column}` });
const uuid = (column: string): CqlField => ({ type: 'uuid', sql: `s.${column}` });
const text = (column: string): CqlField => ({ type: 'text', sql: `s.${column}` });

export const SNAPSHOT_ENTITY: CqlEntity = {
  fields: {
    id: uuid('id'),
    jobExecutionId: uuid('id'),
    status: { type: 'enum', sql: 's.status', values: JOB_STATUSES, sort: 's.status_order' },
    processingStartedDate: date('processing_started_at'),
    'metadata.createdDate': date('created_at'),
    'metadata.createdByUserId': uuid('created_by'),
    'metadata.createdByUsername': text('created_by_name'),
    'metadata.updatedDate': date('updated_at'),
    'metadata.updatedByUserId': uuid('updated_by'),
    'metadata.updatedByUsername': text('updated_by_name'),
  },
};

/** Fields of `orderBy`. */
export const SNAPSHOT_ORDERS = {
  id: 's.id',
  jobExecutionId: 's.id',
  status: 's.status_order',
  processingStartedDate: 's.processing_started_at',
  createdByUserId: 's.created_by',
  createdDate: 's.created_at',
  updatedByUserId: 's.updated_by',
  updatedDate: 's.updated_at',
} as const;

/** @param order that was asked for, if any */
export const snapshotListing = (order: string | undefined): Listing => ({
  collection: 'snapshots',
  table: 'snapshot',
  columns: SNAPSHOT_COLUMNS,
  entity: SNAPSHOT_ENTITY,
  defaultOrder: SNAPSHOT_ORDERS.id,
  alias: 's',
  order,
});

/** By the column that an index has. */
export const ofStatus = (status: JobStatus): ListFilter => ({
  column: 's.status_order',
  value: String(JOB_STATUSES.indexOf(status) + 1),
});
