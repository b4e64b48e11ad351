import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { failures } from '../domain/failures.js';
import type { Incoming } from '../usecases/file-uploads.js';

/** The bytes of an upload; none when the request has no body. @throws Failure 400 for another content type */
export function incomingOf(request: FastifyRequest): Incoming {
  const type = request.sentContentType;
  const essence = type?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type !== undefined && essence !== '' && essence !== 'application/octet-stream')
    throw failures.notBytes(type);
  const length = request.headers['content-length'];
  const bytes = (request.body ?? Readable.from([])) as AsyncIterable<Uint8Array>;
  return { bytes, ...(length === undefined ? {} : { announced: Number(length) }) };
}
