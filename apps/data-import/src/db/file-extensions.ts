import { Injectable } from '@nestjs/common';
import { DATA_TYPES } from '@quire/contracts/data-import';
import type { DataType } from '@quire/contracts/file-extensions';
import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import type { CqlEntity } from '@quire/postgres/cql-entity';
import type { Listing } from '@quire/postgres/pages';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import {
  DEFAULT_EXTENSIONS,
  DEFAULTS_MADE_AT,
  DEFAULTS_MADE_BY,
} from '../domain/file-extensions.js';

export interface FileExtensionRow {
  readonly id: string;
  readonly extension: string;
  readonly description: string | null;
  readonly data_types: DataType[];
  readonly import_blocked: boolean;
  readonly user_first_name: string | null;
  readonly user_last_name: string | null;
  readonly user_name: string | null;
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly created_by_name: string | null;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly updated_by_name: string | null;
}

export interface FileExtensionWrite {
  readonly id: string;
  readonly extension: string;
  readonly description: string | undefined;
  readonly dataTypes: readonly DataType[];
  readonly importBlocked: boolean;
  readonly user: {
    readonly firstName: string | undefined;
    readonly lastName: string | undefined;
    readonly userName: string;
  };
}

const FIELDS: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'e.id' },
    extension: { type: 'text', sql: 'e.extension' },
    description: { type: 'text', sql: 'e.description' },
    importBlocked: { type: 'boolean', sql: 'e.import_blocked' },
    dataTypes: { type: 'list', sql: 'e.data_types' },
    'userInfo.firstName': { type: 'text', sql: 'e.user_first_name' },
    'userInfo.lastName': { type: 'text', sql: 'e.user_last_name' },
    'userInfo.userName': { type: 'text', sql: 'e.user_name' },
    'metadata.createdDate': { type: 'date', sql: 'e.created_at' },
    'metadata.createdByUserId': { type: 'uuid', sql: 'e.created_by' },
    'metadata.createdByUsername': { type: 'text', sql: 'e.created_by_name' },
    'metadata.updatedDate': { type: 'date', sql: 'e.updated_at' },
    'metadata.updatedByUserId': { type: 'uuid', sql: 'e.updated_by' },
    'metadata.updatedByUsername': { type: 'text', sql: 'e.updated_by_name' },
  },
};

export const FILE_EXTENSION_LISTING: Listing = {
  collection: 'fileExtensions',
  table: 'file_extension',
  alias: 'e',
  columns: 'e.*',
  entity: FIELDS,
  defaultOrder: 'lower(e.extension), e.id',
  schema: 'data_import',
};

@Injectable()
export class FileExtensions {
  find(tx: TenantRead, id: string): Promise<FileExtensionRow | undefined> {
    return tx.one<FileExtensionRow>(
      'select * from file_extension where tenant_id = $1 and id = $2',
      [tx.tenantId, id],
    );
  }

  /** @returns false when another row has the extension */
  async add(tx: TenantTx, made: FileExtensionWrite): Promise<boolean> {
    const { firstName, lastName, userName } = made.user;
    const added = await tx.execute(
      `insert into file_extension (tenant_id, id, extension, description, data_types, import_blocked, user_first_name, user_last_name,
         user_name, created_at, created_by, created_by_name, updated_at, updated_by, updated_by_name)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), $10, $9, now(), $10, $9)
       on conflict (tenant_id, lower(extension)) do nothing`,
      [...values(tx, made), firstName ?? null, lastName ?? null, userName, tx.scope.actorId],
    );
    return added > 0;
  }

  /** @throws the database's error for a unique violation when another row has the extension */
  async change(tx: TenantTx, made: FileExtensionWrite): Promise<boolean> {
    const { firstName, lastName, userName } = made.user;
    const changed = await tx.execute(
      `update file_extension set extension = $3, description = $4, data_types = $5, import_blocked = $6, user_first_name = $7,
         user_last_name = $8, user_name = $9, updated_at = greatest(now(), updated_at), updated_by = $10, updated_by_name = $9
       where tenant_id = $1 and id = $2`,
      [...values(tx, made), firstName ?? null, lastName ?? null, userName, tx.scope.actorId],
    );
    return changed > 0;
  }

  /** @returns false when there is none */
  async remove(tx: TenantTx, id: string): Promise<boolean> {
    const removed = await tx.execute(
      'delete from file_extension where tenant_id = $1 and id = $2',
      [tx.tenantId, id],
    );
    return removed > 0;
  }

  /** Which of these extensions, in lower case, are blocked. */
  async blockedOf(tx: TenantRead, extensions: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await tx.query<{ extension: string }>(
      `select lower(extension) as extension from file_extension
       where tenant_id = $1 and lower(extension) = any ($2) and import_blocked`,
      [tx.tenantId, extensions],
    );
    return new Set(rows.map((row) => row.extension));
  }

  /** A tenant gets the default ones once; what it changes afterwards is its own. */
  async begin(tx: TenantTx): Promise<void> {
    const first = await tx.execute(
      'insert into file_extension_defaults (tenant_id) values ($1) on conflict do nothing',
      [tx.tenantId],
    );
    if (first > 0) await this.restore(tx);
  }

  /** The default ones, and nothing else; for one at a time. */
  async restore(tx: TenantTx): Promise<void> {
    await tx.query('select from file_extension_defaults where tenant_id = $1 for update', [
      tx.tenantId,
    ]);
    await tx.execute('delete from file_extension where tenant_id = $1', [tx.tenantId]);
    await tx.execute(
      `insert into file_extension (tenant_id, id, extension, description, data_types, import_blocked, user_first_name, user_last_name,
         user_name, created_at, created_by, created_by_name, updated_at, updated_by, updated_by_name)
       select $1, d.id, d.extension, '', array(select jsonb_array_elements_text(d."dataTypes")), d."importBlocked", '', '', $3,
         $4, $5, $3, $4, $5, $3
       from jsonb_to_recordset($2::jsonb) as d (id uuid, extension text, "dataTypes" jsonb, "importBlocked" boolean)
       on conflict do nothing`,
      [
        tx.tenantId,
        JSON.stringify(DEFAULT_EXTENSIONS),
        DEFAULTS_MADE_BY,
        DEFAULTS_MADE_AT,
        SYSTEM_USER_ID,
      ],
    );
  }

  all(tx: TenantRead): Promise<FileExtensionRow[]> {
    return tx.query<FileExtensionRow>(
      `select e.* from file_extension e where e.tenant_id = $1 order by ${FILE_EXTENSION_LISTING.defaultOrder}`,
      [tx.tenantId],
    );
  }
}

/** `$1` to `$6`. Data types are stored sorted, each once. */
function values(tx: TenantTx, made: FileExtensionWrite): unknown[] {
  const dataTypes = DATA_TYPES.filter((one) => made.dataTypes.includes(one));
  return [
    tx.tenantId,
    made.id,
    made.extension,
    made.description ?? null,
    dataTypes,
    made.importBlocked,
  ];
}
