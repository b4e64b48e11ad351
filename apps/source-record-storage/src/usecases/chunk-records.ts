import { Injectable } from '@nestjs/common';
import { uuidText } from '@quire/contracts/ids';
import type { TenantTx } from '@quire/postgres/tenant';
import { MarcIndex } from '../db/marc-index.js';
import { PendingInstances } from '../db/pending-instances.js';
import { Records, type Saving } from '../db/records.js';
import { WriteMark } from '../db/write-mark.js';
import type { ReadChunk } from '../pipeline/read-chunk.js';
import type { RecordRows } from '../pipeline/record-rows.js';

/**
 * Writes what a chunk was read as: its records, the frames that changed nothing, and the keys of the MARC index. What the
 * instance view has to do with it is noted only (`instance-projection.ts`).
 */
@Injectable()
export class ChunkRecords {
  constructor(
    private readonly records: Records,
    private readonly marcIndex: MarcIndex,
    private readonly pending: PendingInstances,
    private readonly mark: WriteMark,
  ) {}

  async save(tx: TenantTx, { rows, unchanged }: ReadChunk, saving: Saving): Promise<void> {
    if (unchanged.count > 0) await this.records.insertUnchanged(tx, unchanged, saving);
    if (rows.count === 0) return;
    await this.mark.set(tx);
    await this.records.insert(tx, rows, saving);
    await this.marcIndex.insert(tx, rows.ids, rows.records);
    const { snapshotId } = saving;
    const newIds = rows.ids.filter((_, at) => rows.ownInstance[at]);
    const otherIds = [...sharing(rows), ...rows.supersededIds];
    await this.pending.add(tx, { snapshotId, newIds, otherIds });
  }
}

/** Bibliographic records that may share their external id with others. */
const sharing = (rows: RecordRows): string[] =>
  rows.ids.flatMap((id, at) =>
    rows.types[at] === 'MARC_BIB' && rows.externalIds[at] && !rows.ownInstance[at]
      ? [uuidText(id)]
      : [],
  );
