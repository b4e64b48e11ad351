import { Injectable } from '@nestjs/common';
import type { ExportJobProfile, MappingProfile } from '@quire/contracts/data-export';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { JobProfileRow, ProfileWrite } from '../db/job-profiles.js';
import type { MappingProfileRow } from '../db/mapping-profiles.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { failures } from '../domain/failures.js';
import { checkMappingProfile } from '../domain/mapping-profile.js';
import { Fresh } from './fresh.js';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** Making job and mapping profiles. */
@Injectable()
export class Profiles {
  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly fresh: Fresh,
  ) {}

  createJobProfile(caller: Caller, profile: ExportJobProfile): Promise<JobProfileRow> {
    const write = this.write(caller, profile, 'data-export.job-profiles.item.lock.execute');
    return withTenant(this.source, caller, async (tx) => {
      const { jobProfiles } = this.stores;
      await asked(tx, { table: 'job_profiles', profile, id: write.id }, () =>
        jobProfiles.insert(tx, profile, write),
      );
      return made(await jobProfiles.find(tx, write.id));
    });
  }

  createMappingProfile(caller: Caller, profile: MappingProfile): Promise<MappingProfileRow> {
    checkMappingProfile(profile);
    const write = this.write(caller, profile, 'data-export.mapping-profiles.item.lock.execute');
    return withTenant(this.source, caller, async (tx) => {
      const { mappingProfiles } = this.stores;
      await asked(tx, { table: 'mapping_profiles', profile, id: write.id }, () =>
        mappingProfiles.insert(tx, profile, write),
      );
      return made(await mappingProfiles.find(tx, write.id));
    });
  }

  private write(
    caller: Caller,
    { id, locked = false }: { readonly id?: string; readonly locked?: boolean },
    lockPermission: string,
  ): ProfileWrite {
    if (locked && !caller.permissions.includes(lockPermission)) throw failures.lockForbidden();
    const { firstName = '', lastName = caller.username, username } = caller;
    return {
      id: id ?? this.fresh.id(),
      user: { firstName, lastName, userName: username },
      locked,
      stamps: newStamps(caller, this.fresh.now()),
    };
  }
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
