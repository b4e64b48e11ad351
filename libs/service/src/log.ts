import type { LoggerService } from '@nestjs/common';
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** Structured log lines: an object of facts, then a sentence. Never bodies, tokens or record text. */
export type Log = Logger;

export interface LogOptions {
  readonly level?: string;
  /** Readable lines instead of JSON; by default when stderr is a terminal. */
  readonly readable?: boolean;
}

/** What must not reach a log even if somebody logs a whole request. */
const REDACTED = [
  'password',
  'token',
  '*.password',
  '*.token',
  'headers.cookie',
  'headers.authorization',
  'headers["x-okapi-token"]',
  'headers["x-internal-assertion"]',
];

/** The log of a process, on stderr. `child({ service })` makes that of one service. */
export function openLog(options: LogOptions = {}): Log {
  const { level = 'info', readable = process.stderr.isTTY } = options;
  return logTo(readable ? readableLines() : pino.destination({ dest: 2, sync: false }), level);
}

/** A log whose lines go wherever somebody reads them. */
export function logTo(lines: DestinationStream, level: string): Log {
  const timestamp = stdTimeFunctions.isoTime;
  return pino(
    { level, base: {}, timestamp, redact: REDACTED, serializers: { err: describeError } },
    lines,
  );
}

const CAUSES_MAX = 5;
/** Of those that one error stands for: enough to see what they have in common. */
const ERRORS_MAX = 10;

/**
 * Type, message, code and stack of an error, its causes and those that it stands for, and nothing else that hangs on it: the error of a failed
 * statement brings its parameters and the rows it met, which are titles, names and whole records.
 */
function describeError(error: unknown, depth = 0): object | undefined {
  if (error === undefined) return undefined;
  if (!(error instanceof Error)) return { message: `no error, but a value: ${typeof error}` };
  const { code } = error as { code?: unknown };
  return {
    type: error.constructor.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack,
    ...(depth < CAUSES_MAX && error.cause !== undefined
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
    ...(depth < CAUSES_MAX && error instanceof AggregateError
      ? { errors: error.errors.slice(0, ERRORS_MAX).map((one) => describeError(one, depth + 1)) }
      : {}),
  };
}

function readableLines(): DestinationStream {
  return pretty({ destination: 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
}

/** Nest's own messages, at lower levels: its start-up lines say nothing to an operator. */
export class NestLog implements LoggerService {
  constructor(private readonly out: Log) {}

  log(message: unknown, context?: unknown): void {
    this.out.debug({ context }, String(message));
  }

  error(message: unknown, stack?: unknown, context?: unknown): void {
    this.out.error({ context, stack }, String(message));
  }

  warn(message: unknown, context?: unknown): void {
    this.out.warn({ context }, String(message));
  }

  debug(message: unknown, context?: unknown): void {
    this.out.trace({ context }, String(message));
  }

  verbose(message: unknown, context?: unknown): void {
    this.out.trace({ context }, String(message));
  }
}
