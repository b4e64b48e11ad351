import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { TenantRead, TenantTx } from '@quire/postgres/tenant';
import { ImportTenantSettings } from '../db/tenant-settings.js';
import { UploadDefinitions, type DefinitionRow, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { autoProfileId } from '../domain/tenant-settings.js';
import { definitionStatus } from '../domain/upload-definition.js';

export interface Definition {
  readonly row: DefinitionRow;
  readonly files: readonly FileRow[];
}

/** Who changes a definition; the name is kept as it is now. */
export type Editor = Scope & { readonly username?: string };

/** A definition as it stands, and the status that its files give it (data-import, 7.1). */
@Injectable()
export class DefinitionStates {
  constructor(
    private readonly definitions: UploadDefinitions,
    private readonly settings: ImportTenantSettings,
  ) {}

  async read(tx: TenantRead, id: string): Promise<Definition> {
    const row = await this.definitions.find(tx, id);
    if (!row) throw failures.definitionNotFound(id);
    return { row, files: await this.definitions.filesOf(tx, [id]) };
  }

  /** After every file event, in its transaction. A definition that is loaded may be due to start (section 14, 14). */
  async recompute(tx: TenantTx, id: string, { username }: Editor): Promise<void> {
    const row = await this.definitions.lock(tx, id);
    if (!row) return;
    const files = await this.definitions.filesOf(tx, [id]);
    const status = definitionStatus(
      files.map((file) => file.status),
      row.processing_started,
    );
    const startDue = status === 'LOADED' ? await this.profileOf(tx, row) : undefined;
    await this.definitions.setStatus(tx, id, { status, userName: username });
    await this.definitions.setStartDue(tx, id, startDue);
  }

  /** The profile with which a loaded definition starts by itself. */
  private async profileOf(tx: TenantTx, { autostart }: DefinitionRow): Promise<string | undefined> {
    if (autostart === 'off') return undefined;
    if (autostart !== null && autostart !== 'on') return autostart;
    const setting = await this.settings.read(tx, 'AUTO_PROCESS');
    return autoProfileId(autostart === 'on' && setting === 'off' ? 'on' : setting);
  }
}
