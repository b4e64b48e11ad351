import { Failure, type FailureKind } from '@quire/contracts/failure';
import { UnknownTenant, UnreadableEvent } from './event-bus.js';

/**
 * What becomes of an event whose handler threw (reliability, section 8). Transient: a dependency is away, the same event is
 * tried again for as long as it takes. Permanent: no retry can help. Unknown: tried a few times.
 */
export type ErrorClass = 'transient' | 'permanent' | 'unknown';

/** Tries of an event whose handler fails for an unknown reason. */
export const UNKNOWN_ATTEMPTS_MAX = 5;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MAX_MS = 30_000;
/** A tenant may be told to this service a little later than its first event arrives; after this long it is not coming. */
const UNKNOWN_TENANT_MS = 60_000;
/** Errors that wrap errors are looked through to this depth. */
const CAUSES_MAX = 5;

const TRANSIENT_KINDS: ReadonlySet<FailureKind> = new Set(['unavailable', 'too-many']);
/**
 * Postgres: connection, rollback, resources, operator intervention, and a lock that was not had in time. Not 57014: a
 * statement that ran out of time may do so for ever, and its job would never end.
 */
const TRANSIENT_STATES = /^(08|40|53|57P|55P03)/;
const TRANSIENT_CODES = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  // The disk below the store or the limits of the machine: they pass, and nothing is wrong with the event.
  'ENOSPC',
  'EMFILE',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
/** Texts of node-postgres for connections that broke; they come without a code. */
const TRANSIENT_TEXTS =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

export function classify(error: unknown): ErrorClass {
  if (error instanceof UnreadableEvent) return 'permanent';
  if (error instanceof Failure) return TRANSIENT_KINDS.has(error.kind) ? 'transient' : 'permanent';
  return isTransient(error, CAUSES_MAX) ? 'transient' : 'unknown';
}

/** Is this the last try of an event? @param triedMs since the first */
export function givesUp(error: unknown, attempt: number, triedMs: number): boolean {
  if (error instanceof UnknownTenant) return triedMs >= UNKNOWN_TENANT_MS;
  const kind = classify(error);
  return kind === 'permanent' || (kind === 'unknown' && attempt >= UNKNOWN_ATTEMPTS_MAX);
}

/** What broke is often wrapped: a failed fetch says only in its cause that nobody answered. */
function isTransient(error: unknown, depth: number): boolean {
  const { code, message, name, transient, cause } = (error ?? {}) as Record<string, unknown>;
  if (transient === true || name === 'TimeoutError') return true;
  if (typeof code === 'string' && (TRANSIENT_STATES.test(code) || TRANSIENT_CODES.has(code)))
    return true;
  if (typeof message === 'string' && TRANSIENT_TEXTS.test(message)) return true;
  return depth > 0 && cause !== undefined && isTransient(cause, depth - 1);
}

/** Full jitter over 0.2 s × 2ⁿ, at most 30 s. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 20));
}
