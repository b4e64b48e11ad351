import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { SentRecord } from '@quire/contracts/record-writing';
import type { Scope } from '@quire/contracts/scope';
import { IDS } from '@quire/service/platform.module';
import { readContent } from '../domain/parsed-content.js';
import { rawTextOf } from '../domain/record-shapes.js';
import { externalIdsOf } from '../domain/record-values.js';
import { RawContents } from './raw-contents.js';
import type { PreparedRecord } from './record-rows.js';

/** Reads records as they are sent, before any transaction: their contents, their ids, and raw records that must be kept. */
@Injectable()
export class RecordPreparing {
  constructor(
    private readonly raws: RawContents,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** In their order. */
  async prepare(scope: Scope, records: readonly SentRecord[]): Promise<PreparedRecord[]> {
    const read = records.map((sent) => {
      const { recordType, parsedRecord, rawRecord, externalIdsHolder } = sent;
      const content = parsedRecord && readContent(recordType, parsedRecord.content);
      const given = content && !content.failed ? rawTextOf(content.stored) : undefined;
      const externalIds = externalIdsOf(recordType, externalIdsHolder);
      const own = given === rawRecord.content ? undefined : Buffer.from(rawRecord.content);
      return { id: sent.id ?? this.ids.next(), sent, content, externalIds, own };
    });
    const kept = await this.raws.keep(
      scope,
      read.flatMap(({ own }) => own ?? []),
    );
    let at = 0;
    return read.map(({ own, ...record }) => ({
      ...record,
      raw: own ? (kept[at++] ?? null) : null,
    }));
  }

  /** {@link prepare} for one. */
  async prepareOne(scope: Scope, sent: SentRecord): Promise<PreparedRecord> {
    const [prepared] = await this.prepare(scope, [sent]);
    if (!prepared) throw new Error('One record was given.');
    return prepared;
  }
}
