import { MARCXML_NAMESPACE } from '@quire/marc/marcxml-write';
import type { FileFormat } from '../domain/upload-chunk.js';

/** A failed frame as received, and for MARCXML the start tags of the elements it stood in (`job_chunk.xml_context`). */
export interface FailedFrame {
  readonly bytes: Buffer;
  readonly xmlContext?: string | null;
}

/**
 * A file of failed frames that can be read again (data-import, 14, 4 and 5): ISO 2709 one behind the other; MARCXML inside one
 * `collection` with the namespaces they need; JSON as lines. The bytes of each frame are as received, but for line ends in
 * JSON, which become blanks.
 *
 * The collection has the namespaces of the first frame. Others that need different ones are in an element of their own in it.
 */
export async function* failedFile(
  format: FileFormat,
  frames: AsyncIterable<FailedFrame>,
): AsyncGenerator<Buffer> {
  if (format === 'MARC_XML') yield* xmlFile(frames);
  else
    for await (const { bytes } of frames)
      yield* format === 'MARC_RAW' ? [bytes] : [oneLine(bytes), LINE_END];
}

const LINE_END = Buffer.from('\n');
const END_TAG = Buffer.from('</collection>\n');

async function* xmlFile(frames: AsyncIterable<FailedFrame>): AsyncGenerator<Buffer> {
  let outer: Namespaces | undefined;
  let inner: string | undefined;
  for await (const { bytes, xmlContext } of frames) {
    const wanted = namespacesOf(xmlContext ?? '');
    if (!outer) {
      outer = wanted;
      yield Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${startTag(wanted)}\n`);
    }
    const tag = startTag(wanted);
    const own = tag === startTag(outer) ? undefined : startTag(wanted, outer);
    if (own !== inner) {
      if (inner !== undefined) yield END_TAG;
      if (own !== undefined) yield Buffer.from(`${own}\n`);
      inner = own;
    }
    yield bytes;
    yield LINE_END;
  }
  if (inner !== undefined) yield END_TAG;
  yield outer
    ? END_TAG
    : Buffer.from(`${startTag(new Map([['', MARCXML_NAMESPACE]]))}</collection>\n`);
}

/** Escaped names by prefix. */
type Namespaces = ReadonlyMap<string, string>;

/** Those in force behind the start tags, as framing writes them. */
function namespacesOf(context: string): Namespaces {
  const found = new Map<string, string>();
  for (const [, prefix = '', uri = ''] of context.matchAll(/ xmlns(?::([^=]+))?="([^"]*)"/g))
    found.set(prefix, uri);
  if (found.get('') === '') found.delete('');
  return found;
}

function startTag(namespaces: Namespaces, around?: Namespaces): string {
  const wanted = [...namespaces];
  // What is in no namespace must not fall into that of the element around.
  if (around?.has('') && !namespaces.has('')) wanted.push(['', '']);
  const attributes = wanted
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([prefix, uri]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${uri}"`);
  return `<collection${attributes.join('')}>`;
}

/** Line ends in JSON are blanks, unless it is broken. */
function oneLine(json: Buffer): Buffer {
  if (!json.includes(0x0a) && !json.includes(0x0d)) return json;
  return Buffer.from(json.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));
}
