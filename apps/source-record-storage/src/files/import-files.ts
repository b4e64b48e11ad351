import { Injectable } from '@nestjs/common';
import type { ChunkError } from '@quire/contracts/source-record-events';
import { ObjectNotFound, ObjectRangeRefused, ObjectStore } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';

/** Reads the uploaded files of data-import, and writes the lists of errors that do not fit into an event. */
@Injectable()
export class ImportFiles {
  constructor(private readonly store: ObjectStore) {}

  /**
   * The bytes of a chunk: at most 4 MiB, or one record of 1 MiB beyond.
   *
   * @throws FileMissing when the file is gone, is shorter than it was, or is not an upload of this tenant
   */
  async read(
    tenantId: string,
    keyText: string,
    { offset, length }: { readonly offset: number; readonly length: number },
  ): Promise<Buffer> {
    const key = TenantKey.parse(keyText);
    if (key.tenantId !== tenantId || key.prefix !== 'import') throw new FileMissing(key);
    const bytes = Buffer.allocUnsafe(length);
    const range = { start: offset, end: offset + length };
    let at = 0;
    try {
      for await (const part of await this.store.get(key, range)) at += part.copy(bytes, at);
    } catch (error) {
      const gone = error instanceof ObjectNotFound || error instanceof ObjectRangeRefused;
      throw gone ? new FileMissing(key) : error;
    }
    return bytes;
  }

  /** One JSON object a line. */
  async writeErrors(key: TenantKey, errors: readonly ChunkError[]): Promise<void> {
    await this.store.put(key, linesOf(errors));
  }

  /** Of a list of errors. A missing one is fine. */
  async remove(key: TenantKey): Promise<void> {
    await this.store.remove(key);
  }
}

const LINES_A_PART = 500;

async function* linesOf(errors: readonly ChunkError[]): AsyncGenerator<Buffer> {
  for (let at = 0; at < errors.length; at += LINES_A_PART) {
    const part = errors.slice(at, at + LINES_A_PART);
    yield await Promise.resolve(
      Buffer.from(part.map((error) => `${JSON.stringify(error)}\n`).join('')),
    );
  }
}

export class FileMissing extends Error {
  override readonly name = 'FileMissing';

  constructor(key: TenantKey) {
    super(`The uploaded file ${key.toString()} is gone.`);
  }
}
