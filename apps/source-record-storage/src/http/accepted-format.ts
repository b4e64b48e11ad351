import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import type { RecordRow } from '../db/record-reads.js';
import {
  closing,
  documentOf,
  MEDIA_TYPE,
  opening,
  recordIn,
  RECORD_FORMATS,
  type RecordFormat,
} from '../domain/record-formats.js';
import { storedContentOf } from '../domain/record-shapes.js';
import type { StoredContent } from '../domain/stored-content.js';

/**
 * `Accept` of records and streams (source-record-storage, section 14): it chooses among the formats that are named there and
 * never refuses (conventions, section 8). JSON wins where it is named with a higher weight or before them; wildcards choose
 * nothing, because clients that can read MARC say so.
 */
export function acceptedFormat(accept: string | undefined): RecordFormat | undefined {
  let best: { readonly format: RecordFormat | undefined; readonly weight: number } | undefined;
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const format = FORMAT_OF.get(type);
    if (format === undefined && !JSON_TYPE.test(type)) continue;
    const weight = weightOf(parameters);
    if (weight > (best?.weight ?? 0)) best = { format, weight };
  }
  return best?.format;
}

const FORMAT_OF: ReadonlyMap<string, RecordFormat> = new Map(
  RECORD_FORMATS.map((format) => [(MEDIA_TYPE[format].split(';')[0] ?? '').trim(), format]),
);
const JSON_TYPE = /^application\/(json|stream\+json)$/;

function weightOf(parameters: readonly string[]): number {
  const sent = parameters.find((one) => one.startsWith('q='))?.slice(2);
  if (sent === undefined) return 1;
  const weight = Number(sent);
  return weight >= 0 && weight <= 1 ? weight : 0;
}

/**
 * One record in the format that the request asks for, with the headers of the answer; undefined where it cannot be had in it,
 * or JSON was asked for: then JSON is the answer.
 */
export function acceptedDocument(
  reply: FastifyReply,
  content: StoredContent | undefined,
): Buffer | undefined {
  void reply.header('vary', 'Accept');
  const format = acceptedFormat(reply.request.headers.accept);
  const document = format && content && documentOf(format, content);
  if (format && document) void reply.header('content-type', MEDIA_TYPE[format]);
  return document;
}

/** One document of all records that the format can carry, in flat memory; a piece per batch. */
export function streamFormat(
  reply: FastifyReply,
  format: RecordFormat,
  batches: AsyncIterable<readonly RecordRow[]>,
): FastifyReply {
  void reply.header('content-type', MEDIA_TYPE[format]);
  return reply.send(Readable.from(documentPieces(format, batches), { objectMode: false }));
}

async function* documentPieces(
  format: RecordFormat,
  batches: AsyncIterable<readonly RecordRow[]>,
): AsyncGenerator<Buffer> {
  let head = opening(format);
  for await (const rows of batches) {
    const records = rows.flatMap((row) => {
      const content = storedContentOf(row);
      return (content && recordIn(format, content)) ?? [];
    });
    // eslint-disable-next-line no-restricted-properties -- the records of one batch
    const piece = Buffer.concat([head, ...records]);
    head = piece.subarray(piece.length);
    if (piece.length > 0) yield piece;
  }
  // eslint-disable-next-line no-restricted-properties -- a line or two
  const tail = Buffer.concat([head, closing(format)]);
  if (tail.length > 0) yield tail;
}
