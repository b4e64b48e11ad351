import { Failure, unavailable, type FailureKind } from '@quire/contracts/failure';

import { BodyInterrupted } from './bodies.js';

/** What a client is told about a failure (conventions, 15.1). */
export interface FailureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** A fault of ours: the log must say more than the answer does. */
  readonly fault: boolean;
}

const STATUS: Readonly<Record<FailureKind, number>> = {
  refused: 400,
  unauthorised: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  gone: 410,
  'too-large': 413,
  unsupported: 415,
  invalid: 422,
  'too-many': 429,
  unavailable: 503,
};

/** A refusal that belongs to HTTP itself and to no service: 405, 408, 414, 431. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';

  constructor(
    readonly status: 400 | 405 | 408 | 414 | 431,
    readonly headers: Readonly<Record<string, string>> = {},
    text = LIBRARY_TEXTS[status],
  ) {
    super(text);
  }
}

const TEXT = 'text/plain; charset=utf-8';
const FAULT_TEXT = 'Internal server error, contact administrator';

/** Texts for what the HTTP library itself refuses. */
const LIBRARY_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'No suitable module found for path and tenant',
  405: 'Method not allowed',
  408: 'Request took too long',
  413: 'Request body is too large',
  414: 'Request target is too long',
  415: 'Content-Encoding is not supported',
  431: 'Request headers are too large',
};

/** The one place where a failure becomes a status. Nothing of an unknown error reaches the client. */
export function answerOf(error: unknown): FailureAnswer {
  if (error instanceof Failure) return ofFailure(error);
  if (error instanceof BodyInterrupted) return textAnswer(400, error.message, false);
  if (error instanceof HttpRefusal)
    return textAnswer(error.status, error.message, false, error.headers);
  const passing = passingFault(error);
  if (passing) return { ...ofFailure(passing), fault: true };
  const status = libraryStatus(error);
  const text = status === undefined ? undefined : LIBRARY_TEXTS[status];
  if (status === undefined || text === undefined) return textAnswer(500, FAULT_TEXT, true);
  return textAnswer(status, text, false);
}

function ofFailure({ kind, message, details }: Failure): FailureAnswer {
  const { errors, retryAfterSeconds, headers } = details;
  const extra = {
    ...headers,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  };
  if (!errors) return textAnswer(STATUS[kind], message, false, extra);
  return {
    status: STATUS[kind],
    headers: { 'content-type': 'application/json; charset=utf-8', ...extra },
    body: JSON.stringify({ errors, total_records: errors.length }),
    fault: false,
  };
}

function textAnswer(
  status: number,
  body: string,
  fault: boolean,
  headers: Readonly<Record<string, string>> = {},
): FailureAnswer {
  return { status, headers: { 'content-type': TEXT, ...headers }, body, fault };
}

/** Seconds after which a dependency that is away may be back. */
const RETRY_SECONDS = 5;

/** Faults that end by themselves: a store or the database is away, overloaded or too slow. */
function passingFault(error: unknown): Failure | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, transient, message } = error as {
    code?: unknown;
    transient?: unknown;
    message?: unknown;
  };
  if (code === '57014') {
    return new Failure('unavailable', 'query-time', 'Query took longer than 5 s', {
      retryAfterSeconds: RETRY_SECONDS,
    });
  }
  const options = { cause: error };
  if (transient === true) return unavailable(RETRY_SECONDS, options);
  if (
    typeof code === 'string' &&
    /^(08|53|57P)|^55P03$|^E(CONN|PIPE|HOSTUNREACH|TIMEDOUT)/.test(code)
  ) {
    return unavailable(RETRY_SECONDS, options);
  }
  // pg has no codes for these two.
  const text = typeof message === 'string' ? message : '';
  if (/timeout exceeded when trying to connect/.test(text)) return unavailable(1, options);
  return /^Connection terminated|Client has encountered a connection error/.test(text)
    ? unavailable(RETRY_SECONDS, options)
    : undefined;
}

/** Errors of Nest have `getStatus`, those of Fastify `statusCode`. */
function libraryStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { statusCode, status } = error as { statusCode?: unknown; status?: unknown };
  const found = typeof statusCode === 'number' ? statusCode : status;
  return typeof found === 'number' && found >= 400 && found < 500 ? found : undefined;
}
