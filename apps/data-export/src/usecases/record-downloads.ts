import { Injectable } from '@nestjs/common';
import type { Caller } from '@quire/contracts/scope';
import { failures } from '../domain/failures.js';
import type { RecordPlan } from '../domain/record-plan.js';
import { FRAME, FrameReader } from '../pipeline/record-frames.js';
import { RecordWriter } from '../pipeline/write-record.js';
import { Fresh } from './fresh.js';
import { SourceRecords } from './source-records.js';

export interface RecordAsked {
  readonly recordId: string;
  readonly idType: 'instance' | 'authority';
  readonly encoding: RecordPlan['encoding'];
  readonly suppress999ff: boolean;
}

/** Longest wait for one record. */
const PATIENCE_MS = 30_000;

/** One record as a file, always made afresh (endpoint 23). */
@Injectable()
export class RecordDownloads {
  constructor(
    private readonly records: SourceRecords,
    private readonly fresh: Fresh,
  ) {}

  /** @throws Failure 404 without such a record, 422 for one that MARC cannot hold */
  async read(caller: Caller, asked: RecordAsked): Promise<Buffer> {
    const { recordId, idType, encoding, suppress999ff } = asked;
    const bytes = await this.stored(caller, asked);
    if (!bytes) throw failures.recordNotFound(idType, recordId);
    const writer = new RecordWriter({
      ...{ format: 'MARC', encoding, oversize: 'fail', idType },
      ...{ suppressTags: [], suppress999ff, wanted: 'any' },
    });
    if (writer.passes(bytes)) return bytes;
    const written = writer.write(bytes);
    if (written.kind === 'faulty') throw failures.recordNotWritable(written.problem);
    return written.bytes;
  }

  private async stored(
    scope: Caller,
    { recordId, idType }: RecordAsked,
  ): Promise<Buffer | undefined> {
    const body = await this.records.fetch({
      scope: { tenantId: scope.tenantId, actorId: scope.actorId },
      jobId: this.fresh.id(),
      idType,
      batch: { ids: JSON.stringify([recordId]), ordinals: [1] },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const reader = new FrameReader();
    let found: Buffer | undefined;
    for await (const chunk of body) {
      reader.add(chunk);
      while (reader.next()) {
        const { kind, bytes } = reader.frame;
        // A view of the chunk, which may be gone with the next one.
        if (kind === FRAME.found) found = Buffer.from(bytes);
      }
    }
    reader.finish(1);
    return found;
  }
}
