/**
 * The object store of the embedded mode: a folder.
 *
 *   <root>/.quire-objects                            says that this is a store and not an empty mount point
 *   <root>/<prefix>/<tenant>/<uuid>                  whole objects
 *   <root>/<prefix>/<tenant>/.part/<uuid>.<random>   objects being written
 *
 * A put writes a part file, syncs it, links it under its final name, unlinks the part and syncs the folder. Linking
 * is the commit: it is atomic and, unlike renaming, refuses a name that is taken, so two puts of one key cannot both
 * win. Parts lie in a folder of their own below the target, where they are found without reading a million names and
 * are on the same file system. What a killed process leaves is a part file, which `remove` of that key or
 * `sweepTemporary` clears.
 *
 * Limits: the file system must know hard links; there are no time-outs, as the system offers none for files.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  link,
  mkdir,
  open,
  opendir,
  readdir,
  realpath,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { abortable } from '@quire/streams/abortable';
import { codeOf, FileReading, FileWriter, onDisk, syncFolder } from './disk-file.js';
import {
  checkedRange,
  ObjectAlreadyExists,
  ObjectNotFound,
  ObjectStore,
  ObjectStoreUnavailable,
  type ByteRange,
  type ListedObject,
  type ObjectBytes,
  type PutOptions,
  type StoredObject,
} from './object-store.js';
import {
  isUuid,
  objectFolder,
  OBJECT_PREFIXES,
  TenantKey,
  type ObjectPrefix,
} from './tenant-key.js';

const MARKER = '.quire-objects';
const PARTS = '.part';

/** Part files this process is writing, of all stores, since several services may share a folder and sweep it. */
const beingWritten = new Set<string>();

export class DiskStore extends ObjectStore {
  private constructor(readonly root: string) {
    super();
  }

  /** Opens the store in a folder, which is made if it is not there. */
  static async open(root: string): Promise<DiskStore> {
    return onDisk(
      `open ${root}`,
      (async () => {
        await mkdir(root, { recursive: true });
        await writeFile(join(root, MARKER), '', { flag: 'a' });
        return new DiskStore(await realpath(root));
      })(),
    );
  }

