import { MARCXML_NAMESPACE } from '@quire/marc/marcxml-write';
import type { FileFormat } from '../domain/upload-chunk.js';

/** A failed frame as received, or a piece of one. */
export interface FailedFrame {
  readonly bytes: Buffer;
  /** MARCXML: start tags of the elements it stood in (`job_chunk.xml_context`). */
  readonly xmlContext?: string | null | undefined;
  /** The frame begins, and ends, with this piece; both unless said. */
  readonly begins?: boolean;
  readonly ends?: boolean;
}

/**
 * A file of failed frames that can be read again (data-import, 14, 4 and 5): ISO 2709 one behind the other; MARCXML inside one
 * `collection` with the namespaces they need; JSON one object behind the other. The bytes of each frame are as received.
 */
export async function* failedFile(
  format: FileFormat,
  frames: AsyncIterable<FailedFrame>,
): AsyncGenerator<Buffer> {
  const around = aroundFrames(format);
  for await (const { bytes, xmlContext, begins = true, ends = true } of frames) {
    if (begins) yield* textOf(around.before(xmlContext));
    yield bytes;
    if (ends) yield* textOf(around.after);
  }
  yield* textOf(around.end());
}

/** What stands around the frames of such a file. */
export interface AroundFrames {
  /** Text before the next frame. @param xmlContext of the frame */
  before(xmlContext?: string | null): string;
  /** Text after every frame. */
  readonly after: string;
  end(): string;
}

export function aroundFrames(format: FileFormat): AroundFrames {
  if (format === 'MARC_XML') return new AroundXml();
  return { before: () => '', after: format === 'MARC_RAW' ? '' : '\n', end: () => '' };
}

const textOf = (text: string): Buffer[] => (text === '' ? [] : [Buffer.from(text)]);

const END_TAG = '</collection>\n';

/** The collection has the namespaces of the first frame. Others that need different ones are in an element of their own in it. */
class AroundXml implements AroundFrames {
  readonly after = '\n';
  private outer: Namespaces | undefined;
  private inner: string | undefined;

  before(xmlContext?: string | null): string {
    const wanted = namespacesOf(xmlContext ?? '');
    let text = '';
    if (!this.outer) {
      this.outer = wanted;
      text = `<?xml version="1.0" encoding="UTF-8"?>\n${startTag(wanted)}\n`;
    }
    const isAsOuter = startTag(wanted) === startTag(this.outer);
    const own = isAsOuter ? undefined : startTag(wanted, this.outer);
    if (own !== this.inner) {
      if (this.inner !== undefined) text += END_TAG;
      if (own !== undefined) text += `${own}\n`;
      this.inner = own;
    }
    return text;
  }

  end(): string {
    const inner = this.inner === undefined ? '' : END_TAG;
    const empty = startTag(new Map([['', MARCXML_NAMESPACE]]));
    return inner + (this.outer ? END_TAG : `${empty}${END_TAG}`);
  }
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

/** The same object in one line: line ends in JSON are blanks, unless it is broken. */
export function oneLine(json: Buffer): Buffer {
  if (!json.includes(0x0a) && !json.includes(0x0d)) return json;
  return Buffer.from(json.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));
}
