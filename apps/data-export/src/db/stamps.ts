import type { Caller } from '@quire/contracts/scope';
import type { Stamps } from '../domain/job-answer.js';

/** Columns of who made and changed a row, as the migration's STAMPS has them. */
export interface StampRow {
  readonly created_at: Date;
  readonly created_by: string;
  readonly created_by_name: string;
  readonly updated_at: Date;
  readonly updated_by: string;
  readonly updated_by_name: string;
}

export function stampsOf(row: StampRow): Stamps {
  return {
    createdAt: row.created_at,
    createdBy: row.created_by,
    createdByName: row.created_by_name,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
    updatedByName: row.updated_by_name,
  };
}

export function newStamps(
  { actorId, username }: Pick<Caller, 'actorId' | 'username'>,
  at: Date,
): Stamps {
  return {
    createdAt: at,
    createdBy: actorId,
    createdByName: username,
    updatedAt: at,
    updatedBy: actorId,
    updatedByName: username,
  };
}

export const STAMP_COLUMNS =
  'created_at, created_by, created_by_name, updated_at, updated_by, updated_by_name';

export function stampValues(stamps: Stamps): unknown[] {
  const { createdAt, createdBy, createdByName, updatedAt, updatedBy, updatedByName } = stamps;
  return [createdAt, createdBy, createdByName, updatedAt, updatedBy, updatedByName];
}
