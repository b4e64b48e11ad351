import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { MarcRecordType } from '@quire/contracts/source-records';
import { controlText, recordTypeOf } from '@quire/marc/fields';
import { readRecord } from '@quire/marc/iso2709/read';
import { cutFrames } from '@quire/marc/iso2709/split';
import { find999ff } from '@quire/marc/iso2709/stored';
import { acceptedIds } from '../domain/identity.js';

/**
 * What the frames of a chunk refer to in the store: the bibliographic records of holdings, and the ids of accepted 999 ff.
 * Only chunks that need it are read twice for it.
 */
export interface Claims {
  readonly bibHrids: ReadonlySet<string>;
  readonly matchedIds: ReadonlySet<string>;
  /** External ids by type. */
  readonly externalIds: readonly (readonly [type: MarcRecordType, id: string])[];
}

const HOLDINGS = 'MARC_HOLDING';

/** Undefined: nothing of the chunk refers to the store. */
export function readClaims(bytes: Buffer, chunk: ChunkReadyPayload): Claims | undefined {
  const accepts = chunk.options.on999ff === 'accept';
  if (!accepts && !chunk.profile.recordTypes.includes(HOLDINGS)) return undefined;
  const claims = {
    bibHrids: new Set<string>(),
    matchedIds: new Set<string>(),
    externalIds: [] as [MarcRecordType, string][],
  };
  let any = false;
  for (const { frame } of cutFrames(bytes, chunk.frames)) {
    const type = recordTypeOf(frame[6] ?? 0);
    if (type === undefined || !(accepts || type === HOLDINGS)) continue;
    const record = readRecord(frame);
    if (record.failed) continue;
    const parent = type === HOLDINGS ? controlText(record, '004') : undefined;
    if (parent !== undefined) claims.bibHrids.add(parent);
    const { s, i } = accepts ? acceptedIds(find999ff(record)) : {};
    if (s !== undefined) claims.matchedIds.add(s);
    if (i !== undefined) claims.externalIds.push([type, i]);
    any ||= parent !== undefined || s !== undefined || i !== undefined;
  }
  return any ? claims : undefined;
}
