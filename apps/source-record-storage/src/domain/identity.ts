import { isUuid } from '@quire/contracts/ids';
import type { MarcRecordType } from '@quire/contracts/source-records';
import type { Ids999ff } from '@quire/marc/iso2709/stored';

/**
 * Which record a frame becomes a generation of, where its own 999 ff has a say (data-import, 9.3 to 9.5). Without an
 * accepted 999 ff a record is its own first generation, and nothing of this is asked.
 */

/** A record that is ACTUAL or DELETED. */
export interface CurrentRecord {
  readonly id: string;
  readonly type: MarcRecordType;
  readonly deleted: boolean;
}

/** What is stored under one matched id. */
export interface StoredGeneration {
  /** Largest number so far. */
  readonly generation: number;
  /** External id of that generation. */
  readonly externalId: string | undefined;
  /** The record that is current now, and will be superseded. */
  readonly current: CurrentRecord | undefined;
  /** One of its generations was made by this very job. */
  readonly ofThisJob: boolean;
}

/** What the store says to the ids that the frames of a chunk bring along. */
export interface StoredIds {
  /** Numbers (001) of current bibliographic records, of those that holdings name in their 004. */
  readonly bibHrids: ReadonlySet<string>;
  /** Matched ids of current records, by {@link externalKey}. */
  readonly matchedIds: ReadonlyMap<string, string>;
  /** By matched id. */
  readonly generations: ReadonlyMap<string, StoredGeneration>;
  /** Matched ids of current records, by {@link numberKey}; two where there are more. */
  readonly numbers: ReadonlyMap<string, readonly string[]>;
  /** Bytes of current records that a frame may repeat, by record id. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

export const NOTHING_STORED: StoredIds = {
  bibHrids: new Set(),
  matchedIds: new Map(),
  generations: new Map(),
  numbers: new Map(),
  contents: new Map(),
};

export const externalKey = (type: MarcRecordType, externalId: string): string =>
  `${type}:${externalId}`;

/** 001 and 003 of a record; an absent 003 equals an absent one only. */
export const numberKey = (type: MarcRecordType, hrid: string, source: string | undefined): string =>
  JSON.stringify([type, hrid, source ?? null]);

/** Ids of a 999 ff that is to be accepted, in lower case. */
export interface AcceptedIds {
  readonly s?: string;
  readonly i?: string;
}

export function acceptedIds({ s, i }: Ids999ff): AcceptedIds {
  return {
    ...(s !== undefined && isUuid(s) ? { s: s.toLowerCase() } : {}),
    ...(i !== undefined && isUuid(i) ? { i: i.toLowerCase() } : {}),
  };
}

export interface Identity {
  readonly matchedId: string;
  /** Accepted, or that of the generation before; undefined: derive one. */
  readonly externalId: string | undefined;
  readonly generation: number;
  readonly supersededId: string | undefined;
  /** This job has made a generation of it already. */
  readonly duplicate: boolean;
}

export function identify(
  recordId: string,
  { s, i }: AcceptedIds,
  type: MarcRecordType,
  stored: StoredIds,
): Identity {
  const sameExternal = i === undefined ? undefined : stored.matchedIds.get(externalKey(type, i));
  const matchedId = s ?? sameExternal ?? recordId;
  const before = stored.generations.get(matchedId);
  return {
    matchedId,
    externalId: i ?? before?.externalId,
    generation: before ? before.generation + 1 : 0,
    supersededId: before?.current?.id,
    duplicate: before?.ofThisJob ?? false,
  };
}
