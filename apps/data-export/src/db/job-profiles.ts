import { Injectable } from '@nestjs/common';
import type { ExportJobProfile, Protocol, UserInfo } from '@quire/contracts/data-export';
import { formatDate } from '@quire/contracts/dates';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { BUILT_IN_JOB_PROFILES } from '../domain/built-in-profiles.js';
import { metadataOf, type Stamps } from '../domain/job-answer.js';
import type { Listing } from '@quire/postgres/pages';
import { SYSTEM_USER, systemStamps } from './system-user.js';
import { STAMP_COLUMNS, stampsOf, stampValues, type StampRow } from './stamps.js';

/** What job and mapping profiles have in common. */
export interface ProfileRow extends StampRow {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly built_in: number | null;
  readonly user_first_name: string | null;
  readonly user_last_name: string | null;
  readonly user_name: string | null;
  readonly locked: boolean;
  readonly locked_by: string | null;
  readonly locked_at: Date | null;
}

export interface JobProfileRow extends ProfileRow {
  readonly destination: string | null;
  readonly protocol: Protocol | null;
  readonly mapping_profile_id: string;
}

/** Who writes a profile, and when. */
export interface ProfileWrite {
  readonly id: string;
  readonly user: UserInfo;
  readonly locked: boolean;
  readonly stamps: Stamps;
}

export const PROFILE_COLUMNS = `id, name, description, built_in, user_first_name, user_last_name, user_name, locked, locked_by,
  locked_at, ${STAMP_COLUMNS}`;

export function profileAnswer(row: ProfileRow): { head: object; tail: object } {
  const { locked, locked_by: by, locked_at: at } = row;
  return {
    head: {
      id: row.id,
      name: row.name,
      ...(row.description === null ? {} : { description: row.description }),
    },
    tail: {
      default: row.built_in !== null,
      userInfo: {
        ...(row.user_first_name === null ? {} : { firstName: row.user_first_name }),
        ...(row.user_last_name === null ? {} : { lastName: row.user_last_name }),
        ...(row.user_name === null ? {} : { userName: row.user_name }),
      },
      locked,
      ...(by === null ? {} : { lockedBy: by }),
      ...(at === null ? {} : { lockedAt: formatDate(at) }),
      metadata: metadataOf(stampsOf(row)),
    },
  };
}

export function jobProfileAnswer(row: JobProfileRow): object {
  const { head, tail } = profileAnswer(row);
  return {
    ...head,
    ...(row.destination === null ? {} : { destination: row.destination }),
    ...(row.protocol === null ? {} : { protocol: row.protocol }),
    mappingProfileId: row.mapping_profile_id,
    ...tail,
  };
}

/** The values of {@link ProfileRow}'s own columns behind `description`, in order. */
export function writeValues({ user, locked, stamps }: ProfileWrite): unknown[] {
  return [...changeValues({ user, locked, stamps }).slice(0, -3), ...stampValues(stamps)];
}

/** The same for a row that is there already: who made it stays. Columns as in {@link changedColumns}. */
export function changeValues({ user, locked, stamps }: Omit<ProfileWrite, 'id'>): unknown[] {
  const { updatedAt, updatedBy, updatedByName } = stamps;
  return [
    user.firstName ?? null,
    user.lastName ?? null,
    user.userName ?? null,
    locked,
    locked ? updatedBy : null,
    locked ? updatedAt : null,
    updatedAt,
    updatedBy,
    updatedByName,
  ];
}

/** `set` list of {@link changeValues}, its parameters from number `first` on. A date of change never goes back. */
export function changedColumns(first: number): string {
  const at = (n: number): string => `$${first + n}`;
  return `user_first_name = ${at(0)}, user_last_name = ${at(1)}, user_name = ${at(2)}, locked = ${at(3)},
    locked_by = ${at(4)}, locked_at = ${at(5)}, updated_at = greatest(updated_at, ${at(6)}), updated_by = ${at(7)},
    updated_by_name = ${at(8)}`;
}

const COLUMNS = `${PROFILE_COLUMNS}, destination, protocol, mapping_profile_id`;

@Injectable()
export class JobProfiles {
  find(tx: TenantRead, id: string): Promise<JobProfileRow | undefined> {
    return tx.one<JobProfileRow>(
      `select ${COLUMNS} from job_profile where tenant_id = $1 and id = $2`,
      [tx.tenantId, id],
    );
  }

  /** It is neither changed nor removed before the transaction has ended. */
  hold(tx: TenantTx, id: string): Promise<JobProfileRow | undefined> {
    return this.locked(tx, id, 'for key share');
  }

  /** Nobody else changes it, or starts an export with it, before the transaction has ended. */
  lock(tx: TenantTx, id: string): Promise<JobProfileRow | undefined> {
    return this.locked(tx, id, 'for update');
  }

