import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { Scope } from '@quire/contracts/scope';
import type { ChunkError } from '@quire/contracts/source-record-events';
import { ObjectIntents } from '@quire/jobs/intents';
import { TenantKey } from '@quire/object-store/tenant-key';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { ImportFiles } from '../files/import-files.js';

/** What fits into an event, under the 64 KiB of its payload (data-import, 10.3). */
const INLINE_ERRORS_MAX = 100;
const INLINE_BYTES_MAX = 61_440;

export interface KeptErrors {
  /** All of them, or none when they lie in the object. */
  readonly inline: readonly ChunkError[];
  readonly key?: TenantKey;
}

/** The errors of a chunk: in its event where they fit, else in one object of JSON lines that the event names. */
@Injectable()
export class ErrorLists {
  constructor(
    private readonly source: DataSource,
    private readonly intents: ObjectIntents,
    private readonly files: ImportFiles,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** Before the transaction that refers to them. */
  async keep(scope: Scope, errors: readonly ChunkError[]): Promise<KeptErrors> {
    if (fits(errors)) return { inline: errors };
    const key = TenantKey.of('records', scope.tenantId, this.ids.next());
    await withTenant(this.source, scope, (tx) => this.intents.announce(tx, key));
    await this.files.writeErrors(key, errors);
    return { inline: [], key };
  }

  /** In the transaction that refers to them. */
  async settle(tx: TenantTx, { key }: KeptErrors): Promise<void> {
    if (key) await this.intents.settle(tx, key);
  }
}

function fits(errors: readonly ChunkError[]): boolean {
  return (
    errors.length <= INLINE_ERRORS_MAX &&
    Buffer.byteLength(JSON.stringify(errors)) <= INLINE_BYTES_MAX
  );
}
