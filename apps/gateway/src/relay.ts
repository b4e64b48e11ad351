import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress, createGzip, constants } from 'node:zlib';
import { responseHeaders, withVary } from './headers.js';

/** The answer of a service. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders | OutgoingHttpHeaders;
  readonly body: Readable;
  /** All of the body, if it is here already. */
  readonly whole: Buffer | string | undefined;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: Answer;
  /** On every answer: request id, CORS. */
  readonly answerHeaders: OutgoingHttpHeaders;
}

const DRAIN_MS = 1_000;
const COMPRESSED_BYTES_MIN = 1024;

/** Sends the answer of a service to the client, compressed where that is asked for. Resolves when it is sent, or its connection cut. */
export async function relay({ request, response, answer, answerHeaders }: Exchange): Promise<void> {
  const { status, whole } = answer;
  const early = !request.complete;
  const headers = responseHeaders(answer.headers);
  for (const name in answerHeaders) {
    if (name === 'vary') withVary(headers, String(answerHeaders[name]));
    else headers[name] = answerHeaders[name];
  }
  if (early || status === 413) headers.connection = 'close';
  const compressor = early ? undefined : compressorFor(request, answer, headers);
  if (whole !== undefined && !early && !compressor) {
    sendWhole(response, status, headers, whole);
    return;
  }
  response.writeHead(status, headers);
  response.flushHeaders();
  const body = whole === undefined ? answer.body : [whole];
  try {
    if (compressor) await pipeline(body, compressor, response);
    else {
      await pipeline(body, response, { end: false });
      if (early) await drained(request);
      response.end();
    }
  } catch {
    // The pipeline has destroyed both sides; the client sees a connection that was cut.
    response.destroy();
  }
}

/** Most answers are short and came with their head: they go on in one write, too. */
function sendWhole(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: Buffer | string,
): void {
  if (body.length > 0) headers['content-length'] = Buffer.byteLength(body);
  response.writeHead(status, headers);
  response.end(body);
}

/** Reads and drops what the client still sends, for a moment. */
export function drained(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, DRAIN_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    request.once('end', done).once('close', done);
    request.resume();
  });
}

/** Only JSON, only when asked, only when it is worth it (K20). Changes the headers accordingly. */
function compressorFor(
  request: IncomingMessage,
  answer: Answer,
  headers: OutgoingHttpHeaders,
): Transform | undefined {
  const {
    'content-type': type,
    'content-encoding': encoding,
    'content-length': length,
  } = answer.headers;
  if (!/^application\/json\b/.test(String(type)) || encoding !== undefined) return undefined;
  withVary(headers, 'Accept-Encoding');
  const worthwhile = length === undefined || Number(length) > COMPRESSED_BYTES_MIN;
  const chosen = worthwhile && request.method !== 'HEAD' ? chosenEncoding(request) : undefined;
  if (!chosen || answer.status === 204 || answer.status === 304) return undefined;
  delete headers['content-length'];
  headers['content-encoding'] = chosen;
  if (chosen === 'gzip') return createGzip();
  return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}

function chosenEncoding({ headers }: IncomingMessage): 'br' | 'gzip' | undefined {
  const accepted = new Map(
    String(headers['accept-encoding'] ?? '')
      .split(',')
      .map((part) =>
        part
          .trim()
          .toLowerCase()
          .split(/\s*;\s*q=/),
      )
      .map(([name = '', weight = '1']) => [name, Number(weight)] as const),
  );
  const weight = (name: string): number => accepted.get(name) ?? 0;
  if (weight('br') > 0 && weight('br') >= weight('gzip')) return 'br';
  return weight('gzip') > 0 ? 'gzip' : undefined;
}
