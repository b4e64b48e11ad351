import { Injectable } from '@nestjs/common';
import { notFound } from '@quire/contracts/failure';
import type { ChunkError } from '@quire/contracts/source-records';
import { ObjectNotFound, ObjectRangeRefused, ObjectStore } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';

/** Reads the uploaded files of data-import, and writes the lists of errors that do not fit into an event. */
@Injectable()
export class ImportFiles {
  constructor(private readonly store: ObjectStore) {}

  /**
   * The bytes of a chunk: at most 4 MiB, or one record of 1 MiB beyond.
   *
   * @throws FileMissing when the file is gone or shorter than it was
   */
  async read(key: string, offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    try {
      for await (const part of await this.store.get(TenantKey.parse(key), {
        start: offset,
        end: offset + length,
      })) {
        at += part.copy(bytes, at);
      }
    } catch (error) {
      if (error instanceof ObjectNotFound || error instanceof ObjectRangeRefused)
        throw new FileMissing(key);
      throw error;
    }
    return bytes;
  }

  /** One JSON object a line. Gives the key. */
  async keepErrors(key: TenantKey, errors: readonly ChunkError[]): Promise<void> {
    // A chunk that is worked again writes the same list under the same key.
    if ((await this.store.stat(key)) !== undefined) return;
    await this.store.put(key, linesOf(errors));
  }
}

const LINES_A_PART = 500;

async function* linesOf(errors: readonly ChunkError[]): AsyncGenerator<Buffer> {
  for (let at = 0; at < errors.length; at += LINES_A_PART) {
    yield Buffer.from(
      errors
        .slice(at, at + LINES_A_PART)
        .map((error) => `${JSON.stringify(error)}\n`)
        .join(''),
    );
  }
  await Promise.resolve();
}

export class FileMissing extends Error {
  constructor(key: string) {
    super(`The uploaded file ${key} is gone.`, { cause: notFound('file') });
    this.name = 'FileMissing';
  }
}
