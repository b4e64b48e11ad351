import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import { ObjectIntents } from '@quire/jobs/intents';
import { ObjectStore, type ObjectBytes } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';
import type { TenantTx } from '@quire/postgres/tenant';
import type { DataSource } from 'typeorm';

/** An output as its slices lie in the store: immutable objects in their order. */
export interface PartInStore {
  readonly objectKey: string;
  readonly bytes: number;
}

/** The objects of this service: `export/<tenant>/<uuid>`, uploads and slices alike. */
@Injectable()
export class ExportFiles {
  constructor(
    readonly store: ObjectStore,
    private readonly intents: ObjectIntents,
  ) {}

  /** Before the first byte: what nobody refers to afterwards is swept. */
  announce(tx: TenantTx, key: TenantKey): Promise<void> {
    return this.intents.announce(tx, key);
  }

  /** In the transaction that refers to the object, or after it was removed. */
  settle(tx: TenantTx, key: TenantKey): Promise<void> {
    return this.intents.settle(tx, key);
  }

  /** In the transaction in which nobody refers to them any more. */
  discard(tx: TenantTx, keys: readonly string[]): Promise<void> {
    return this.intents.discard(tx, keys);
  }

  /** An abandoned object. @throws what the store says */
  sweep(source: DataSource, scope: Scope, key: TenantKey): Promise<void> {
    return this.intents.sweep(source, scope, { store: this.store, key });
  }

  /** Keys that were announced long ago and never referred to. */
  abandoned(tx: TenantTx, olderThanMs: number): Promise<string[]> {
    return this.intents.overdue(tx, olderThanMs);
  }

  newKey(tenantId: string, id: string): TenantKey {
    return TenantKey.of('export', tenantId, id);
  }

  /** Are all of them there, whole? */
  async present(parts: readonly PartInStore[]): Promise<boolean> {
    for (const { objectKey, bytes } of parts) {
      if ((await this.store.stat(TenantKey.parse(objectKey))) !== bytes) return false;
    }
    return true;
  }

  /**
   * Bytes `start` up to but not including `end` of the output. The first object is open when this resolves, so that a
   * missing one can still be answered.
   *
   * @throws ObjectNotFound
   */
  async open(parts: readonly PartInStore[], start: number, end: number): Promise<Readable> {
    const pieces = piecesOf(parts, start, end);
    const [first] = pieces;
    if (!first) return Readable.from([]);
    const opened = await this.openPiece(first);
    const source = this.stream(opened, pieces.slice(1));
    const output = Readable.from(source, { objectMode: false, highWaterMark: 262_144 });
    // A reader that goes away before the first byte was read leaves a generator that never began, and nobody to close this.
    output.once('close', () => opened.destroy());
    return output;
  }

  private openPiece({ key, start, end }: Piece): Promise<ObjectBytes> {
    return this.store.get(TenantKey.parse(key), { start, end });
  }

  private async *stream(first: ObjectBytes, rest: readonly Piece[]): AsyncGenerator<Buffer> {
    yield* first;
    for (const piece of rest) yield* await this.openPiece(piece);
  }
}

interface Piece {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

function piecesOf(parts: readonly PartInStore[], start: number, end: number): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { objectKey, bytes } of parts) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, bytes);
    if (from < to) pieces.push({ key: objectKey, start: from, end: to });
    at += bytes;
  }
  return pieces;
}
