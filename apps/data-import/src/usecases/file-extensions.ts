import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { FileExtension } from '@quire/contracts/file-extensions';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import type { TenantSeed } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import {
  FileExtensions as FileExtensionRows,
  type FileExtensionRow,
  type FileExtensionWrite,
} from '../db/file-extensions.js';
import { failures } from '../domain/failures.js';
import { isExtension } from '../domain/file-extensions.js';

const UNIQUE_VIOLATION = '23505';

/** Which file extensions a tenant knows, and which it does not take (data-import, 3.5). */
@Injectable()
export class FileExtensions implements TenantSeed {
  constructor(
    private readonly source: DataSource,
    private readonly rows: FileExtensionRows,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  create(caller: Caller, sent: FileExtension): Promise<FileExtensionRow> {
    const made = writeOf(caller, this.ids.next(), sent);
    return withTenant(this.source, caller, async (tx) => {
      if (!(await this.rows.add(tx, made))) throw failures.extensionExists(made.extension);
      return this.read(tx, made.id);
    });
  }

  change(caller: Caller, id: string, sent: FileExtension): Promise<FileExtensionRow> {
    const made = writeOf(caller, id, sent);
    return withTenant(this.source, caller, async (tx) => {
      const known = await unlessTaken(made, () => tx.savepoint(() => this.rows.change(tx, made)));
      if (!known) throw failures.extensionNotFound(id);
      return this.read(tx, id);
    });
  }

  async remove(caller: Caller, id: string): Promise<void> {
    const known = await withTenant(this.source, caller, (tx) => this.rows.remove(tx, id));
    if (!known) throw failures.extensionNotFound(id);
  }

  restoreDefaults(caller: Caller): Promise<FileExtensionRow[]> {
    return withTenant(this.source, caller, async (tx) => {
      await this.rows.restore(tx);
      return this.rows.all(tx);
    });
  }

  seed(tx: TenantTx): Promise<void> {
    return this.rows.begin(tx);
  }

  private async read(tx: TenantTx, id: string): Promise<FileExtensionRow> {
    const row = await this.rows.find(tx, id);
    if (!row) throw failures.extensionNotFound(id);
    return row;
  }
}

function writeOf(caller: Caller, id: string, sent: FileExtension): FileExtensionWrite {
  const { extension, description, dataTypes = [], importBlocked } = sent;
  if (!isExtension(extension)) throw failures.extensionInvalid(extension);
  const { firstName, lastName, username: userName } = caller;
  const user = { firstName, lastName, userName };
  return { id, extension, description, dataTypes, importBlocked, user };
}

async function unlessTaken<T>(
  { extension }: FileExtensionWrite,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
    throw failures.extensionExists(extension);
  }
}
