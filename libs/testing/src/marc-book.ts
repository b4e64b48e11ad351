/** A made-up book, from which `marc-book-fields.ts` makes the fields of its record. */

import type { FieldBytes } from '@quire/marc/iso2709/write';
import { PLACES, SUBJECTS, type Tongue, TONGUES } from './marc-words.js';

/** Numbers from seed and index, the same on every machine: mulberry32, started by a mix of both. */
export class Draw {
  private state: number;

  constructor(seed: number, index: number) {
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  }

  /** At least 0, below 1. */
  share(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(least: number, most: number): number {
    return least + Math.floor(this.share() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.share() < share;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.share() * choices.length)]!;
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => this.between(0, 9)).join('');
  }
}

/** Vernacular and romanised form; the same word twice where the script is Latin. */
type Word = readonly [vernacular: string, romanised: string];

function wordOf(entry: string): Word {
  const [vernacular, romanised = vernacular] = entry.split('=') as [string, string?];
  return [vernacular, romanised];
}

/** A book about to be described, and the fields it has so far. */
export class Book {
  readonly tongue: Tongue;
  readonly year: number;
  readonly subject: readonly string[];
  readonly author: Word;
  readonly title: Word;
  readonly kind: Word;
  readonly leader: string;
  bytes = 26;
  private readonly fields: FieldBytes[] = [];

  constructor(
    readonly draw: Draw,
    readonly hrid: string,
  ) {
    this.tongue = tongueAt(draw.share() * 100);
    this.year = draw.between(1890, 2025);
    this.subject = draw.pick(SUBJECTS);
    this.author = this.name();
    const [one, other] = [this.word('nouns'), this.word('nouns')];
    const and = wordOf(this.tongue.and);
    this.title =
      one[0] === other[0]
        ? one
        : [joined(one[0], and[0], other[0]), joined(one[1], and[1], other[1])];
    this.kind = this.word('kinds');
    const type = draw.chance(0.9) ? 'am' : draw.pick(['as', 'cm', 'em', 'gm', 'jm']);
    const status = draw.pick(['n', 'c', 'c', 'p']);
    this.leader = `00000${status}${type} a2200000${draw.pick([' i', ' a', 'Ia', 'Mi'])} 4500`;
  }

  add(field: FieldBytes): void {
    this.fields.push(field);
    this.bytes += 12 + field.body.length + 1;
  }

  /** By tag, which is how most systems keep them. */
  sorted(): FieldBytes[] {
    return this.fields.toSorted((a, b) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0));
  }

  word(of: 'nouns' | 'kinds' | 'surnames' | 'forenames' | 'cities' | 'publishers'): Word {
    return wordOf(this.draw.pick(this.tongue[of]));
  }

  name(): Word {
    const [surname, forename] = [this.word('surnames'), this.word('forenames')];
    return [`${surname[0]}, ${forename[0]}`, `${surname[1]}, ${forename[1]}`];
  }

  /** A sentence with its gaps filled. */
  filled(pattern: string): string {
    const { draw } = this;
    return pattern
      .replace('{s}', this.subject[0]!.toLowerCase())
      .replace('{t}', () => draw.pick(SUBJECTS)[0]!.toLowerCase())
      .replace('{p}', () => draw.pick(PLACES).replace(/ \(.*/, ''))
      .replace('{y}', () => String(draw.between(1700, 1990)))
      .replace('{n}', () => String(draw.between(50, 900)));
  }
}

/** Words after a conjunction begin small where the script knows it. */
function joined(one: string, and: string, other: string): string {
  return one + and + other[0]!.toLowerCase() + other.slice(1);
}

function tongueAt(share: number): Tongue {
  let upTo = 0;
  return TONGUES.find((tongue) => (upTo += tongue.share) > share) ?? TONGUES[0]!;
}
