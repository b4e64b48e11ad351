/**
 * What a bibliographic record says in the instance view (source-record-storage, 8.2). A property without a value is absent,
 * and a list is never empty: an absent property is what queries call undefined.
 */
export interface InstanceData {
  alternativeTitles?: { alternativeTitle: string }[];
  /** 880 fields of the title. `title` itself is the first 245, but searches for its words find these too. */
  linkedTitles?: string[];
  series?: { value: string }[];
  contributors?: Contributor[];
  identifiers?: Identifier[];
  /** Digits and X, the 10- and the 13-digit form of each. */
  isbn?: string[];
  /** With and without hyphen. */
  issn?: string[];
  oclc?: string[];
  languages?: string[];
  dates?: { dateType?: string; date1?: string; date2?: string };
  publication?: Publication[];
  dateOfPublication?: string[];
  subjects?: { value: string }[];
  classifications?: { classificationNumber: string; type: string }[];
  electronicAccess?: { uri: string }[];
  instanceTypeCode?: string;
  instanceFormatCode?: string;
  modeOfIssuance?: string;
  recordKind?: string;
}

export interface Contributor {
  readonly name: string;
  readonly nameType: 'Personal name' | 'Corporate name' | 'Meeting name';
  /** From a 1XX. */
  readonly primary: boolean;
  readonly relator?: string;
  readonly authorityId?: string;
}

export interface Identifier {
  readonly value: string;
  readonly type: string;
}

export interface Publication {
  readonly publisher?: string;
  readonly place?: string;
  readonly dateOfPublication?: string;
}

/** All that the view takes from a record's content; `data` is the column of that name, the titles have their own. */
export interface InstanceFacts {
  readonly title: string | undefined;
  /** The sort title: without the characters that do not file, tidy. */
  readonly indexTitle: string | undefined;
  readonly data: InstanceData;
}

/** Prefixes of {@link exactKeys}, by index. */
export const KEY_PREFIX = {
  isbn: 'isbn:',
  issn: 'issn:',
  oclc: 'oclc:',
  languages: 'lang:',
  identifiers: 'id:',
  contributors: 'name:',
  primaryContributors: 'name1:',
} as const;

/** A tsvector holds 1 MiB, and folding makes at most four bytes of a character. No catalogue has so many numbers in a record. */
const KEY_CHARACTERS_MAX = 200_000;

/**
 * What is found by its whole value: prefix and value as it stands, to be folded by `cql_head`, which also cuts what an index
 * could not hold. Each once; those of a monstrous record end somewhere.
 */
export function exactKeys({ data }: InstanceFacts): string[] {
  const keys = new Set<string>();
  let characters = 0;
  const add = (key: string): void => {
    characters += key.length;
    if (characters <= KEY_CHARACTERS_MAX) keys.add(key);
  };
  for (const { value } of data.identifiers ?? []) add(KEY_PREFIX.identifiers + value);
  for (const { name, primary } of data.contributors ?? []) {
    add(KEY_PREFIX.contributors + name);
    if (primary) add(KEY_PREFIX.primaryContributors + name);
  }
  for (const name of ['isbn', 'issn', 'oclc', 'languages'] as const) {
    for (const value of data[name] ?? []) add(KEY_PREFIX[name] + value);
  }
  return [...keys];
}