  async put(
    key: TenantKey,
    source: AsyncIterable<Uint8Array>,
    { signal }: PutOptions = {},
  ): Promise<StoredObject> {
    signal?.throwIfAborted();
    const path = this.#path(key);
    // Seen early, so that a repeated key does not cost a whole upload; the link decides. It also tells a bare mount
    // point from a store: an object written to one would vanish when the disk is back.
    if ((await this.stat(key)) !== undefined) throw new ObjectAlreadyExists(key);
    const part = join(await this.#partFolder(key), `${key.uuid}.${randomUUID()}`);
    beingWritten.add(part);
    try {
      const stored = await this.#write(part, abortable(source, signal));
      signal?.throwIfAborted();
      await this.#commit(key, part, path);
      return stored;
    } finally {
      // The first failure is the one worth knowing, and a part that cannot be unlinked now is swept later.
      await unlink(part).catch(() => undefined);
      beingWritten.delete(part);
    }
  }

  async get(key: TenantKey, range?: ByteRange): Promise<ObjectBytes> {
    const handle = await this.#ifThere('open an object', open(this.#path(key), 'r'));
    if (!handle) throw new ObjectNotFound(key);
    try {
      const { size } = await onDisk('look at an object', handle.stat());
      return new FileReading(handle, checkedRange(key, size, range));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async stat(key: TenantKey): Promise<number | undefined> {
    return (await this.#ifThere('look at an object', stat(this.#path(key))))?.size;
  }

  async remove(key: TenantKey): Promise<void> {
    const path = this.#path(key);
    const parts = join(dirname(path), PARTS);
    const names = (await this.#ifThere('list unfinished objects', readdir(parts))) ?? [];
    const doomed = names.filter((name) => name.startsWith(`${key.uuid}.`));
    // Parts first: once they are gone, no put that is still running can bring the object back.
    for (const name of doomed) {
      await this.#ifThere('remove an unfinished object', unlink(join(parts, name)));
    }
    await this.#ifThere('remove an object', unlink(path));
    await this.#ifThere('make a removal durable', syncFolder(dirname(path)));
  }

  async *list(prefix: ObjectPrefix, tenantId: string): AsyncGenerator<ListedObject> {
    const folder = join(this.root, objectFolder(prefix, tenantId));
    const entries = await this.#ifThere('list objects', opendir(folder));
    if (!entries) return;
    try {
      for (;;) {
        const entry = await onDisk('list objects', entries.read());
        if (!entry) return;
        // What somebody else put here, such as a file browser's notes, is no object.
        if (!entry.isFile() || !isUuid(entry.name)) continue;
        const key = TenantKey.of(prefix, tenantId, entry.name);
        const bytes = await this.stat(key);
        if (bytes !== undefined) yield { key, bytes };
      }
    } finally {
      await entries.close();
    }
  }

  async ready(): Promise<void> {
    await onDisk('answer', access(join(this.root, MARKER), constants.R_OK | constants.W_OK));
  }

  /**
   * Removes the part files that dead processes left, those last written to more than `olderThanMs` before `now`.
   * Parts this process is writing are spared at any age, so a process that alone owns the folder sweeps with 0.
   * Answers how many were removed.
   */
  async sweepTemporary(olderThanMs: number, now = new Date()): Promise<number> {
    let removed = 0;
    for (const parts of await this.#partFolders()) {
      for (const name of (await this.#ifThere('list unfinished objects', readdir(parts))) ?? []) {
        const part = join(parts, name);
        if (beingWritten.has(part)) continue;
        const found = await this.#ifThere('look at an unfinished object', stat(part));
        if (!found || now.getTime() - found.mtimeMs < olderThanMs) continue;
        await this.#ifThere('remove an unfinished object', unlink(part));
        removed++;
      }
    }
    return removed;
  }

  async #write(part: string, source: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    const handle = await onDisk('begin an object', open(part, 'wx'));
    const writer = new FileWriter(handle);
    try {
      for await (const chunk of source) await writer.add(chunk);
      const stored = await writer.finish();
      await onDisk('close an object', handle.close());
      return stored;
    } catch (error) {
      await writer.settle();
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  async #commit(key: TenantKey, part: string, path: string): Promise<void> {
    try {
      await link(part, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw new ObjectAlreadyExists(key);
      throw new ObjectStoreUnavailable('make an object visible', error);
    }
    try {
      await onDisk('make an object durable', syncFolder(dirname(path)));
    } catch (error) {
      await unlink(path).catch(() => undefined);
      throw error;
    }
  }

  /** The folder for the parts of a key's folder. When it is new, its parents are made durable too. */
  async #partFolder(key: TenantKey): Promise<string> {
    const folder = dirname(this.#path(key));
    const parts = join(folder, PARTS);
    if (await onDisk('make a folder', mkdir(parts, { recursive: true }))) {
      await onDisk('make a folder durable', syncFolder(dirname(folder)));
      await onDisk('make a folder durable', syncFolder(this.root));
    }
    return parts;
  }

  async #partFolders(): Promise<string[]> {
    const folders: string[] = [];
    for (const prefix of OBJECT_PREFIXES) {
      const folder = join(this.root, prefix);
      const entries = await this.#ifThere('list tenants', readdir(folder, { withFileTypes: true }));
      for (const entry of entries ?? []) {
        if (entry.isDirectory()) folders.push(join(folder, entry.name, PARTS));
      }
    }
    return folders;
  }

  /** Undefined for a file that is not there, unless that is because the whole store is not there. */
  async #ifThere<T>(doing: string, operation: Promise<T>): Promise<T | undefined> {
    try {
      return await operation;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw new ObjectStoreUnavailable(doing, error);
      await this.ready();
      return undefined;
    }
  }

  /** A key's text cannot climb by its grammar; this second lock is for the day somebody loosens the first. */
  #path(key: TenantKey): string {
    const path = join(this.root, key.toString());
    if (!path.startsWith(this.root + sep) || basename(path) !== key.uuid) {
      throw new Error(`The key ${key.toString()} leaves the store.`);
    }
    return path;
  }
}
