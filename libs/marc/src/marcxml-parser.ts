/**
 * saxes, with faults that say at which byte they are. It counts the units of its strings; files and records are bytes.
 *
 * Nothing is fetched or expanded: there are no entities but the five of XML and numbers of characters.
 */

import { SaxesParser } from 'saxes';

/** The XML is not well-formed. The parser that found it is of no more use. */
export class XmlFault extends Error {
  constructor(
    message: string,
    /** Bytes from the beginning of the text that was being written. */
    readonly offset: number,
  ) {
    super(message);
  }
}

// A document that calls itself XML 1.1 may otherwise hold control characters.
const OPTIONS = {
  xmlns: true,
  position: false,
  defaultXMLVersion: '1.0',
  forceXMLVersion: true,
} as const;

/** A tag with more is written to do harm. */
const ATTRIBUTES_MAX = 1000;

export class PlacedParser {
  readonly sax = new SaxesParser(OPTIONS);
  /** Units of all texts before this one. */
  private written = 0;
  private current = '';
  private attributes = 0;

  constructor() {
    this.sax.on('opentagstart', () => {
      this.attributes = 0;
    });
    this.sax.on('attribute', () => {
      this.attributes += 1;
      if (this.attributes > ATTRIBUTES_MAX)
        throw this.fault(`a tag has more than ${ATTRIBUTES_MAX} attributes`);
    });
    this.sax.on('error', (error) => {
      throw this.fault(error.message);
    });
  }

  /** @throws XmlFault, and whatever a handler throws */
  write(text: string): void {
    this.current = text;
    this.sax.write(text);
    this.written += text.length;
  }

  /** @throws XmlFault if the document is not complete */
  close(): void {
    this.current = '';
    this.sax.close();
  }

  /** How much of the text has been read, in units. */
  get read(): number {
    // A line end may be held back until the next text.
    return Math.max(0, this.sax.position - this.written);
  }

  /** A fault at this place. */
  fault(message: string): XmlFault {
    return new XmlFault(message, Buffer.byteLength(this.current.slice(0, this.read)));
  }
}

/** Offset of the first byte that is no UTF-8; the length when there is none. */
export function firstNotUtf8(bytes: Buffer): number {
  const text = bytes.toString();
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) {
    const offset = Buffer.byteLength(text.slice(0, at));
    // The character itself may be there.
    if (bytes.toString('latin1', offset, offset + 3) !== '\xef\xbf\xbd') return offset;
  }
  return bytes.length;
}
