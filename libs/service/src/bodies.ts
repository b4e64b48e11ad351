import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Failure, refused, tooLarge } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';
import { JsonTooDeep, MalformedJson, parseJson } from './json-text.js';

/**
 * How bodies come in (conventions, section 8). The route decides, never the content type: an upload is handed over as the
 * stream it is, everything else is JSON. The rules are checked before a byte is read.
 */
declare module 'fastify' {
  interface FastifyRequest {
    /** The content type as it was sent; Fastify sees only which of our two parsers to take. */
    sentContentType?: string;
  }
}

const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';

/** Replaces Fastify's parsers by ours. `routeOf` finds the entry of the matched route. */
export function registerBodies(
  fastify: FastifyInstance,
  routeOf: (request: FastifyRequest) => Route | undefined,
): void {
  fastify.decorateRequest('sentContentType', undefined);
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
  fastify.addContentTypeParser(
    JSON_TYPE,
    async (request: FastifyRequest, payload: IncomingMessage) => {
      const { bodyBytesMax: bytesMax = 0, notJson } = routeOf(request) ?? {};
      const bytes = await readWhole(
        payload,
        Number(request.headers['content-length'] ?? 0),
        bytesMax,
      );
      return bytes.length === 0 ? undefined : parsed(bytes, request, notJson);
    },
  );
}

/** Checks encoding and type of the body and picks the parser. @throws Failure 415, 400 */
export function checkBodyHeaders(request: FastifyRequest, upload: boolean): void {
  const { headers } = request;
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
  if (!upload) checkJsonType(sent);
  headers['content-type'] = upload ? BYTES_TYPE : JSON_TYPE;
}

function checkJsonType(sent: string | undefined): void {
  if (sent === undefined || sent.trim() === '') return;
  const [type = '', ...parameters] = sent.split(';').map((part) => part.trim());
  if (!/^(application\/json|text\/json|[\w.-]+\/[\w.-]+\+json)$/i.test(type)) {
    throw refused(
      `Content-type header must be ["application/json"] but it is "${sent}"`,
      'content-type',
    );
  }
  for (const parameter of parameters) {
    const [, charset] = /^charset\s*=\s*"?([^"]*)"?$/i.exec(parameter) ?? [];
    if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
      throw refused(`Charset must be UTF-8 but it is "${charset}"`, 'charset');
    }
  }
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

function parsed(bytes: Buffer, request: FastifyRequest, notJson: string | undefined): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof JsonTooDeep) throw refused(error.message, 'json-depth');
    if (!(error instanceof MalformedJson)) throw error;
    throw refused(
      notJson ?? `unable to ${verbOf(request)} ${itemOf(request)} -- ${error.message}`,
      'malformed-json',
    );
  }
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
