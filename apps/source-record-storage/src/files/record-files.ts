import { Injectable } from '@nestjs/common';
import { buffer } from 'node:stream/consumers';
import { ObjectStore } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';

/** Raw records that are too long for a row: one object each, below `records/`. */
@Injectable()
export class RecordFiles {
  constructor(private readonly store: ObjectStore) {}

  async write(key: TenantKey, bytes: Buffer): Promise<void> {
    await this.store.put(key, one(bytes));
  }

  /** At most what a body may have. */
  async read(key: TenantKey): Promise<Buffer> {
    return buffer(await this.store.get(key));
  }
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}
