import { LEADER_BYTES, packTag } from '@quire/marc/iso2709/grammar';
import { TABLE_STRIDE, type MarcRecord } from '@quire/marc/record';
import type { InstanceData, InstanceFacts } from '../domain/instance-facts.js';
import {
  addClassification,
  addElectronicAccess,
  addFixedField,
  addLanguages,
  addLeader,
  addPublication,
  addSubject,
} from './instance-editions.js';
import { FieldText } from './instance-fields.js';
import { addIdentifiers } from './instance-identifiers.js';
import {
  addAlternativeTitle,
  addContributor,
  addSeries,
  indexTitleOf,
  titleOf,
} from './instance-titles.js';

/**
 * From a bibliographic record to its row of the instance view (source-record-storage, 8.2): one pass over the fields, in which
 * every tag knows what it adds. The record is decoded once as a whole; of a field that adds nothing only the end is looked for.
 */
export function instanceFacts({ bytes, table }: MarcRecord): InstanceFacts {
  const draft = new Draft(bytes.toString('latin1', 0, LEADER_BYTES));
  const text = bytes.toString('utf8', table[1], bytes.length - 1);
  let start = 0;
  for (let i = 0; i < table.length; i += TABLE_STRIDE) {
    const end = text.indexOf('\x1e', start);
    draft.add(numberOf(table[i]!), text, start, end);
    start = end + 1;
  }
  return draft.facts;
}

/** Tag as a number; -1 for one with letters. */
function numberOf(packed: number): number {
  const hundreds = (packed >> 16) - 0x30;
  const tens = ((packed >> 8) & 0xff) - 0x30;
  const ones = (packed & 0xff) - 0x30;
  return isDigit(hundreds) && isDigit(tens) && isDigit(ones)
    ? hundreds * 100 + tens * 10 + ones
    : -1;
}

const isDigit = (value: number): boolean => value >= 0 && value <= 9;

const FIXED_FIELD = 8;
const OTHER_SCRIPT = 880;
const TITLE = 245;

/** One for all records: it holds nothing between two fields. */
const field = new FieldText();

class Draft {
  private readonly data: InstanceData = {};
  private title: string | undefined;
  private indexTitle: string | undefined;
  private readonly linkedTitles: string[] = [];
  private hasOwnTitle = false;
  private hasFixedField = false;

  constructor(leader: string) {
    addLeader(this.data, leader);
  }

  /** Adds what the field says that stands in `text` from `start` to before `end`. */
  add(tag: number, text: string, start: number, end: number): void {
    if (tag === FIXED_FIELD) {
      if (!this.hasFixedField) addFixedField(this.data, text.slice(start, end));
      this.hasFixedField = true;
      return;
    }
    if (ADDS[tag] === undefined && tag !== TITLE && tag !== OTHER_SCRIPT) return;
    field.read(text, start, end);
    const meant = tag === OTHER_SCRIPT ? linkedTag(field) : tag;
    if (meant === TITLE) this.addTitle(tag === TITLE);
    else ADDS[meant]?.(this.data, field, meant);
  }

  /** Of several 245 the first one; of the title in another script each is found by its words. */
  private addTitle(own: boolean): void {
    const title = titleOf(field);
    if (title === '') return;
    if (!own) this.linkedTitles.push(title);
    if (this.title === undefined || (own && !this.hasOwnTitle)) {
      this.title = title;
      this.indexTitle = indexTitleOf(field);
      this.hasOwnTitle = own;
    }
  }

  get facts(): InstanceFacts {
    const linked = this.linkedTitles.filter((title) => title !== this.title);
    if (linked.length > 0) this.data.linkedTitles = linked;
    return { title: this.title, indexTitle: this.indexTitle || undefined, data: this.data };
  }
}

/** The tag that an 880 stands for: `$6` begins with it. */
function linkedTag(of: FieldText): number {
  const link = of.first('6');
  return link === undefined || link.length < 3 ? -1 : numberOf(packTag(link));
}

type Add = (data: InstanceData, field: FieldText, tag: number) => void;

/** What a field adds, by its tag. */
const ADDS: (Add | undefined)[] = [];
const addsOf = (add: Add, ...tags: number[]): void => {
  for (const tag of tags) ADDS[tag] = add;
};
addsOf(addIdentifiers, 10, 20, 22, 24, 28, 30, 35, 74, 88);
addsOf(addLanguages, 41);
addsOf(addContributor, 100, 110, 111, 700, 710, 711);
addsOf((data, of, tag) => addAlternativeTitle(data, of, tag as 130 | 240 | 246), 130, 240, 246);
addsOf(addPublication, 260, 264);
addsOf(addSeries, 490, 800, 810, 811, 830);
addsOf(addSubject, 600, 610, 611, 630, 647, 648, 650, 651, 655);
addsOf(addElectronicAccess, 856);
addsOf((data, of) => {
  const code = of.first('b');
  if (code !== undefined) data.instanceTypeCode ??= code;
}, 336);
addsOf((data, of) => {
  const code = of.first('b');
  if (code !== undefined) data.instanceFormatCode ??= code;
}, 338);
for (const [tag, type] of [
  [50, 'LC'],
  [60, 'NLM'],
  [80, 'UDC'],
  [82, 'Dewey'],
  [86, 'SUDOC'],
  [90, 'LC local'],
] as const)
  addsOf((data, of) => addClassification(data, of, type), tag);
