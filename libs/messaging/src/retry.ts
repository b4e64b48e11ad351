import { Failure, type FailureKind } from '@quire/contracts/failure';
import { UnreadableEvent } from './event-bus.js';

/**
 * What becomes of an event whose handler threw (reliability, section 8). Transient: a dependency is away, the same event is
 * tried again for as long as it takes. Permanent: no retry can help. Unknown: tried a few times.
 */
export type ErrorClass = 'transient' | 'permanent' | 'unknown';

/** Tries of an event whose handler fails for an unknown reason. */
export const UNKNOWN_ATTEMPTS_MAX = 5;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MAX_MS = 30_000;

const TRANSIENT_KINDS: ReadonlySet<FailureKind> = new Set(['unavailable', 'too-many']);
/** Postgres: connection, rollback, resources, operator intervention, and a lock that was not had in time. */
const TRANSIENT_STATES = /^(08|40|53|57P|55P03|57014)/;
const TRANSIENT_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
]);
/** Texts of node-postgres for connections that broke; they come without a code. */
const TRANSIENT_TEXTS =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

export function classify(error: unknown): ErrorClass {
  if (error instanceof UnreadableEvent) return 'permanent';
  if (error instanceof Failure) return TRANSIENT_KINDS.has(error.kind) ? 'transient' : 'permanent';
  const { code, message, transient } = (error ?? {}) as Record<string, unknown>;
  if (transient === true) return 'transient';
  if (typeof code === 'string' && (TRANSIENT_STATES.test(code) || TRANSIENT_CODES.has(code)))
    return 'transient';
  return typeof message === 'string' && TRANSIENT_TEXTS.test(message) ? 'transient' : 'unknown';
}

/** Full jitter over 0.2 s × 2ⁿ, at most 30 s. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 20));
}
