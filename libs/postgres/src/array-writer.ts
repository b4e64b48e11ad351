/**
 * Arrays in Postgres's binary format (see `bulk.ts`), written element by element into one buffer: for columns whose values are
 * made one after the other and need not live until the last one is there. What does not outlive a record costs the collector
 * of garbage nothing; the texts of a chunk, kept until its statement is sent, were half of the time it took to make them.
 */
const HEADER_BYTES = 20;
const FIRST_BYTES = 16_384;
const NULL_LENGTH = -1;
/** Version of jsonb's binary form, before the text of the value. */
const JSONB_VERSION = 1;

export const ELEMENT_OID = { text: 25, jsonb: 3802, tsvector: 3614 } as const;

export class ArrayWriter {
  private count = 0;
  private hasNulls = false;
  protected bytes = Buffer.allocUnsafe(FIRST_BYTES);
  protected at = HEADER_BYTES;

  constructor(private readonly elementOid: number) {}

  addNull(): void {
    this.reserve(4);
    this.at = this.bytes.writeInt32BE(NULL_LENGTH, this.at);
    this.hasNulls = true;
    this.count++;
  }

  /** The array; nothing may be added after that. */
  finish(): Buffer {
    const { bytes } = this;
    bytes.writeInt32BE(1, 0);
    bytes.writeInt32BE(this.hasNulls ? 1 : 0, 4);
    bytes.writeUInt32BE(this.elementOid, 8);
    bytes.writeInt32BE(this.count, 12);
    bytes.writeInt32BE(1, 16);
    return bytes.subarray(0, this.at);
  }

  /** Begins an element, whose length is told by {@link close}. @returns where it begins */
  protected open(bytesMax: number): number {
    this.reserve(bytesMax + 4);
    this.at += 4;
    return this.at;
  }

  protected close(start: number): void {
    this.bytes.writeInt32BE(this.at - start, start - 4);
    this.count++;
  }

  private reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + size));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}

/** Bytes of UTF-8 for one unit of a string, at most. */
const UNIT_BYTES_MAX = 3;

export class TextWriter extends ArrayWriter {
  constructor() {
    super(ELEMENT_OID.text);
  }

  add(text: string | null | undefined): void {
    if (text === null || text === undefined) return this.addNull();
    const start = this.open(text.length * UNIT_BYTES_MAX);
    this.at += this.bytes.write(text, this.at);
    this.close(start);
  }
}

export class JsonbWriter extends ArrayWriter {
  constructor() {
    super(ELEMENT_OID.jsonb);
  }

  add(value: object): void {
    const text = JSON.stringify(value);
    const start = this.open(1 + text.length * UNIT_BYTES_MAX);
    this.bytes[this.at++] = JSONB_VERSION;
    this.at += this.bytes.write(text, this.at);
    this.close(start);
  }
}