  /** Ids of those that have this mapping profile. */
  async ofMapping(tx: TenantRead, mappingProfileId: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      `select id from job_profile where tenant_id = $1 and mapping_profile_id = $2
       order by built_in, created_at, id`,
      [tx.tenantId, mappingProfileId],
    );
    return rows.map((row) => row.id);
  }

  async insert(tx: TenantTx, profile: ExportJobProfile, write: ProfileWrite): Promise<void> {
    await tx.execute(
      `insert into job_profile (tenant_id, id, name, description, destination, protocol, mapping_profile_id,
         user_first_name, user_last_name, user_name, locked, locked_by, locked_at, ${STAMP_COLUMNS})
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
      [
        tx.tenantId,
        write.id,
        profile.name,
        profile.description ?? null,
        profile.destination ?? null,
        profile.protocol ? JSON.stringify(profile.protocol) : null,
        profile.mappingProfileId,
        ...writeValues(write),
      ],
    );
  }

  async update(tx: TenantTx, profile: ExportJobProfile, write: ProfileWrite): Promise<void> {
    await tx.execute(
      `update job_profile set name = $3, description = $4, destination = $5, protocol = $6, mapping_profile_id = $7,
         ${changedColumns(8)} where tenant_id = $1 and id = $2`,
      [
        tx.tenantId,
        write.id,
        profile.name,
        profile.description ?? null,
        profile.destination ?? null,
        profile.protocol ? JSON.stringify(profile.protocol) : null,
        profile.mappingProfileId,
        ...changeValues(write),
      ],
    );
  }

  async remove(tx: TenantTx, id: string): Promise<void> {
    await tx.execute('delete from job_profile where tenant_id = $1 and id = $2', [tx.tenantId, id]);
  }

  private locked(tx: TenantTx, id: string, how: string): Promise<JobProfileRow | undefined> {
    return tx.one<JobProfileRow>(
      `select ${COLUMNS} from job_profile where tenant_id = $1 and id = $2 ${how}`,
      [tx.tenantId, id],
    );
  }

  /** Makes the built-in ones that are missing. */
  async restoreBuiltIn(tx: TenantTx): Promise<void> {
    for (const [position, profile] of BUILT_IN_JOB_PROFILES.entries()) {
      await tx.execute(
        `insert into job_profile (tenant_id, id, name, description, destination, mapping_profile_id, built_in,
           user_first_name, user_last_name, user_name, ${STAMP_COLUMNS})
         values ($1, $2, $3, $4, 'fileSystem', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (tenant_id, id) do nothing`,
        [
          tx.tenantId,
          profile.id,
          profile.name,
          profile.description,
          profile.mappingProfileId,
          position,
          ...SYSTEM_USER,
          ...stampValues(systemStamps(profile.at)),
        ],
      );
    }
  }
}

export interface NameOf2020 {
  readonly id: string;
  readonly name: string;
}

const at = (alias: string, column: string): string => `${alias}.${column}`;

/** Fields of both kinds of profiles. */
export function profileFields(alias: string): CqlEntity['fields'] {
  const text = (column: string) => ({ type: 'text', sql: at(alias, column) }) as const;
  return {
    id: { type: 'uuid', sql: at(alias, 'id') },
    updatedByUserId: { type: 'uuid', sql: at(alias, 'updated_by') },
    'metadata.updatedByUserId': { type: 'uuid', sql: at(alias, 'updated_by') },
    name: text('name'),
    description: text('description'),
    updatedByFirstName: text('user_first_name'),
    'userInfo.firstName': text('user_first_name'),
    updatedByLastName: text('user_last_name'),
    'userInfo.lastName': text('user_last_name'),
    'userInfo.userName': text('user_name'),
    default: { type: 'boolean', sql: `(${at(alias, 'built_in')} is not null)` },
    locked: { type: 'boolean', sql: at(alias, 'locked') },
    updatedDate: { type: 'date', sql: at(alias, 'updated_at') },
    'metadata.updatedDate': { type: 'date', sql: at(alias, 'updated_at') },
    'metadata.createdDate': { type: 'date', sql: at(alias, 'created_at') },
  };
}

/** Profiles of jobs that have ended; nothing but id and name is shown of them. */
export function usedJobProfileListing(nameOf2020?: NameOf2020): Listing {
  return {
    ...jobProfileListing(nameOf2020),
    condition: `exists (select from job_execution job where job.tenant_id = profile.tenant_id
      and job.job_profile_id = profile.id and job.completed_at is not null)`,
  };
}

export const usedJobProfileAnswer = ({ id, name }: JobProfileRow): object => ({ id, name });

/** In dialect `2020` profile 1 is called as it was then, for readers and for queries. */
export function jobProfileListing(nameOf2020?: NameOf2020): Listing {
  const named = (column: string): string =>
    nameOf2020
      ? `(case when profile.id = '${nameOf2020.id}' then '${nameOf2020.name}' else profile.${column} end)`
      : `profile.${column}`;
  return {
    collection: 'job-profiles',
    table: 'job_profile',
    alias: 'profile',
    columns: `${COLUMNS}`,
    defaultOrder: 'profile.built_in, profile.created_at, profile.id',
    entity: {
      fields: {
        ...profileFields('profile'),
        name: { type: 'text', sql: named('name') },
        description: { type: 'text', sql: named('description') },
        destination: { type: 'text', sql: 'profile.destination' },
        mappingProfileId: { type: 'uuid', sql: 'profile.mapping_profile_id' },
      },
    },
  };
}
