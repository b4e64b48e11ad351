import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { failures } from '../domain/failures.js';
import { parseJobOptions } from '../domain/job-options.js';
import type { Incoming } from '../usecases/file-uploads.js';
import type { Wanted } from '../usecases/import-starts.js';

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

/** What the headers say about the import that is to start. @throws Failure 400 that names the bad option */
export function wantedOf(headers: FastifyRequest['headers']): Wanted {
  const allow = String(headers['x-quire-allow-duplicate'] ?? '').trim();
  return {
    options: parseJobOptions(headers['x-quire-import-options']),
    allowDuplicate: allow.toLowerCase() === 'true',
  };
}
