import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rangeOf } from './byte-range.js';

/** A file behind a link. */
export interface LinkedBytes {
  readonly contentType: string;
  readonly fileName: string;
  readonly size: number;
  /** The quotes are part of it. */
  readonly etag: string;
  /** Bytes `start` up to but not including `end`. */
  open(start: number, end: number): Promise<Readable>;
}

/** Answers GET and HEAD of a signed link: whole or one range, streamed from the store (reliability, section 13). */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: LinkedBytes,
): Promise<void> {
  const { size, etag } = file;
  describe(reply, file);
  const asked = rangeOf(rangeHeader(request, etag), size);
  if (asked.kind === 'unsatisfiable') {
    void reply.code(416).header('content-range', `bytes */${size}`).type('text/plain');
    await reply.send('Range is not satisfiable');
    return;
  }
  const { start, end } = asked.kind === 'part' ? asked : { start: 0, end: size };
  if (asked.kind === 'part')
    void reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${size}`);
  // Fastify answers HEAD by this GET and drops the bytes: none are fetched for it.
  const bytes = request.method === 'HEAD' ? Readable.from([]) : await file.open(start, end);
  void reply.header('content-length', end - start);
  await reply.send(bytes);
}

function describe(reply: FastifyReply, { contentType, fileName, etag }: LinkedBytes): void {
  void reply.headers({
    'content-type': contentType,
    'content-disposition': attachment(fileName),
    'accept-ranges': 'bytes',
    etag,
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
    'referrer-policy': 'no-referrer',
  });
}

/** A range of another state of the file is none (`If-Range`, RFC 9110 13.1.5). */
function rangeHeader({ headers }: FastifyRequest, etag: string): string | undefined {
  const condition = headers['if-range'];
  return condition === undefined || condition === etag ? headers.range : undefined;
}

/**
 * `Content-Disposition` of a download (RFC 6266): an ASCII name for old readers, the true one in RFC 8187 form.
 */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/g, '_').replace(/["\\]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
