import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { Caller, Scope } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { UploadDefinitions, type DefinitionRow, type FileRow } from '../db/upload-definitions.js';
import { failures } from '../domain/failures.js';
import { ImportFiles } from '../files/import-files.js';
import { Autostarts } from './autostarts.js';
import { DefinitionStates, type Definition } from './definition-states.js';
import { checkCount, DraftFiles, type SentFile } from './draft-files.js';

/** `off`, `on`, or the id of a job profile; absent: as the tenant has set it. */
export type Autostart = string | undefined;

/** What is to be said when a definition or file is not there; each endpoint has its own sentence. */
export interface NotFound {
  readonly definition: (id: string) => Error;
  readonly file: (id: string) => Error;
}

const inList = (index: number): string => `fileDefinitions[${index}].name`;

/**
 * Drafts that name files: made, added to, changed, emptied, deleted (data-import, 3.1, 3.2 and 3.6). Both families work on one
 * aggregate. Jobs, files and definition are committed together, before the answer.
 */
@Injectable()
export class UploadDrafts {
  constructor(
    private readonly source: DataSource,
    private readonly definitions: UploadDefinitions,
    private readonly states: DefinitionStates,
    private readonly files: DraftFiles,
    private readonly objects: ImportFiles,
    private readonly autostarts: Autostarts,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  create(caller: Caller, sent: readonly SentFile[], autostart: Autostart): Promise<Definition> {
    this.files.check(sent, inList);
    return withTenant(this.source, caller, async (tx) => {
      const names = sent.map(({ name }) => name);
      await this.files.checkBlocked(tx, names, inList);
      const id = this.ids.next();
      const single = sent.length === 1;
      const metaJobId = this.ids.next();
      await this.definitions.add(tx, { id, metaJobId, autostart }, caller.username);
      const added = sent.map((file, position) => {
        const jobId = single ? metaJobId : this.ids.next();
        return { definitionId: id, metaJobId, position, file, jobId };
      });
      await this.files.add(tx, caller, added, single ? undefined : parentOf(metaJobId));
      return this.states.read(tx, id);
    });
  }

  async addTo(
    caller: Caller,
    definitionId: string,
    file: SentFile,
    notFound: NotFound['definition'],
  ): Promise<Definition> {
    const key = (): string => 'name';
    this.files.check([file], key);
    return withTenant(this.source, caller, async (tx) => {
      const row = await this.definitions.lock(tx, definitionId);
      if (!row) throw notFound(definitionId);
      if (row.processing_started) throw failures.processedCannotAdd(definitionId);
      const stored = await this.definitions.filesOf(tx, [definitionId]);
      checkCount(stored.length + 1, 'name', file);
      await this.files.checkBlocked(tx, [file.name], key);
      await this.files.append(tx, caller, row, { file, position: nextPosition(stored) });
      await this.states.recompute(tx, definitionId, caller);
      return this.states.read(tx, definitionId);
    });
  }

  /** Of the seed family: a list of files replaces the stored one; no list leaves it, as the current family always does. */
  async update(
    caller: Caller,
    definitionId: string,
    change: { status?: DefinitionRow['status']; files?: readonly SentFile[] },
    notFound: NotFound['definition'],
  ): Promise<Definition> {
    if (change.files) this.files.check(change.files, inList);
    const definition = await this.removingObjects(caller, async (tx, removed) => {
      const row = await this.definitions.lock(tx, definitionId);
      if (!row) throw notFound(definitionId);
      if (change.files) {
        await this.replaceFiles(tx, caller, row, { sent: change.files, removed });
        await this.states.recompute(tx, definitionId, caller);
      }
      // A free label; it starts and stops nothing, and the next file event computes it anew.
      const label = row.processing_started ? undefined : change.status;
      await this.definitions.setStatus(tx, definitionId, {
        status: label,
        userName: caller.username,
      });
      return this.states.read(tx, definitionId);
    });
    return this.autostarts.started(caller, definition);
  }

  async remove(
    caller: Caller,
    definitionId: string,
    fileId: string,
    notFound: NotFound,
  ): Promise<void> {
    const definition = await this.removingObjects(caller, async (tx, removed) => {
      const row = await this.definitions.lock(tx, definitionId);
      if (!row) throw notFound.definition(definitionId);
      const stored = await this.definitions.filesOf(tx, [definitionId]);
      const file = stored.find((one) => one.id === fileId);
      if (!file) throw notFound.file(fileId);
      await this.files.remove(tx, file, removed);
      await this.states.recompute(tx, definitionId, caller);
      return this.states.read(tx, definitionId);
    });
    await this.autostarts.started(caller, definition);
  }

  /** The whole draft, with its files, their bytes and jobs; not once a job has begun. */
  delete(scope: Scope, definitionId: string): Promise<void> {
    return this.removingObjects(scope, async (tx, removed) => {
      const row = await this.definitions.lock(tx, definitionId);
      if (!row) throw failures.definitionToDeleteNotFound(definitionId);
      const stored = await this.definitions.filesOf(tx, [definitionId]);
      for (const file of stored)
        if (!(await this.files.unused(tx, file))) throw failures.processedCannotDelete(row.id);
      for (const file of stored) await this.files.remove(tx, file, removed);
      await this.definitions.remove(tx, definitionId);
    });
  }

  private async replaceFiles(
    tx: TenantTx,
    caller: Caller,
    row: DefinitionRow,
    { sent, removed }: { sent: readonly SentFile[]; removed: string[] },
  ): Promise<void> {
    const stored = await this.definitions.filesOf(tx, [row.id]);
    const knownOf = ({ id }: SentFile): FileRow | undefined =>
      stored.find((one) => one.id === id?.toLowerCase());
    await this.checkNewNames(tx, sent, (file) => knownOf(file)?.name !== file.name);
    const kept = new Set(sent.map(knownOf));
    for (const file of stored) {
      if (kept.has(file)) continue;
      if (file.processed) throw failures.processedCannotRemove(file.id);
      await this.files.remove(tx, file, removed);
    }
    let position = nextPosition(stored);
    for (const file of sent) {
      const known = knownOf(file);
      if (!known && row.processing_started) throw failures.processedCannotAdd(row.id);
      if (!known) await this.files.append(tx, caller, row, { file, position: position++ });
      else if (!known.processed && known.name !== file.name)
        await this.files.rename(tx, known, file.name);
    }
  }

  /** A file that is there already keeps its name, although its extension may have been blocked since. */
  private async checkNewNames(
    tx: TenantTx,
    sent: readonly SentFile[],
    isNew: (file: SentFile) => boolean,
  ): Promise<void> {
    const fresh = [...sent.entries()].filter(([, file]) => isNew(file));
    const names = fresh.map(([, { name }]) => name);
    await this.files.checkBlocked(tx, names, (index) => inList(fresh[index]?.[0] ?? 0));
  }

  /** Objects that the work gave up go after its commit; their intents bring them away if we die before. */
  private async removingObjects<T>(
    scope: Scope,
    work: (tx: TenantTx, removed: string[]) => Promise<T>,
  ): Promise<T> {
    const removed: string[] = [];
    const result = await withTenant(this.source, scope, async (tx) => {
      removed.length = 0;
      const value = await work(tx, removed);
      for (const key of removed) await this.objects.doom(tx, key);
      return value;
    });
    for (const key of removed) await this.objects.remove(scope, key);
    return result;
  }
}

const nextPosition = (files: readonly FileRow[]): number =>
  files.reduce((max, one) => Math.max(max, one.position), -1) + 1;

const parentOf = (id: string) =>
  ({ id, parentJobId: id, subordinationType: 'PARENT_MULTIPLE', status: 'PARENT' }) as const;
