/** What stands around the records of a MARCXML file, as saxes sees it: elements, their namespaces, their depth. */

import type { SaxesTagNS } from 'saxes';
import { PlacedParser } from './marcxml-parser.js';
import { MARCXML_NAMESPACE } from './marcxml-write.js';

/** Elements in one another, those of the record too. */
export const XML_DEPTH_MAX = 32;
export const TOO_DEEP = `the elements are nested more than ${XML_DEPTH_MAX} deep`;

/** The start tag of a record: what is known of records that begin with the same bytes in the same place. */
export interface RecordTag {
  readonly bytes: Buffer;
  readonly endTag: Buffer;
  readonly prefix: string;
  /** In no namespace: a record only if it has a leader. */
  readonly needsLeader: boolean;
  readonly context: string;
}

/** The elements around the records, as saxes sees them. */
export class OuterElements {
  readonly parser = new PlacedParser();
  /** The file says that it is not UTF-8. */
  wrongEncoding = false;
  /** Start tags of the open elements with their namespaces. */
  private readonly open: string[] = [];
  private opened: SaxesTagNS | undefined;
  /** Depth of the record that is being shown, and its leader. */
  private recordDepth = 0;
  private leader: string | undefined;

  constructor() {
    const { sax } = this.parser;
    sax.on('xmldecl', ({ encoding }) => {
      this.wrongEncoding = encoding !== undefined && !/^utf-?8$/i.test(encoding);
    });
    sax.on('opentag', (tag) => {
      this.push(tag);
    });
    sax.on('closetag', () => {
      this.open.pop();
    });
  }

  get depth(): number {
    return this.open.length;
  }

  /** What the tag that was just shown begins, if that may be a record. */
  recordTag(bytes: Buffer): RecordTag | undefined {
    const tag = this.opened;
    this.opened = undefined;
    if (tag?.local !== 'record' || (tag.uri !== '' && tag.uri !== MARCXML_NAMESPACE))
      return undefined;
    const around = tag.isSelfClosing ? this.open : this.open.slice(0, -1);
    return {
      bytes: Buffer.from(bytes),
      endTag: Buffer.from(`</${tag.name}>`),
      prefix: tag.prefix === '' ? '' : `${tag.prefix}:`,
      needsLeader: tag.uri === '',
      context: around.join(''),
    };
  }

  /** Shows the content of a record; gives the byte at leader/06. */
  inside(show: () => void): number {
    const { sax } = this.parser;
    this.recordDepth = this.open.length;
    this.leader = undefined;
    const collect = (text: string): void => {
      if (this.leader !== undefined && this.open.length === this.recordDepth + 1)
        this.leader += text;
    };
    sax.on('text', collect);
    sax.on('cdata', collect);
    show();
    sax.off('text');
    sax.off('cdata');
    this.recordDepth = 0;
    this.opened = undefined;
    const code = (this.leader as string | undefined)?.charCodeAt(6) ?? -1;
    return code < 0x80 ? code : -1;
  }

  private push(tag: SaxesTagNS): void {
    if (this.open.length === XML_DEPTH_MAX) throw this.parser.fault(TOO_DEEP);
    const { local } = tag;
    const isLeader =
      this.recordDepth > 0 && this.open.length === this.recordDepth && local === 'leader';
    if (isLeader) this.leader ??= '';
    const namespaces = Object.entries(tag.ns).map(
      ([prefix, uri]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${quoted(uri)}"`,
    );
    this.open.push(`<${tag.name}${namespaces.join('')}>`);
    this.opened = tag;
  }
}

const REFERENCES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '"': '&quot;' };
const quoted = (text: string): string => text.replace(/[&<"]/g, (char) => REFERENCES[char]!);
