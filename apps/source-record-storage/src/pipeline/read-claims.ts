import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { MarcRecordType } from '@quire/contracts/source-records';
import { controlText, summarise } from '@quire/marc/fields';
import { find999ff } from '@quire/marc/iso2709/stored';
import type { MarcRecord } from '@quire/marc/record';
import { acceptedIds, numberKey } from '../domain/identity.js';
import type { ChunkFrames } from './chunk-frames.js';

/**
 * What the frames of a chunk refer to in the store: the bibliographic records of holdings, the ids of accepted 999 ff, and
 * where records are matched their numbers.
 */
export interface Claims {
  readonly bibHrids: ReadonlySet<string>;
  readonly matchedIds: ReadonlySet<string>;
  /** External ids by type. */
  readonly externalIds: readonly (readonly [type: MarcRecordType, id: string])[];
  /** By {@link numberKey}. */
  readonly numbers: ReadonlyMap<string, NumberClaim>;
  /**
   * By matched id or {@link numberKey}: length of the longest record that is to be compared with what is stored; empty where
   * nothing is. What is much longer cannot be the same, and need not be read.
   */
  readonly lengths: ReadonlyMap<string, number>;
}

export interface NumberClaim {
  readonly type: MarcRecordType;
  readonly hrid: string;
  readonly source: string | undefined;
}

const HOLDINGS = 'MARC_HOLDING';

/** Undefined: nothing of the chunk refers to the store. */
export function readClaims(frames: ChunkFrames, chunk: ChunkReadyPayload): Claims | undefined {
  const { options, profile } = chunk;
  const accepts = options.on999ff === 'accept';
  const matches = profile.match !== 'none';
  if (!accepts && !matches && !profile.recordTypes.includes(HOLDINGS)) return undefined;
  const reader = new ClaimsReader(accepts, matches, matches && options.skipUnchanged);
  for (let index = 0; index < frames.cuts.length; index += 1) {
    const type = frames.typeOf(index);
    if (type === undefined || !(accepts || matches || type === HOLDINGS)) continue;
    const record = frames.keep(index);
    if (!record.failed) reader.add(record, type);
  }
  return reader.result;
}

class ClaimsReader {
  private readonly bibHrids = new Set<string>();
  private readonly matchedIds = new Set<string>();
  private readonly externalIds: [MarcRecordType, string][] = [];
  private readonly numbers = new Map<string, NumberClaim>();
  private readonly lengths = new Map<string, number>();

  constructor(
    private readonly accepts: boolean,
    private readonly matches: boolean,
    private readonly compares: boolean,
  ) {}

  get result(): Claims | undefined {
    const { bibHrids, matchedIds, externalIds, numbers, lengths } = this;
    const none = bibHrids.size + matchedIds.size + externalIds.length + numbers.size === 0;
    return none ? undefined : { bibHrids, matchedIds, externalIds, numbers, lengths };
  }

  add(record: MarcRecord, type: MarcRecordType): void {
    const parent = type === HOLDINGS ? controlText(record, '004') : undefined;
    if (parent !== undefined) this.bibHrids.add(parent);
    const { s, i } = this.accepts ? acceptedIds(find999ff(record)) : {};
    if (s !== undefined) {
      this.matchedIds.add(s);
      this.compare(s, record);
    }
    if (i !== undefined) this.externalIds.push([type, i]);
    if (this.matches) this.addNumber(record, type);
  }

  private addNumber(record: MarcRecord, type: MarcRecordType): void {
    const { hrid, controlNumberSource: source } = summarise(record);
    if (hrid === undefined) return;
    const key = numberKey(type, hrid, source);
    this.numbers.set(key, { type, hrid, source });
    this.compare(key, record);
  }

  private compare(key: string, { bytes }: MarcRecord): void {
    if (this.compares) this.lengths.set(key, Math.max(this.lengths.get(key) ?? 0, bytes.length));
  }
}
