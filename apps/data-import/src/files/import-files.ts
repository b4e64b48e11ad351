import { Injectable } from '@nestjs/common';
import type { Scope } from '@quire/contracts/scope';
import type { ChunkError } from '@quire/contracts/source-record-events';
import { ObjectIntents } from '@quire/jobs/intents';
import {
  ObjectNotFound,
  ObjectStore,
  type ByteRange,
  type ObjectBytes,
  type StoredObject,
} from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';
import type { TenantTx } from '@quire/postgres/tenant';
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
    await this.intents.sweep(this.source, scope, { store: this.store, key: TenantKey.parse(key) });
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

  /**
   * Frames of one file, one after the other, each in pieces; what lies near together is read in one go. Memory holds a run
   * of places and a piece of bytes.
   */
  async *pieces<P extends Span>(key: string, places: AsyncIterable<P>): AsyncGenerator<Piece<P>> {
    let run: P[] = [];
    for await (const place of places) {
      // The rest of a file that breaks off right behind a record.
      if (place.length === 0) continue;
      const [first] = run;
      const last = run.at(-1);
      if (first && last && !isNear(first, last, place)) {
        yield* this.run(key, run);
        run = [];
      }
      run.push(place);
    }
    if (run.length > 0) yield* this.run(key, run);
  }

  private async *run<P extends Span>(key: string, run: readonly P[]): AsyncGenerator<Piece<P>> {
    let [position, end] = [run[0]?.offset ?? 0, endOf(run.at(-1) ?? { offset: 0, length: 0 })];
    const bytes = await this.store.get(TenantKey.parse(key), { start: position, end });
    let index = 0;
    for await (const part of bytes) {
      end = position + part.length;
      for (let place = run[index]; place && place.offset < end; place = run[index]) {
        const from = Math.max(place.offset, position);
        const ends = endOf(place) <= end;
        yield {
          place,
          bytes: part.subarray(from - position, Math.min(endOf(place), end) - position),
          ends,
        };
        if (!ends) break;
        index += 1;
      }
      position = end;
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

interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Piece<P extends Span> {
  readonly place: P;
  readonly bytes: Buffer;
  /** The last piece of its place. */
  readonly ends: boolean;
}

/** Reading over a gap of this size costs less than another request. */
const GAP_BYTES = 65_536;
const RUN_BYTES = 4 * 1024 * 1024;

const endOf = ({ offset, length }: Span): number => offset + length;

function isNear(first: Span, last: Span, next: Span): boolean {
  const gap = next.offset - endOf(last);
  return gap >= 0 && gap <= GAP_BYTES && endOf(next) - first.offset <= RUN_BYTES;
}
