/**
 * Cuts XML into its tokens by their borders alone, byte by byte, so that a file may break off anywhere between two
 * pieces. It decides nothing: what is in a token is for a real XML reader. UTF-8 makes it safe, for no byte of another
 * character looks like markup.
 *
 *   token = text | <name …> | <name …/> | </name> | <!-- … --> | <![CDATA[ … ]]> | <? … ?> | <!D…
 */

const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const QUESTION = 0x3f;
const DASH = 0x2d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const CDATA = Buffer.from('CDATA[');

/** `doctype` ends at its `D`, and `bad` at the byte that no XML has there. */
export type TokenKind =
  'text' | 'start' | 'empty' | 'end' | 'comment' | 'cdata' | 'instruction' | 'doctype' | 'bad';

type State =
  | 'new'
  | 'opened'
  | 'bang'
  | 'dash'
  | 'bracket'
  | 'name'
  | 'tag'
  | 'quoted'
  | 'comment'
  | 'cdata'
  | 'instruction';

/** Of names no more is told apart. */
const NAME_BYTES_MAX = 64;

export class XmlTokens {
  /** Of the token that ended, like the name. */
  kind: TokenKind = 'text';
  private state: State = 'new';
  private closing = false;
  private quote = 0;
  /** Bytes seen of `CDATA[`, and of what ends a comment, a CDATA section or an instruction. */
  private run = 0;
  private last = 0;
  private nameBytes: number[] = [];

  /** Name in the tag, without its prefix. */
  get localName(): string {
    const name = String.fromCharCode(...this.nameBytes);
    return name.slice(name.indexOf(':') + 1);
  }

  /**
   * Goes on with the token, or begins one.
   *
   * @returns the offset behind it, or -1 if it goes on behind these bytes. Text ends with them at the latest.
   */
  scan(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (this.state === 'new' && byte !== LESS) {
        const next = bytes.indexOf(LESS, at);
        return this.ended('text', next < 0 ? bytes.length : next);
      }
      const kind = this.take(byte);
      at++;
      if (kind !== undefined) return this.ended(kind, at);
    }
    return -1;
  }

  /** Forgets the token that was begun. */
  reset(): void {
    this.state = 'new';
  }

  private ended(kind: TokenKind, at: number): number {
    this.kind = kind;
    this.state = 'new';
    return at;
  }

  private begin(): void {
    this.state = 'opened';
    this.closing = false;
    this.run = 0;
    this.last = 0;
    this.nameBytes = [];
  }

  private take(byte: number): TokenKind | undefined {
    switch (this.state) {
      case 'new':
        this.begin();
        return undefined;
      case 'opened':
        return this.takeOpened(byte);
      case 'bang':
        return this.takeBang(byte);
      case 'dash':
        return this.become('comment', byte === DASH);
      case 'bracket':
        if (byte !== CDATA[this.run++]) return 'bad';
        return this.run < CDATA.length ? undefined : this.become('cdata', true);
      case 'comment':
        return this.endsBy(byte, DASH, 2) ? 'comment' : undefined;
      case 'cdata':
        return this.endsBy(byte, CLOSE_BRACKET, 2) ? 'cdata' : undefined;
      case 'instruction':
        return this.endsBy(byte, QUESTION, 1) ? 'instruction' : undefined;
      case 'quoted':
        if (byte === LESS) return 'bad';
        if (byte === this.quote) this.state = 'tag';
        return undefined;
      case 'name':
      case 'tag':
        return this.takeTag(byte);
    }
  }

  /** The byte behind `<`. */
  private takeOpened(byte: number): TokenKind | undefined {
    if (byte === QUESTION) return this.become('instruction', true);
    if (byte === BANG) return this.become('bang', true);
    this.state = 'name';
    this.closing = byte === SLASH;
    return this.closing ? undefined : this.takeTag(byte);
  }

  private takeBang(byte: number): TokenKind | undefined {
    if (byte === DASH) this.state = 'dash';
    else if (byte === OPEN_BRACKET) this.state = 'bracket';
    else return byte === 0x44 || byte === 0x64 ? 'doctype' : 'bad';
    return undefined;
  }

  private become(state: State, expected: boolean): TokenKind | undefined {
    this.state = state;
    this.run = 0;
    return expected ? undefined : 'bad';
  }

  /** A `>` behind so many of one byte. */
  private endsBy(byte: number, mark: number, times: number): boolean {
    if (byte === GREATER && this.run >= times) return true;
    this.run = byte === mark ? this.run + 1 : 0;
    return false;
  }

  private takeTag(byte: number): TokenKind | undefined {
    if (byte === LESS) return 'bad';
    if (byte === GREATER) return this.closing ? 'end' : this.last === SLASH ? 'empty' : 'start';
    if (byte === QUOTE || byte === APOSTROPHE) {
      this.quote = byte;
      this.state = 'quoted';
    } else if (byte <= 0x20 || byte === SLASH) {
      this.state = 'tag';
    } else if (this.state === 'name' && this.nameBytes.length < NAME_BYTES_MAX) {
      this.nameBytes.push(byte);
    }
    this.last = byte;
    return undefined;
  }
}
