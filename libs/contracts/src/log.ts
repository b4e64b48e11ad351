/** Structured log lines: what pino's logger has, so that libraries need no logger of their own. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
