import { Inject, Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import type { Ids } from '@quire/contracts/clock';
import type { Scope } from '@quire/contracts/scope';
import { ObjectIntents } from '@quire/jobs/intents';
import { TenantKey } from '@quire/object-store/tenant-key';
import { APART, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import type { KeptRaw } from '../db/record-writes.js';
import { RecordFiles } from '../files/record-files.js';

/** Longer raw records are objects of their own (source-record-storage, section 11). */
const INLINE_BYTES_MAX = 65_536;

/** Keeps the raw records that are not what their content would give: in a row, or in an object that a row names. */
@Injectable()
export class RawContents {
  constructor(
    private readonly source: DataSource,
    private readonly intents: ObjectIntents,
    private readonly files: RecordFiles,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** Before the transaction that refers to them. */
  async keep(scope: Scope, raws: readonly Buffer[]): Promise<KeptRaw[]> {
    const kept = raws.map((bytes): KeptRaw => {
      if (bytes.length <= INLINE_BYTES_MAX) return inlineRaw(bytes);
      const key = TenantKey.of('records', scope.tenantId, this.ids.next());
      return { ...inlineRaw(bytes), content: null, objectKey: key.toString() };
    });
    const keys = kept.map(({ objectKey }) => objectKey && TenantKey.parse(objectKey));
    const named = keys.filter((key) => key instanceof TenantKey);
    if (named.length === 0) return kept;
    const announce = async (tx: TenantTx): Promise<void> => {
      for (const key of named) await this.intents.announce(tx, key);
    };
    await withTenant(this.source, scope, announce, APART);
    for (const [at, bytes] of raws.entries()) {
      const key = keys[at];
      if (key instanceof TenantKey) await this.files.write(key, bytes);
    }
    return kept;
  }

  /** In the transaction whose rows name them. @param gone keys that no row names any more */
  async settle(
    tx: TenantTx,
    raws: readonly (KeptRaw | null | undefined)[],
    gone: readonly string[],
  ): Promise<void> {
    const keys = raws.flatMap((raw) => raw?.objectKey ?? []);
    if (keys.length > 0) await this.intents.settle(tx, ...keys);
    await this.intents.discard(tx, gone);
  }

  /** Bytes of a row: its own, or those of its object. */
  async read(content: Buffer | null, objectKey: string | null): Promise<Buffer | undefined> {
    if (content) return content;
    return objectKey === null ? undefined : this.files.read(TenantKey.parse(objectKey));
  }
}

/** In the row, however long. */
export const inlineRaw = (bytes: Buffer): KeptRaw => ({
  content: bytes,
  objectKey: null,
  sha256: hash('sha256', bytes, 'buffer'),
  length: bytes.length,
});
