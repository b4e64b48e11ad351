import { performance } from 'node:perf_hooks';
import { Inject, Injectable } from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import type { Caller, Scope } from '@quire/contracts/scope';
import { apart, type Task } from '@quire/jobs/apart';
import { storable } from '@quire/contracts/storable';
import type { StoredObject } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { BodyInterrupted } from '@quire/service/bodies';
import { LOG, SETTINGS } from '@quire/service/platform.module';
import { tee } from '@quire/streams/tee';
import { DataSource } from 'typeorm';
import { exportSettings, type ExportSettings } from '../config.js';
import {
  NO_LINES,
  type FileDefinitionRecord,
  type InputCounts,
  type UploadedInput,
} from '../db/file-definitions.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { failures } from '../domain/failures.js';
import { QUERY_BYTES_MAX } from '../domain/selection.js';
import { ExportFiles } from '../files/export-files.js';
import { readIds } from '../pipeline/read-ids.js';
import { Fresh } from './fresh.js';

/** An upload that runs. Rows and object belong to this attempt alone: the next one makes its own. */
interface Upload {
  readonly caller: Caller;
  readonly definition: FileDefinitionRecord;
  readonly inputId: string;
  readonly key: TenantKey;
}

const KILOBYTE = 1024;
/** A third of the lease. */
const RENEW_MS = 10_000;

/**
 * Uploads of id files: the body streams to the object store, and in the same pass its lines become rows. Memory does not
 * follow its size. An upload holds a lease on its definition while bytes arrive; one that ends early leaves the definition
 * in `ERROR`, which takes another upload, and nothing else.
 */
