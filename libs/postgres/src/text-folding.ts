import { ANGLES } from './cql-functions.js';

/**
 * What the server makes of characters: `unaccent`, `lower`, and which of them are letters to its parser of words. That depends
 * on the server and its locale, so it is asked once, about all characters of the first plane.
 */
export class TextFolding {
  private constructor(
    /** What a character is to the parser of words, beyond ASCII. */
    readonly kinds: Uint8Array,
    /** By character: its small letter, which may be itself; 0 where only the server can tell it. */
    readonly lower: Uint16Array,
    private readonly values: ReadonlyMap<string, string>,
    private readonly words: ReadonlyMap<string, string>,
  ) {}

  static async load(server: Server): Promise<TextFolding> {
    const rules = await server.query<{ from: string; to: string }>(RULES);
    const values = new Map(rules.map(({ from, to }) => [from, to]));
    const words = new Map([...values, ...[...ANGLES].map(toComma)]);
    const [known] = await server.query<{ chars: string; lower: string; tokens: string }>(LETTERS);
    const { chars = '', lower: small = '', tokens = '' } = known ?? {};
    const lower = new Uint16Array(65_536);
    for (let at = 0; at < chars.length; at++) lower[chars.charCodeAt(at)] = small.charCodeAt(at);
    // What its neighbours decide.
    lower[CAPITAL_SIGMA] = 0;
    return new TextFolding(kindsOf(lower, new Set(tokens.split(' '))), lower, values, words);
  }

  /** `fold(text)`, or undefined where only the server can tell it. */
  fold(text: string): string | undefined {
    if (!NOT_ASCII.test(text)) return text.toLowerCase();
    const plain = replaced(text, this.values);
    let folded = '';
    for (let at = 0; at < plain.length; at++) {
      const char = plain.charCodeAt(at);
      const lower = char < 128 ? char : this.lower[char]!;
      if (lower === 0) return undefined;
      folded += String.fromCharCode(lower);
    }
    return toSmallAscii(folded);
  }

  /** The text as the parser of words gets it (see `cql_words`), but for `&` and `'`. */
  plain(text: string): string {
    return NOT_ASCII.test(text) ? replaced(text, this.words) : text;
  }
}

interface Server {
  query<Row extends object>(sql: string): Promise<Row[]>;
}

const toComma = (angle: string): readonly [string, string] => [angle, ','];

const NOT_ASCII = /[^\0-\x7f]/;
const CAPITAL_SIGMA = 0x3a3;

export const FOREIGN = {
  OTHER: 0,
  LETTER: 1,
  /** Part of a word behind a letter, such as half of a ligature. */
  MARK: 2,
} as const;

function kindsOf(lower: Uint16Array, tokens: ReadonlySet<string>): Uint8Array {
  const kinds = new Uint8Array(lower.length);
  for (const [code, small] of lower.entries()) {
    const char = String.fromCharCode(code);
    if (small === 0 || !tokens.has(`x${char}y`) || !tokens.has(`x${char}`)) continue;
    const begins = tokens.has(`${char}y`) && tokens.has(char);
    kinds[code] = begins ? FOREIGN.LETTER : FOREIGN.MARK;
  }
  return kinds;
}

const toSmallAscii = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

function replaced(text: string, rules: ReadonlyMap<string, string>): string {
  let made = '';
  for (const char of text) made += char <= '\x7f' ? char : (rules.get(char) ?? char);
  return made;
}

const CHARACTERS = `
  select chr(code) as char, code from generate_series(128, 65535) as code where code not between 55296 and 57343`;

/** Rules are for single characters; beyond the first plane there are hardly any. */
const RULES = `
  select c.char as from, t.char as to from (${CHARACTERS}) as c
  cross join lateral (select public.unaccent('public.unaccent'::regdictionary, c.char) as char) as t
  where t.char <> c.char`;

/** Each character between letters, behind one, before one and alone; those are words that come out of it as they went in. */
const LETTERS = `
  with chars as (${CHARACTERS}),
  sent as (select string_agg('x' || char || 'y x' || char || ' ' || char || 'y ' || char, ' ' order by code) as text from chars)
  select
    (select string_agg(char, '' order by code) from chars where length(lower(char)) = 1 and ascii(lower(char)) < 65536) as chars,
    (select string_agg(lower(char), '' order by code) from chars where length(lower(char)) = 1 and ascii(lower(char)) < 65536)
      as lower,
    (select string_agg(p.token, ' ') from sent cross join lateral ts_parse('default', sent.text) as p
      where p.tokid in (select tokid from ts_token_type('default') where alias = 'word')) as tokens`;
