import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Failure, refused, tooLarge } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';
import { JsonTooDeep, MalformedJson, parseJson } from './json-text.js';

/**
 * How bodies come in (conventions, section 8). The route decides: an upload is handed over as the stream it is, everything else is
 * JSON, but for routes that also take a list or table as CSV. The rules are checked before a byte is read.
 */
declare module 'fastify' {
  interface FastifyRequest {
    /** The content type as it was sent; Fastify sees only which of our two parsers to take. */
    sentContentType?: string;
    /** Of the bytes of a body that is no upload; only of a request with `Idempotency-Key`. */
    bodySha256?: Buffer;
  }
}

const JSON_TYPE = 'application/json';
const CSV_TYPE = 'text/csv';
const BYTES_TYPE = 'application/octet-stream';

/** Replaces Fastify's parsers by ours. `routeOf` finds the entry of the matched route. */
export function registerBodies(
  fastify: FastifyInstance,
  routeOf: (request: FastifyRequest) => Route | undefined,
): void {
  fastify.decorateRequest('sentContentType', undefined);
  fastify.decorateRequest('bodySha256', undefined);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(BYTES_TYPE, (_request, payload, done) =>
    done(null, shielded(payload)),
  );
  // What a handler or a limit left unread is read and dropped: closing the socket on it would reset the connection before
  // the caller has seen the answer.
  fastify.addHook('onResponse', (request, _reply, done) => {
    if (!request.raw.complete) request.raw.resume();
    done();
  });
  const bytesOf = async (request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> => {
    const announced = Number(request.headers['content-length'] ?? 0);
    const bytes = await readWhole(payload, announced, routeOf(request)?.bodyBytesMax ?? 0);
    if ('idempotency-key' in request.headers) request.bodySha256 = sha256(bytes);
    return bytes;
  };
  fastify.addContentTypeParser(
    JSON_TYPE,
    async (request: FastifyRequest, payload: IncomingMessage) => {
      const bytes = await bytesOf(request, payload);
      return bytes.length === 0 ? undefined : parsed(bytes, request, routeOf(request));
    },
  );
  fastify.addContentTypeParser(
    CSV_TYPE,
    async (request: FastifyRequest, payload: IncomingMessage) => {
      const bytes = await bytesOf(request, payload);
      if (bytes.length === 0) return undefined;
      return routeOf(request)?.csv === 'table' ? bytes : valuesOf(bytes);
    },
  );
}

/** Checks encoding and type of the body and picks the parser. @throws Failure 415, 400 */
export function checkBodyHeaders(request: FastifyRequest, route: Route | undefined): void {
  const { headers } = request;
  const upload = route?.upload ?? false;
  const sent = headers['content-type'];
  request.sentContentType = sent;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new Failure('unsupported', 'content-encoding', 'Content-Encoding is not supported');
  }
  const length = headers['content-length'];
  if (
    headers['transfer-encoding'] === undefined &&
    (length === undefined || Number(length) === 0)
  ) {
    // Without a body the type means nothing, and Fastify must not look for a parser. Uploads may be empty files.
    if (upload) headers['content-type'] = BYTES_TYPE;
    else delete headers['content-type'];
    return;
  }
  headers['content-type'] = upload ? BYTES_TYPE : parsedType(sent, Boolean(route?.csv));
}

function parsedType(sent: string | undefined, csv: boolean): string {
  if (sent === undefined || sent.trim() === '') return JSON_TYPE;
  const [type = '', ...parameters] = sent.split(';').map((part) => part.trim());
  const isCsv = csv && type.toLowerCase() === CSV_TYPE;
  if (!isCsv && !/^(application\/json|text\/json|[\w.-]+\/[\w.-]+\+json)$/i.test(type)) {
    const types = csv ? [JSON_TYPE, CSV_TYPE] : [JSON_TYPE];
    throw refused(
      `Content-type header must be ${JSON.stringify(types)} but it is "${sent}"`,
      'content-type',
    );
  }
  for (const parameter of parameters) {
    const [, charset] = /^charset\s*=\s*"?([^"]*)"?$/i.exec(parameter) ?? [];
    if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
      throw refused(`Charset must be UTF-8 but it is "${charset}"`, 'charset');
    }
  }
  return isCsv ? CSV_TYPE : JSON_TYPE;
}

/** The client went away, or its connection did, in the middle of the body. */
export class BodyInterrupted extends Error {
  override readonly name = 'BodyInterrupted';

  constructor() {
    super('The request body was interrupted.');
  }
}

/**
 * The body of an upload behind a stream of its own. Whoever reads it may give up at any byte, which destroys a stream;
 * destroying the request itself would take the connection away from the answer.
 */
function shielded(payload: IncomingMessage): Readable {
  const shield = new PassThrough();
  // Who reads later finds the error on the stream; without a listener one that nobody reads yet would end the process.
  shield.on('error', () => undefined);
  const interrupt = (): void => {
    if (!payload.complete) shield.destroy(new BodyInterrupted());
  };
  payload.on('error', () => shield.destroy(new BodyInterrupted()));
  payload.on('close', interrupt);
  payload.pipe(shield);
  // Of a client that left before we came here there is no further event: whoever reads would wait for ever.
  if (payload.destroyed) interrupt();
  return shield;
}

/** Joins the body, of which the route's limit bounds the size. */
async function readWhole(
  payload: IncomingMessage,
  announced: number,
  bytesMax: number,
): Promise<Buffer> {
  const refuse = (): Failure => tooLarge(`Request body is too large: limit is ${bytesMax} bytes`);
  if (announced > bytesMax) throw refuse();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) throw refuse();
    chunks.push(chunk);
  }
  // eslint-disable-next-line no-restricted-properties -- at most the limit of the route
  return Buffer.concat(chunks, size);
}

function parsed(bytes: Buffer, request: FastifyRequest, route: Route | undefined): unknown {
  try {
    return parseJson(bytes, route?.exactNumbers);
  } catch (error) {
    if (error instanceof JsonTooDeep) throw refused(error.message, 'json-depth');
    if (!(error instanceof MalformedJson)) throw error;
    throw refused(
      route?.notJson ?? `unable to ${verbOf(request)} ${itemOf(request)} -- ${error.message}`,
      'malformed-json',
    );
  }
}

/** More than any list may have: what follows cannot change that it is refused, and would only cost memory. */
const VALUES_MAX = 1_000_000;

/** One value a line, perhaps in quotes, as spreadsheets write a table of one column. Empty lines have none. */
function valuesOf(bytes: Buffer): string[] {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  const lines = text.split(/[\r\n]+/, VALUES_MAX);
  const values = lines.map((line) =>
    line
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim(),
  );
  return values.filter((value) => value !== '');
}

function verbOf({ method }: FastifyRequest): string {
  return method === 'PUT' ? 'update' : method === 'DELETE' ? 'delete' : 'add';
}

/** The last path segment that is no parameter, in the singular. */
function itemOf(request: FastifyRequest): string {
  const segments = (request.routeOptions.url ?? '').split('/');
  const last = segments.findLast((segment) => segment !== '' && !segment.startsWith(':'));
  return (last ?? 'body').replace(/s$/, '');
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
