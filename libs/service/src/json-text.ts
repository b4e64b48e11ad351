/**
 * JSON bodies, read strictly: UTF-8 without errors, a leading byte order mark skipped, one document, nested at most 64
 * deep. `JSON.parse` decides what JSON is; the scanner here runs only after it failed, to say where (conventions, section 8).
 */
import { decimalJson } from '@quire/contracts/decimals';

export const JSON_DEPTH_MAX = 64;

/** Counted from 1, columns in characters (code points). At the end of the text: last line, last column + 1. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson';

  constructor(
    readonly line: number,
    readonly column: number,
  ) {
    super(`malformed JSON at ${line}:${column}`);
  }
}

export class JsonTooDeep extends Error {
  override readonly name = 'JsonTooDeep';

  constructor() {
    super(`JSON is nested deeper than ${JSON_DEPTH_MAX}`);
  }
}

/**
 * @param exactNumbers keep numbers that JavaScript would round as they are written
 * @throws MalformedJson, JsonTooDeep
 */
export function parseJson(bytes: Buffer, exactNumbers = false): unknown {
  if (depthOf(bytes) > JSON_DEPTH_MAX) throw new JsonTooDeep();
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw positionIn(validPrefix(bytes));
  }
  try {
    return exactNumbers && MANY_DIGITS.test(text) ? exactly(text) : JSON.parse(text);
  } catch {
    throw positionIn(text);
  }
}

/** A number of up to 15 digits is read without loss. */
const MANY_DIGITS = /[\d.]{16}/;

/** A long number becomes `JSON.rawJSON`, which whoever wants a number like any other takes for an object, and refuses. */
function exactly(text: string): unknown {
  const parse = JSON.parse as (text: string, revive: Reviver) => unknown;
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && MANY_DIGITS.test(source)
      ? decimalJson(source)
      : value,
  );
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Deepest bracket nesting outside strings. Brackets of malformed text count too: it is refused anyway. */
function depthOf(bytes: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (quoted) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, (depth += 1));
    else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return deepest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What comes before the first bytes that are no UTF-8. A lenient round trip changes exactly those. */
function validPrefix(bytes: Buffer): string {
  const lenient = Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  let at = 0;
  while (at < bytes.length && bytes[at] === lenient[at]) at += 1;
  return new TextDecoder('utf-8').decode(bytes.subarray(0, at));
}

function positionIn(text: string): MalformedJson {
  const before = text.slice(0, firstFault(text)).split('\n');
  const last = before.at(-1) ?? '';
  return new MalformedJson(before.length, [...last].length + 1);
}

/** Index of the first character that no JSON text can have there; the length when the text only ends too early. */
function firstFault(text: string): number {
  const scan = new Scan(text);
  try {
    scan.value();
    scan.blanks();
    return scan.at;
  } catch (error) {
    if (error instanceof Fault) return scan.at;
    throw error;
  }
}

class Fault extends Error {}

/** Recursive descent over the grammar of RFC 8259. The depth was bounded before. */
class Scan {
  at = 0;

  constructor(private readonly text: string) {}

  value(): void {
    this.blanks();
    const char = this.text[this.at];
    if (char === '{') return this.members('}', () => this.member());
    if (char === '[') return this.members(']', () => this.value());
    if (char === '"') return this.string();
    if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) return this.number();
    for (const word of ['true', 'false', 'null'])
      if (word.startsWith(char ?? ' ')) return this.word(word);
    throw new Fault();
  }

  blanks(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at += 1;
  }

  private members(close: string, one: () => void): void {
    this.at += 1;
    this.blanks();
    if (this.text[this.at] === close) return void (this.at += 1);
    for (;;) {
      one();
      this.blanks();
      const char = this.text[this.at];
      if (char !== ',' && char !== close) throw new Fault();
      this.at += 1;
      if (char === close) return;
    }
  }

  private member(): void {
    this.blanks();
    this.string();
    this.blanks();
    this.word(':');
    this.value();
  }

  private word(word: string): void {
    for (const char of word) {
      if (this.text[this.at] !== char) throw new Fault();
      this.at += 1;
    }
  }

  private string(): void {
    this.word('"');
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || char < ' ') throw new Fault();
      this.at += 1;
      if (char === '"') return;
      if (char === '\\') this.escape();
    }
  }

  private escape(): void {
    const char = this.text[this.at];
    if (char === undefined || !'"\\/bfnrtu'.includes(char)) throw new Fault();
    this.at += 1;
    if (char !== 'u') return;
    for (let digits = 0; digits < 4; digits += 1) {
      if (!/[0-9a-fA-F]/.test(this.text[this.at] ?? '')) throw new Fault();
      this.at += 1;
    }
  }

  private number(): void {
    if (this.text[this.at] === '-') this.at += 1;
    if (this.text[this.at] === '0') this.at += 1;
    else this.digits();
    if (this.text[this.at] === '.') {
      this.at += 1;
      this.digits();
    }
    if (!/[eE]/.test(this.text[this.at] ?? '')) return;
    this.at += 1;
    if (/[+-]/.test(this.text[this.at] ?? '')) this.at += 1;
    this.digits();
  }

  private digits(): void {
    const from = this.at;
    while (/[0-9]/.test(this.text[this.at] ?? '')) this.at += 1;
    if (this.at === from) throw new Fault();
  }
}
