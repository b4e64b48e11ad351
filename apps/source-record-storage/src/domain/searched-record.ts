import { isControlTag, packTag } from '@quire/marc/iso2709/grammar';
import type { MarcRecord } from '@quire/marc/record';

/** The ids of a record, as its columns tell them. */
export interface SearchedIds {
  readonly hrid: string | null;
  readonly matchedId: string;
  readonly externalId: string;
}

/** Which values of a tag are meant. */
export interface ValueChoice {
  /** Absent: any subfield. */
  readonly code?: string | undefined;
  /** Two characters, a blank as such; absent: any. */
  readonly indicators?: ((indicators: string) => boolean) | undefined;
}

/**
 * A record that is put to the tests of a search. Nothing of it is decoded until a test asks for it, and then only that.
 * A record without parsed content has no fields and no leader.
 */
export class SearchedRecord {
  constructor(
    readonly ids: SearchedIds,
    private readonly record: MarcRecord | undefined,
  ) {}

  /** Has it content that is MARC? */
  get isParsed(): boolean {
    return this.record !== undefined;
  }

  /** From one position of the leader to another, both inside. */
  leader(first: number, last: number): string {
    return this.record?.bytes.toString('latin1', first, last + 1) ?? '';
  }

  /** Texts of the control fields with this tag, or of the chosen subfields of its data fields. */
  values(tag: string, { code, indicators }: ValueChoice = {}): string[] {
    const { record } = this;
    const found: string[] = [];
    if (!record) return found;
    const control = isControlTag(packTag(tag));
    for (let field = record.find(tag); field >= 0; field = record.find(tag, field + 1)) {
      if (control) {
        if (code === undefined) found.push(record.text(field));
        continue;
      }
      if (indicators && !indicators(indicatorsOf(record, field))) continue;
      for (const [one, text] of record.subfields(field))
        if (code === undefined || one === code) found.push(text);
    }
    return found;
  }

  /** Both indicators of every data field with this tag, a blank as such. */
  indicators(tag: string): string[] {
    const { record } = this;
    const found: string[] = [];
    if (!record || isControlTag(packTag(tag))) return found;
    for (let field = record.find(tag); field >= 0; field = record.find(tag, field + 1))
      found.push(indicatorsOf(record, field));
    return found;
  }
}

/** Some files write the blank as it is printed in manuals, and mean a blank. */
const indicatorsOf = (record: MarcRecord, field: number): string =>
  record.indicators(field).replaceAll('#', ' ');
