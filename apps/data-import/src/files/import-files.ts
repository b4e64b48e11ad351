import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { ChunkError } from '@quire/contracts/source-records';
import { ObjectIntents } from '@quire/jobs/intents';
import {
  ObjectNotFound,
  ObjectStore,
  type ByteRange,
  type ObjectBytes,
  type StoredObject,
} from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';

/** The uploaded files, as they came; and the lists of errors that source-record-storage writes. */
@Injectable()
export class ImportFiles {
  private readonly intents = new ObjectIntents();

  constructor(
    private readonly store: ObjectStore,
    private readonly source: DataSource,
  ) {}

  keyOf(tenantId: string, uploadId: string): string {
    return TenantKey.of('import', tenantId, uploadId).toString();
  }

  announce(tx: TenantTx, key: string): Promise<void> {
    return this.intents.announce(tx, TenantKey.parse(key));
  }

  settle(tx: TenantTx, key: string): Promise<void> {
    return this.intents.settle(tx, key);
  }

  /** From now on nobody refers to the object: what `remove` does not bring away, the sweep does. */
  async doom(tx: TenantTx, key: string): Promise<void> {
    await this.intents.settle(tx, key);
    await this.intents.announce(tx, TenantKey.parse(key));
  }

  /** A doomed object, after the commit. */
  async remove(scope: Scope, key: string): Promise<void> {
    await this.store.remove(TenantKey.parse(key));
    // eslint-disable-next-line no-restricted-syntax -- the row says that the object is gone, and it is gone now
    await withTenant(this.source, scope, (tx) => this.intents.settle(tx, key));
  }

  overdue(tx: TenantTx, olderThanMs: number): Promise<string[]> {
    return this.intents.overdue(tx, olderThanMs);
  }

  put(key: string, source: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    return this.store.put(TenantKey.parse(key), source);
  }

  async exists(key: string): Promise<boolean> {
    return (await this.store.stat(TenantKey.parse(key))) !== undefined;
  }

  /** Undefined when it is gone. */
  sizeOf(key: string): Promise<number | undefined> {
    return this.store.stat(TenantKey.parse(key));
  }

  open(key: string, range: ByteRange): Promise<ObjectBytes> {
    return this.store.get(TenantKey.parse(key), range);
  }

  /** Parts of one file, one after the other. */
  async *parts(
    key: string,
    places: AsyncIterable<{ readonly offset: number; readonly length: number }>,
  ): AsyncGenerator<Buffer> {
    for await (const { offset, length } of places) {
      yield* await this.store.get(TenantKey.parse(key), { start: offset, end: offset + length });
    }
  }

  /** A list of errors: one JSON object a line. Empty when the list is gone. */
  async *errors(key: string): AsyncGenerator<ChunkError> {
    // A part may end inside a character.
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const part of await this.store.get(TenantKey.parse(key))) {
        const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as ChunkError;
      }
    } catch (error) {
      if (!(error instanceof ObjectNotFound)) throw error;
    }
    if (rest !== '') yield JSON.parse(rest) as ChunkError;
  }
}