@Injectable()
export class Uploads {
  private readonly settings: ExportSettings;

  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly files: ExportFiles,
    private readonly fresh: Fresh,
    @Inject(LOG) private readonly log: Log,
    @Inject(SETTINGS) settings: object,
  ) {
    this.settings = exportSettings(settings);
  }

  async upload(
    caller: Caller,
    id: string,
    body: AsyncIterable<Buffer>,
  ): Promise<FileDefinitionRecord> {
    const upload = await this.begin(caller, id);
    try {
      const input = await this.receive(upload, body);
      await this.complete(upload, input);
    } catch (error) {
      if (await this.giveUp(upload))
        throw error instanceof BodyInterrupted ? failures.uploadInterrupted(id) : error;
    }
    const definition = await readTenant(this.source, caller, (tx) =>
      this.stores.definitions.find(tx, id),
    );
    if (!definition) throw failures.fileDefinitionNotFound(id);
    return definition;
  }

  /** Gives back what uploads hold whose process is gone. */
  async recover(scope: Scope): Promise<void> {
    await withTenant(this.source, scope, async (tx) => {
      for (const { input_id: inputId } of await this.stores.definitions.abandoned(tx))
        await this.stores.discarded.discard(tx, inputId);
    });
  }

  /**
   * Removes objects that were announced long ago, that nobody refers to and no upload is still writing.
   *
   * @returns how many; there may be more
   */
  async removeAbandoned(scope: Scope, olderThanMs: number): Promise<number> {
    const { definitions } = this.stores;
    const keys = await withTenant(this.source, scope, async (tx) => {
      const idle: string[] = [];
      for (const key of await this.files.abandoned(tx, olderThanMs))
        if (!(await definitions.isWriting(tx, key))) idle.push(key);
      return idle;
    });
    const tasks = keys.map((key): Task => [
      key,
      () => this.files.sweep(this.source, scope, TenantKey.parse(key)),
    ]);
    return apart(this.log, 'removal of an object', tasks);
  }

  private begin(caller: Caller, id: string): Promise<Upload> {
    const inputId = this.fresh.id();
    const key = this.files.newKey(caller.tenantId, this.fresh.id());
    return withTenant(this.source, caller, async (tx) => {
      const definition = await this.stores.definitions.lock(tx, id);
      if (!definition) throw failures.fileDefinitionNotFound(id);
      const { status, leaseOver, fileName } = definition;
      const free =
        status === 'NEW' || status === 'ERROR' || (status === 'IN_PROGRESS' && leaseOver);
      if (!free) throw failures.alreadyUploaded();
      const sourcePath = `./storage/files/${id}/${fileName}`;
      const begun = { inputId, sourcePath, objectKey: key.toString() };
      await this.stores.definitions.beginUpload(tx, id, begun);
      await this.files.announce(tx, key);
      return { caller, definition, inputId, key };
    });
  }

  private async receive(upload: Upload, body: AsyncIterable<Buffer>): Promise<UploadedInput> {
    const { definition, key } = upload;
    const put = (bytes: AsyncIterable<Buffer>): Promise<StoredObject> =>
      this.files.store.put(key, bytes);
    const source = this.limited(upload, body);
    if (definition.uploadFormat === 'cql') {
      const [stored, query] = await tee(source, put, readText);
      return { ...inputOf(key, stored), lines: NO_LINES, query };
    }
    const [stored, lines] = await tee(source, put, (bytes) => this.keepLines(upload, bytes));
    return { ...inputOf(key, stored), lines };
  }

  /** Cuts the body at the limit, and keeps the lease while it comes. */
  private async *limited(upload: Upload, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { uploadKilobytesMax: max } = this.settings;
    let bytes = 0;
    let renewed = performance.now();
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > max * KILOBYTE) throw failures.fileTooLarge(Math.ceil(bytes / KILOBYTE), max);
      if (performance.now() - renewed > RENEW_MS) {
        await this.renew(upload);
        renewed = performance.now();
      }
      yield chunk;
    }
  }

  private async renew({ caller, definition, inputId }: Upload): Promise<void> {
    const ours = await withTenant(this.source, caller, (tx) =>
      this.stores.definitions.renewUpload(tx, definition.id, inputId),
    );
    if (!ours) throw failures.alreadyUploaded();
  }

  private async keepLines(upload: Upload, bytes: AsyncIterable<Buffer>): Promise<InputCounts> {
    const counts = { total: 0, blank: 0, invalid: 0, duplicated: 0 };
    for await (const batch of readIds(bytes)) {
      counts.duplicated += await withTenant(this.source, upload.caller, (tx) =>
        this.stores.ids.add(tx, upload.inputId, batch),
      );
      counts.total += batch.ids.length + batch.invalid.length;
      counts.invalid += batch.invalid.length;
      counts.blank += batch.blank;
    }
    return counts;
  }

  /** The upload counts, and its job exists, in one step. */
  private complete(
    { caller, definition, inputId, key }: Upload,
    input: UploadedInput,
  ): Promise<void> {
    const { id, jobId, baseName } = definition;
    const stamps = newStamps(caller, this.fresh.now());
    return withTenant(this.source, caller, async (tx) => {
      const ours = await this.stores.definitions.endUpload(tx, { id, inputId }, input, stamps);
      if (!ours) throw failures.alreadyUploaded();
      await this.files.settle(tx, key);
      const hrId = await this.stores.jobs.nextHrId(tx);
      const { lines } = input;
      await this.stores.jobs.insert(tx, {
        id: jobId,
        hrId,
        fileDefinitionId: id,
        inputId,
        baseName,
        lines,
        stamps,
      });
    });
  }

  /** @returns false when the upload counts all the same: the answer to its commit was lost */
  private async giveUp({ caller, definition, inputId, key }: Upload): Promise<boolean> {
    const givenUp = await withTenant(this.source, caller, async (tx) => {
      const now = await this.stores.definitions.lock(tx, definition.id);
      if (now?.status === 'COMPLETED' && now.inputId === inputId) return false;
      await this.stores.definitions.failUpload(tx, definition.id, inputId);
      await this.stores.discarded.discard(tx, inputId);
      return true;
    });
    if (!givenUp) return false;
    await this.files.store.remove(key);
    await withTenant(this.source, caller, (tx) => this.files.settle(tx, key));
    return true;
  }
}

function inputOf(key: TenantKey, { bytes, sha256 }: StoredObject) {
  return { objectKey: key.toString(), bytes, sha256 };
}

/** A query is kept as it was sent; of what is too long to be one, the beginning. */
async function readText(bytes: AsyncIterable<Buffer>): Promise<string> {
  const decoder = new TextDecoder('utf-8');
  let text = '';
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size - chunk.length < QUERY_BYTES_MAX) text += decoder.decode(chunk, { stream: true });
  }
  return storable(text + decoder.decode());
}
