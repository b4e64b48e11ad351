import { Injectable } from '@nestjs/common';
import type { ExportJobProfile, MappingProfile } from '@quire/contracts/data-export';
import { LOCK_PERMISSIONS } from '@quire/contracts/data-export-routes';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { JobProfileRow, ProfileRow, ProfileWrite } from '../db/job-profiles.js';
import type { MappingProfileRow } from '../db/mapping-profiles.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { failures } from '../domain/failures.js';
import { checkMappingProfile } from '../domain/mapping-profile-checks.js';
import { lockAfter } from '../domain/profile-lock.js';
import { shippedFields } from '../domain/transformation-fields.js';
import { Fresh } from './fresh.js';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** Making, changing and removing job and mapping profiles (`data-export.md`, 11.3 and 11.4). */
@Injectable()
export class Profiles {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly fresh: Fresh,
  ) {}

  createJobProfile(caller: Caller, profile: ExportJobProfile): Promise<JobProfileRow> {
    const { jobProfiles } = this.stores;
    const write = this.write(caller, { profile, kind: 'job' });
    return withTenant(this.source, caller, async (tx) => {
      await asked(tx, { table: 'job_profiles', profile, id: write.id }, () =>
        jobProfiles.insert(tx, profile, write),
      );
      return made(await jobProfiles.find(tx, write.id));
    });
  }

  createMappingProfile(caller: Caller, profile: MappingProfile): Promise<MappingProfileRow> {
    const { mappingProfiles } = this.stores;
    checkMappingProfile(profile, shippedFields);
    const write = this.write(caller, { profile, kind: 'mapping' });
    return withTenant(this.source, caller, async (tx) => {
      await asked(tx, { table: 'mapping_profiles', profile, id: write.id }, () =>
        mappingProfiles.insert(tx, profile, write),
      );
      return made(await mappingProfiles.find(tx, write.id));
    });
  }

  /** Jobs show the new name too. */
  async replaceJobProfile(caller: Caller, id: string, profile: ExportJobProfile): Promise<void> {
    checkId(id, profile);
    const { jobProfiles, jobs } = this.stores;
    await withTenant(this.source, caller, async (tx) => {
      const before = await jobProfiles.lock(tx, id);
      if (!before) throw failures.noJobProfile(id);
      if (before.built_in !== null) throw failures.builtIn('Editing', 'job');
      const write = this.write(caller, { profile, kind: 'job', before });
      await asked(tx, { table: 'job_profiles', profile, id }, () =>
        jobProfiles.update(tx, profile, write),
      );
      if (before.name !== profile.name) await jobs.renameProfile(tx, id, profile.name);
    });
  }

  async replaceMappingProfile(caller: Caller, id: string, profile: MappingProfile): Promise<void> {
    checkId(id, profile);
    const { mappingProfiles } = this.stores;
    await withTenant(this.source, caller, async (tx) => {
      const before = await mappingProfiles.lock(tx, id);
      if (!before) throw failures.noMappingProfile(id);
      if (before.built_in !== null) throw failures.builtIn('Editing', 'mapping');
      const write = this.write(caller, { profile, kind: 'mapping', before });
      checkMappingProfile(profile, shippedFields);
      await asked(tx, { table: 'mapping_profiles', profile, id }, () =>
        mappingProfiles.update(tx, profile, write),
      );
    });
  }

  /** Its jobs keep its name, their logs and their files; one that runs goes on. */
  async removeJobProfile(caller: Caller, id: string): Promise<void> {
    const { jobProfiles, jobs } = this.stores;
    await withTenant(this.source, caller, async (tx) => {
      const profile = await jobProfiles.lock(tx, id);
      if (!profile) throw failures.noJobProfile(id);
      if (profile.built_in !== null) throw failures.builtIn('Deletion', 'job');
      if (profile.locked) throw failures.locked();
      await jobs.detachProfile(tx, id);
      await jobProfiles.remove(tx, id);
    });
  }

  async removeMappingProfile(caller: Caller, id: string): Promise<void> {
    const { jobProfiles, mappingProfiles } = this.stores;
    await withTenant(this.source, caller, async (tx) => {
      const profile = await mappingProfiles.lock(tx, id);
      if (!profile) throw failures.noMappingProfile(id);
      if (profile.built_in !== null) throw failures.builtIn('Deletion', 'mapping');
      if (profile.locked) throw failures.locked();
      const users = await jobProfiles.ofMapping(tx, id);
      if (users.length > 0) throw failures.mappingProfileInUse(id, users);
      await mappingProfiles.remove(tx, id);
    });
  }

  private write(caller: Caller, { profile, kind, before }: Written): ProfileWrite {
    const mayLock = caller.permissions.includes(LOCK_PERMISSIONS[kind]);
    const { firstName = '', lastName = caller.username, username } = caller;
    return {
      id: before?.id ?? profile.id ?? this.fresh.id(),
      user: { firstName, lastName, userName: username },
      locked: lockAfter(before?.locked ?? false, profile.locked, mayLock),
      stamps: newStamps(caller, this.fresh.now()),
    };
  }
}

interface Written {
  readonly profile: { readonly id?: string; readonly locked?: boolean };
  readonly kind: keyof typeof LOCK_PERMISSIONS;
  /** Absent: it is made. */
  readonly before?: Pick<ProfileRow, 'id' | 'locked'>;
}

function checkId(id: string, profile: { readonly id?: string }): void {
  if (profile.id !== undefined && profile.id !== id) throw failures.bodyOfAnotherProfile();
}

interface Asked {
  readonly table: 'job_profiles' | 'mapping_profiles';
  readonly profile: { readonly name: string; readonly mappingProfileId?: string };
  readonly id: string;
}

/** The database decides what is taken; its constraint says which sentence to answer. */
async function asked(
  tx: TenantTx,
  { table, profile, id }: Asked,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await tx.savepoint(write);
  } catch (error) {
    const { code, constraint = '' } = error as { code?: string; constraint?: string };
    if (code === FOREIGN_KEY_VIOLATION)
      throw failures.noSuchMappingProfile(profile.mappingProfileId ?? '');
    if (code !== UNIQUE_VIOLATION) throw error;
    throw constraint.endsWith('_name')
      ? failures.taken('name', table, profile.name)
      : failures.taken('id', table, id);
  }
}

function made<T>(row: T | undefined): T {
  if (!row) throw new Error('A row that was just written is not there.');
  return row;
}
