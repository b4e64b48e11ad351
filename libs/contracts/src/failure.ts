/**
 * A no that the caller can act on. Its kind becomes an HTTP status in `service/failure.filter.ts` and a retry decision in
 * `messaging/retry.ts`, and nowhere else. The message is the exact body of the answer.
 */
export const FAILURE_KINDS = [
  'refused',
  'unauthorised',
  'forbidden',
  'not-found',
  'conflict',
  'gone',
  'too-large',
  'unsupported',
  'invalid',
  'too-many',
  'unavailable',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** One entry of a 422 body (conventions, 15.2). */
export interface Violation {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
}

export interface FailureDetails {
  /** Present: the answer is the JSON body of conventions 15.2; absent: text. */
  readonly errors?: readonly Violation[];
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    readonly code: string,
    message: string,
    readonly details: FailureDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Failure';
  }
}

export const refused = (text: string, code = 'refused'): Failure =>
  new Failure('refused', code, text);
export const unauthorised = (text: string): Failure =>
  new Failure('unauthorised', 'unauthorised', text);
export const forbidden = (text: string): Failure => new Failure('forbidden', 'forbidden', text);
export const notFound = (text: string): Failure => new Failure('not-found', 'not-found', text);
export const conflict = (text: string, code = 'conflict'): Failure =>
  new Failure('conflict', code, text);
export const gone = (text: string): Failure => new Failure('gone', 'gone', text);
export const tooLarge = (text: string): Failure => new Failure('too-large', 'too-large', text);
/** 422 with a text body: the few answers of data-export that FOLIO gives as text. */
export const invalidText = (text: string): Failure => new Failure('invalid', 'invalid', text);

export function tooMany(retryAfterSeconds: number): Failure {
  const text = `Too many requests, retry in ${retryAfterSeconds} s`;
  return new Failure('too-many', 'too-many', text, { retryAfterSeconds });
}

export function unavailable(retryAfterSeconds: number, options?: ErrorOptions): Failure {
  const text = `Service unavailable, retry in ${retryAfterSeconds} s`;
  return new Failure('unavailable', 'unavailable', text, { retryAfterSeconds }, options);
}

/** 422 with the JSON body of conventions 15.2. */
export function invalid(...errors: Violation[]): Failure {
  return new Failure('invalid', errors[0]?.code ?? '-1', errors[0]?.message ?? 'invalid', {
    errors,
  });
}

/** Longest value that a violation repeats; longer ones are cut (conventions, 15.2). */
const VALUE_CHARACTERS_MAX = 256;

/** A violation of a schema: always type `1` and code `-1`. */
export function violation(message: string, key: string, value: unknown): Violation {
  return { message, type: '1', code: '-1', parameters: [{ key, value: shown(value) }] };
}

/** A broken business rule: type `error` and a stable dotted code of its own. */
export function brokenRule(message: string, code: string, key: string, value: unknown): Violation {
  return { message, type: 'error', code, parameters: [{ key, value: shown(value) }] };
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}
