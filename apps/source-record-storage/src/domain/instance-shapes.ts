import { formatDate } from '@quire/contracts/dates';
import type { Instance } from '@quire/contracts/instances';
import type { InstanceData } from './instance-facts.js';
import { marcRecordOf, type ContentForm } from './stored-content.js';
import { toMarcJson, type MarcJson } from '@quire/marc/marc-json';

/** From rows of the instance view to the shape of the API (source-record-storage, 8.2). */
export interface InstanceColumns {
  readonly id: string;
  readonly hrid: string | null;
  readonly matched_id: string;
  readonly snapshot_id: string;
  readonly title: string | null;
  readonly index_title: string | null;
  readonly data: InstanceData;
  readonly discovery_suppress: boolean;
  readonly staff_suppress: boolean;
  readonly deleted: boolean;
  readonly duplicates: number;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
}

/** Of the record that makes the row. */
export interface ContentColumns {
  readonly content: Buffer | null;
  readonly form: ContentForm | null;
}

export function instanceOf(row: InstanceColumns): Instance {
  return {
    id: row.id,
    ...(row.hrid === null ? {} : { hrid: row.hrid }),
    source: 'MARC',
    ...(row.title === null ? {} : { title: row.title }),
    ...(row.index_title === null ? {} : { indexTitle: row.index_title }),
    ...row.data,
    discoverySuppress: row.discovery_suppress,
    staffSuppress: row.staff_suppress,
    deleted: row.deleted,
    snapshotId: row.snapshot_id,
    recordId: row.matched_id,
    duplicates: row.duplicates,
    metadata: {
      createdDate: formatDate(row.created_at),
      ...(row.created_by === null ? {} : { createdByUserId: row.created_by }),
      updatedDate: formatDate(row.updated_at),
      ...(row.updated_by === null ? {} : { updatedByUserId: row.updated_by }),
    },
  };
}

/** The record behind a row; undefined without content. */
export function marcOf({ content, form }: ContentColumns): MarcJson | undefined {
  const record = content && form ? marcRecordOf({ form, bytes: content }) : undefined;
  return record && toMarcJson(record);
}
