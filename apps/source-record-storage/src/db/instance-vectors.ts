import { TextWriter } from '@quire/postgres/array-writer';
import type { TextFolding } from '@quire/postgres/text-folding';
import { VectorWriter, WordVector } from '@quire/postgres/word-vectors';
import type { InstanceFacts } from '../domain/instance-facts.js';
import {
  searchColumns,
  searchKeys,
  WORD_FORM,
  wordGroups,
  type WordForm,
} from '../domain/instance-words.js';

/**
 * The two searched columns of instance rows, made here where they can be made without asking PostgreSQL: for nine rows in ten
 * both. That costs a fifth of `instance_words` and `instance_keys`, and not in the database. The others bring the texts for
 * these two functions.
 */
export class InstanceVectors {
  private readonly words = new VectorWriter();
  private readonly keys = new VectorWriter();
  private readonly texts = new TextWriter();
  private readonly keyTexts = new TextWriter();
  readonly forms: WordForm[] = [];
  /** Positions may have been lost: `instance_clipped` tells. */
  readonly long: boolean[] = [];

  constructor(private readonly maker: VectorMaker) {}

  add(facts: InstanceFacts): void {
    const form = this.maker.fillWords(facts);
    if (form === undefined) this.addTexts(facts);
    else {
      this.words.add(this.maker.vector);
      this.texts.addNull();
      this.note(form, false);
    }
    this.addKeys(searchKeys(facts));
  }

  /** Arrays for the statement: `words`, `keys`, the texts of words, those of keys. */
  parameters(): Buffer[] {
    return [this.words, this.keys, this.texts, this.keyTexts].map((column) => column.finish());
  }

  private addTexts(facts: InstanceFacts): void {
    const { texts, form, long } = searchColumns(facts);
    this.words.addNull();
    this.texts.add(texts.join(SEPARATOR));
    this.note(form, long);
  }

  private addKeys(keys: readonly string[]): void {
    if (this.maker.fillKeys(keys)) {
      this.keys.add(this.maker.vector);
      this.keyTexts.addNull();
    } else {
      this.keys.addNull();
      this.keyTexts.add(keys.join(SEPARATOR));
    }
  }

  private note(form: WordForm, long: boolean): void {
    this.forms.push(form);
    this.long.push(long);
  }
}

/** Separates the texts or the keys of a row: no control character is left in them. */
export const SEPARATOR = '\u001f';

/** As `cql_head` cuts. */
const KEY_CHARACTERS_MAX = 400;

/** One makes the vectors of all rows, one after the other: each is to be written out before the next begins. */
export class VectorMaker {
  readonly vector: WordVector;

  constructor(private readonly folding: TextFolding) {
    this.vector = new WordVector(folding);
  }

  /** @returns undefined where only PostgreSQL can tell the words */
  fillWords(facts: InstanceFacts): WordForm | undefined {
    this.vector.clear();
    for (const { prefix, elements, open } of wordGroups(facts)) {
      for (const element of elements) {
        if (!this.vector.add(this.folding.plain(element), prefix)) return undefined;
        if (!open) this.vector.gap();
      }
    }
    return WORD_FORM.WHOLE;
  }

  /** @returns false where only PostgreSQL can tell the keys */
  fillKeys(keys: readonly string[]): boolean {
    this.vector.clear();
    return keys.every((key) => {
      const folded = this.folding.fold(key);
      return folded !== undefined && this.vector.addKey(folded.slice(0, KEY_CHARACTERS_MAX));
    });
  }
}
