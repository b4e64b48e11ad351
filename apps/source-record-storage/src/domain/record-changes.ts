import { createHash } from 'node:crypto';
import { openStored } from '@quire/marc/iso2709/stored';

/**
 * Which fields a content changes (source-record-storage, 9.3 and 14). A content is compared by tag, whatever form it is
 * stored in: all fields of a tag, in their order, give one digest, so that a history of any length needs little memory.
 *
 * The leader counts as tag `LDR`, without its numbers (length, base address, directory), which follow from the fields. Of
 * text that is no MARC (EDIFACT) the segments are compared by their names.
 */
export type ContentForm = 'ISO2709' | 'JSON' | 'TEXT';

/** Digest of its fields by tag. */
export type Digests = ReadonlyMap<string, string>;

export const NO_CONTENT: Digests = new Map();
const LEADER = 'LDR';
const SUBFIELD = '\u001f';
const FIELD_END = '\u001e';

export function digestsOf(content: Buffer | null, form: ContentForm): Digests {
  if (content === null) return NO_CONTENT;
  const texts = new Map<string, string[]>();
  for (const [tag, text] of FIELDS[form](content)) {
    const same = texts.get(tag);
    if (same) same.push(text);
    else texts.set(tag, [text]);
  }
  return new Map([...texts].map(([tag, all]) => [tag, digest(all.join(FIELD_END))]));
}

/** In the order of tags, the leader first. */
export function changedTags(before: Digests, after: Digests): string[] {
  const tags = new Set([...before.keys(), ...after.keys()]);
  return [...tags]
    .filter((tag) => before.get(tag) !== after.get(tag))
    .sort((one, other) => rank(one).localeCompare(rank(other), 'en'));
}

const rank = (tag: string): string => (tag === LEADER ? '' : tag);

type Field = readonly [tag: string, text: string];

const FIELDS: Readonly<Record<ContentForm, (content: Buffer) => Iterable<Field>>> = {
  ISO2709: iso2709Fields,
  JSON: jsonFields,
  TEXT: segments,
};

function* iso2709Fields(content: Buffer): Generator<Field> {
  const record = openStored(content);
  yield [LEADER, significant(record.leader)];
  for (let field = 0; field < record.fieldCount; field += 1)
    yield [record.tag(field), record.text(field)];
}

interface JsonField {
  readonly ind1?: string;
  readonly ind2?: string;
  readonly subfields?: readonly Readonly<Record<string, string>>[];
}

/** MARC-in-JSON that ISO 2709 cannot carry. It was checked when it was saved. */
function* jsonFields(content: Buffer): Generator<Field> {
  const { leader, fields = [] } = JSON.parse(content.toString('utf8')) as {
    readonly leader?: string;
    readonly fields?: readonly Readonly<Record<string, string | JsonField>>[];
  };
  if (leader !== undefined) yield [LEADER, significant(leader)];
  for (const field of fields)
    for (const [tag, value] of Object.entries(field))
      yield [tag, typeof value === 'string' ? value : dataText(value)];
}

/** As the field stands in ISO 2709. */
function dataText({ ind1 = ' ', ind2 = ' ', subfields = [] }: JsonField): string {
  const parts = subfields.flatMap((subfield) =>
    Object.entries(subfield).map(([code, text]) => `${SUBFIELD}${code}${text}`),
  );
  return `${ind1}${ind2}${parts.join('')}`;
}

/** `UNH+1+ORDERS'BGM+220'…`; a released mark (`?'`) ends no segment. */
function* segments(content: Buffer): Generator<Field> {
  for (const segment of content.toString('utf8').split(/(?<!\?)'/)) {
    const text = segment.trim();
    if (text !== '') yield [/^[A-Z]{3}/.exec(text)?.[0] ?? text.slice(0, 3), text];
  }
}

const significant = (leader: string): string => leader.slice(5, 12) + leader.slice(17, 20);

const digest = (text: string): string => createHash('sha256').update(text).digest('base64');

/** One thing that was done to a record. */
export interface Step {
  /** Id of the generation. */
  readonly id: string;
  readonly generation: number;
  readonly removed: boolean;
  /** What the generation was after it; null for none, and after a removal. */
  readonly content: Buffer | null;
  readonly form: ContentForm;
}

/** Follows a record through its history, step by step, and says what each has changed. */
export class ChangeTrail {
  private readonly live = new Map<
    string,
    { readonly generation: number; readonly digests: Digests }
  >();

  take(step: Step): string[] {
    const own = this.live.get(step.id)?.digests;
    if (step.removed) {
      this.live.delete(step.id);
      return changedTags(own ?? NO_CONTENT, this.current());
    }
    const before = own ?? this.current();
    const digests = digestsOf(step.content, step.form);
    this.live.set(step.id, { generation: step.generation, digests });
    return changedTags(before, digests);
  }

  private current(): Digests {
    let newest: { readonly generation: number; readonly digests: Digests } | undefined;
    for (const one of this.live.values())
      if (!newest || one.generation > newest.generation) newest = one;
    return newest?.digests ?? NO_CONTENT;
  }
}
