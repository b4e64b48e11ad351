import type { MarcRecordType } from '@quire/contracts/source-records';
import { numberKey, type StoredIds } from './identity.js';

/** What a frame says of the record it is meant for. */
export interface MatchAsked {
  readonly type: MarcRecordType;
  /** Accepted 999 ff $s. */
  readonly s: string | undefined;
  /** 001 and 003. */
  readonly hrid: string | undefined;
  readonly source: string | undefined;
}

/** `several`: nobody can tell which record is meant. */
export type Match = { readonly matchedId: string } | 'none' | 'several';

/**
 * Finds the current record of a frame, for profiles that create or update (data-import, 9.3): by 999 ff $s, else by 001
 * together with 003, among records of its type. A record that was made earlier in the same chunk is not stored yet, but
 * counts, and the one that it superseded does not.
 */
export class Matching {
  private readonly made = new Map<string, MarcRecordType>();
  private readonly numbers = new Map<string, string[]>();

  constructor(private readonly stored: StoredIds) {}

  find({ type, s, hrid, source }: MatchAsked): Match {
    if (s !== undefined && this.typeOf(s) === type) return { matchedId: s };
    if (hrid === undefined) return 'none';
    const key = numberKey(type, hrid, source);
    const stored = (this.stored.numbers.get(key) ?? []).filter((id) => !this.made.has(id));
    const [hit, ...others] = [...stored, ...(this.numbers.get(key) ?? [])];
    if (hit === undefined) return 'none';
    return others.length > 0 ? 'several' : { matchedId: hit };
  }

  /** A record of the chunk becomes the current one of this matched id. */
  add(matchedId: string, { type, hrid, source }: Omit<MatchAsked, 's'>): void {
    this.made.set(matchedId, type);
    if (hrid === undefined) return;
    const key = numberKey(type, hrid, source);
    this.numbers.set(key, [...(this.numbers.get(key) ?? []), matchedId]);
  }

  private typeOf(matchedId: string): MarcRecordType | undefined {
    return this.made.get(matchedId) ?? this.stored.generations.get(matchedId)?.current?.type;
  }
}
