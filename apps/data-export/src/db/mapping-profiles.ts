import { Injectable } from '@nestjs/common';
import {
  OUTPUT_FORMATS,
  type MappingProfile,
  type OutputFormat,
  type Transformation,
} from '@quire/contracts/data-export';
import { textArray } from '@quire/postgres/bulk';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { BUILT_IN_MAPPING_PROFILES } from '../domain/built-in-profiles.js';
import type { MappingSnapshot } from '../domain/mapping-profile.js';
import { shippedFields } from '../domain/transformation-fields.js';
import {
  changedColumns,
  changeValues,
  PROFILE_COLUMNS,
  profileAnswer,
  profileFields,
  writeValues,
  type ProfileRow,
  type ProfileWrite,
} from './job-profiles.js';
import type { Listing } from '@quire/postgres/pages';
import { STAMP_COLUMNS, stampValues } from './stamps.js';
import { SYSTEM_USER, systemStamps } from './system-user.js';

export interface MappingProfileRow extends ProfileRow {
  readonly record_types: string[];
  readonly output_format: OutputFormat;
  readonly fields_suppression: string | null;
  readonly suppress_999ff: boolean;
  readonly transformations: readonly Transformation[];
}

const COLUMNS = `${PROFILE_COLUMNS}, record_types, output_format, fields_suppression, suppress_999ff, transformations`;

/** As they were written, under today's ids of their fields. */
const transformationsOf = ({ transformations }: MappingProfileRow): readonly Transformation[] =>
  transformations.map((one) => shippedFields.renamed(one));

export function mappingProfileAnswer(row: MappingProfileRow): object {
  const { head, tail } = profileAnswer(row);
  return {
    ...head,
    recordTypes: row.record_types,
    transformations: transformationsOf(row),
    outputFormat: row.output_format,
    ...(row.fields_suppression === null ? {} : { fieldsSuppression: row.fields_suppression }),
    suppress999ff: row.suppress_999ff,
    ...tail,
  };
}

export function snapshotOf(row: MappingProfileRow): MappingSnapshot {
  return {
    id: row.id,
    name: row.name,
    recordTypes: row.record_types,
    outputFormat: row.output_format,
    ...(row.fields_suppression === null ? {} : { fieldsSuppression: row.fields_suppression }),
    suppress999ff: row.suppress_999ff,
    ...(row.transformations.length === 0 ? {} : { transformations: transformationsOf(row) }),
  };
}

/** With the defaults of what was left out. */
function storedTransformations({ transformations = [] }: MappingProfile): string {
  return JSON.stringify(transformations.map((one) => ({ ...one, enabled: one.enabled ?? false })));
}

@Injectable()
export class MappingProfiles {
  find(tx: TenantRead, id: string): Promise<MappingProfileRow | undefined> {
    return tx.one<MappingProfileRow>(
      `select ${COLUMNS} from mapping_profile where tenant_id = $1 and id = $2`,
      [tx.tenantId, id],
    );
  }

  /** Nobody else changes it, or gives it to a job profile, before the transaction has ended. */
  lock(tx: TenantTx, id: string): Promise<MappingProfileRow | undefined> {
    return tx.one<MappingProfileRow>(
      `select ${COLUMNS} from mapping_profile where tenant_id = $1 and id = $2 for update`,
      [tx.tenantId, id],
    );
  }

  async insert(tx: TenantTx, profile: MappingProfile, write: ProfileWrite): Promise<void> {
    await tx.execute(
      `insert into mapping_profile (tenant_id, id, name, description, record_types, output_format, fields_suppression,
         suppress_999ff, transformations, user_first_name, user_last_name, user_name, locked, locked_by, locked_at,
         ${STAMP_COLUMNS})
       values ($1, $2, $3, $4, $5::text[], $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
      [tx.tenantId, write.id, ...contentValues(profile), ...writeValues(write)],
    );
  }

  async update(tx: TenantTx, profile: MappingProfile, write: ProfileWrite): Promise<void> {
    await tx.execute(
      `update mapping_profile set name = $3, description = $4, record_types = $5::text[], output_format = $6,
         fields_suppression = $7, suppress_999ff = $8, transformations = $9, ${changedColumns(10)}
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, write.id, ...contentValues(profile), ...changeValues(write)],
    );
  }

  async remove(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('delete from mapping_profile where tenant_id = $1 and id = $2', [
      tx.tenantId,
      id,
    ]);
  }

  /** Makes the built-in ones that are missing. */
  async restoreBuiltIn(tx: TenantTx): Promise<void> {
    for (const [position, profile] of BUILT_IN_MAPPING_PROFILES.entries()) {
      await tx.execute(
        `insert into mapping_profile (tenant_id, id, name, description, record_types, output_format, suppress_999ff,
           built_in, user_first_name, user_last_name, user_name, ${STAMP_COLUMNS})
         values ($1, $2, $3, $4, $5::text[], 'MARC', false, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (tenant_id, id) do nothing`,
        [
          tx.tenantId,
          profile.id,
          profile.name,
          profile.description,
          textArray(profile.recordTypes),
          position,
          ...SYSTEM_USER,
          ...stampValues(systemStamps(profile.at)),
        ],
      );
    }
  }
}

function contentValues(profile: MappingProfile): unknown[] {
  return [
    profile.name,
    profile.description ?? null,
    textArray(profile.recordTypes),
    profile.outputFormat ?? 'MARC',
    profile.fieldsSuppression ?? null,
    profile.suppress999ff ?? false,
    storedTransformations(profile),
  ];
}

const format = { type: 'enum', sql: 'profile.output_format', values: OUTPUT_FORMATS } as const;

export const mappingProfileListing: Listing = {
  collection: 'mapping-profiles',
  table: 'mapping_profile',
  alias: 'profile',
  columns: COLUMNS,
  defaultOrder: 'profile.built_in, profile.created_at, profile.id',
  entity: {
    fields: {
      ...profileFields('profile'),
      recordTypes: { type: 'list', sql: 'profile.record_types' },
      format,
      outputFormat: format,
    },
  },
};
