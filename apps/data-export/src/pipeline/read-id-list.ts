import { IncompleteAnswer } from './record-frames.js';

/**
 * Reads ids out of an answer of source-record-storage while it comes, in their order:
 *
 *   {"ids":[{"id":"<uuid>"}, …],"totalRecords":n}      POST /internal/instance-ids
 *   {"records":["<uuid>", …],"totalCount":n}           POST /source-storage/stream/marc-record-identifiers
 *
 * Both are lists of UUIDs between names of properties, and nothing in them is escaped: a string of 36 characters is an id.
 * The number at the end says whether the answer came whole.
 */
export const ID_BATCH = 5000;

const QUOTE = 0x22;
const UUID_BYTES = 36;
/** The longest string that is no id is the name of a property. */
const STRING_BYTES_MAX = 64;

/** Ids in batches of {@link ID_BATCH}, 16 bytes each. @throws IncompleteAnswer when the answer ends early */
export async function* readIdList(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer[]> {
  const reader = new IdListReader();
  let ids: Buffer[] = [];
  for await (const chunk of source) {
    for (const id of reader.read(chunk)) {
      ids.push(id);
      if (ids.length < ID_BATCH) continue;
      yield ids;
      ids = [];
    }
  }
  reader.finish();
  if (ids.length > 0) yield ids;
}

class IdListReader {
  /** The string that has begun, without its quotes; undefined between strings. */
  private text: string | undefined;
  /** What follows the last string. */
  private tail = '';
  private count = 0;

  *read(chunk: Uint8Array): Generator<Buffer> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      const quote = bytes.indexOf(QUOTE, at);
      const end = quote < 0 ? bytes.length : quote;
      const part = bytes.toString('latin1', at, Math.min(end, at + STRING_BYTES_MAX + 1));
      at = end + 1;
      if (this.text === undefined) this.tail += part;
      else this.text += part;
      if (quote < 0) break;
      const id = this.border();
      if (id) yield id;
    }
    if ((this.text ?? this.tail).length > STRING_BYTES_MAX) throw unreadable();
  }

  /** The number of ids that the other side counted is that of those that came. */
  finish(): void {
    const counted = /^\s*:\s*(\d+)\s*\}\s*$/.exec(this.tail)?.[1];
    if (this.text !== undefined || counted === undefined) throw unreadable();
    if (Number(counted) !== this.count)
      throw new IncompleteAnswer(`${this.count} of ${counted} ids came.`);
  }

  /** A quote opens or closes a string. */
  private border(): Buffer | undefined {
    const { text } = this;
    this.tail = '';
    this.text = text === undefined ? '' : undefined;
    if (text?.length !== UUID_BYTES) return undefined;
    this.count += 1;
    return Buffer.from(text.replaceAll('-', ''), 'hex');
  }
}

function unreadable(): IncompleteAnswer {
  return new IncompleteAnswer('The list of ids ended early or is none.');
}
