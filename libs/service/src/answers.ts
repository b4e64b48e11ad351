import { Readable } from 'node:stream';
import type { Caller } from '@quire/contracts/scope';
import type { FastifyReply } from 'fastify';

/** `Location` of a new resource: path-absolute, below the public prefix (conventions, section 3). */
export function located(reply: FastifyReply, caller: Caller, path: string): void {
  void reply.header('location', `${publicPrefix(caller)}${path}`);
}

function publicPrefix({ publicUrl }: Caller): string {
  return URL.canParse(publicUrl) ? new URL(publicUrl).pathname.replace(/\/$/, '') : '';
}

/** An item that is JSON already, without a line end: of large objects it can be put together much faster than from objects. */
export class JsonText {
  constructor(readonly json: string) {}
}

const jsonOf = (item: object | string): string =>
  item instanceof JsonText ? item.json : JSON.stringify(item);

export interface Collection {
  /** Name of the list, the first property of the answer (K1). */
  readonly key: string;
  /** Undefined is no item, but a sign of life: who waits long for the next one gives it now and then. */
  readonly items:
    AsyncIterable<object | string | undefined> | Iterable<object | string | undefined>;
  /** The second property, from the number of items sent; undefined leaves it out. */
  readonly totalRecords: (rows: number) => number | undefined;
  /** Properties after it, or what gives them when all items are sent. */
  readonly rest?: Readonly<Record<string, unknown>> | (() => Readonly<Record<string, unknown>>);
}

/** Text is collected up to this size, so that the socket sees no write per record. */
const CHUNK_CHARACTERS = 32_768;

/**
 * Answers a collection of any length in flat memory. An error before the first chunk becomes an ordinary answer, a later
 * one cuts the connection, so that nobody takes the answer for complete.
 */
export function streamCollection(reply: FastifyReply, collection: Collection): FastifyReply {
  void reply.header('content-type', 'application/json; charset=utf-8');
  return reply.send(textStream(collectionText(collection)));
}

/** One object per line, every line ended, no raw control character (K18, conventions, section 9). */
export function streamNdjson(reply: FastifyReply, items: AsyncIterable<object>): FastifyReply {
  void reply.header('content-type', 'application/stream+json');
  return reply.send(textStream(ndjsonText(items)));
}

async function* collectionText({
  key,
  items,
  totalRecords,
  rest = {},
}: Collection): AsyncGenerator<string> {
  let rows = 0;
  let text = `{${JSON.stringify(key)}:[`;
  for await (const item of items) {
    if (item === undefined) {
      // A blank means nothing between two tokens.
      text += ' ';
    } else {
      text += (rows === 0 ? '' : ',') + jsonOf(item);
      rows += 1;
      if (text.length < CHUNK_CHARACTERS) continue;
    }
    yield text;
    text = '';
  }
  const more = typeof rest === 'function' ? rest() : rest;
  const tail = JSON.stringify({ totalRecords: totalRecords(rows), ...more });
  yield `${text}]${tail === '{}' ? '}' : `,${tail.slice(1)}`}`;
}

async function* ndjsonText(items: AsyncIterable<object>): AsyncGenerator<string> {
  let text = '';
  for await (const item of items) {
    text += `${oneLine(jsonOf(item))}\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** Clients that split lines by the Unicode rules would cut an object at these three. JSON text has them only in strings. */
export function oneLine(json: string): string {
  return json.replace(/[\u0085\u2028\u2029]/g, (char) =>
    char === '\u0085' ? '\\u0085' : char === '\u2028' ? '\\u2028' : '\\u2029',
  );
}

function textStream(text: AsyncGenerator<string>): Readable {
  return Readable.from(text, { objectMode: false, highWaterMark: CHUNK_CHARACTERS });
}
