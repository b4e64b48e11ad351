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
  const settings = { level, base: {}, timestamp: stdTimeFunctions.isoTime, redact: REDACTED };
  return pino(settings, readable ? readableLines() : pino.destination({ dest: 2, sync: false }));
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
