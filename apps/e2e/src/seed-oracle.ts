import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv, { type ValidateFunction } from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { ADDED_STATUSES } from './added-statuses.js';

/**
 * The seeds print a JSON Schema for each body and declare a status for each case. They are the oracle of the stories: every
 * answer that a story gets from a call of a seed must be declared there and must satisfy its schema, and what we call a
 * violation must be one to them.
 */
interface SeedCall {
  readonly query?: Readonly<Record<string, SeedParameter>>;
  readonly request: object | null;
  /** A status without a body of JSON has no schema. */
  readonly responses: Readonly<Record<string, object | null>>;
}
/** As the seeds print it, with their `required` beside the rest. */
export interface SeedParameter {
  readonly type: string;
  readonly required?: boolean;
  readonly default?: string | number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly items?: { readonly type: string };
}
type Seed = Readonly<Record<string, SeedCall>>;

const seedOf = (name: string): Seed =>
  JSON.parse(
    readFileSync(
      fileURLToPath(new URL(`../../../libs/testing/src/seeds/${name}.json`, import.meta.url)),
      'utf8',
    ),
  ) as Seed;

const dataExport = seedOf('data-export');
const dataImport = seedOf('data-import');
const calls: Seed = {
  ...dataExport,
  ...dataImport,
  ...seedOf('source-storage'),
  ...seedOf('finance-storage'),
};

/** Ours beside a `{id}` of a seed. */
const OWN_PATHS: ReadonlySet<string> = new Set(['/finance-storage/group-fund-fiscal-years/matrix']);

const ajv = new Ajv.default({ strict: false, allErrors: true });
addFormats.default(ajv);

/**
 * The seeds repeat `$schema` and `id` inside; as identifiers they mean nothing and collide. Their `parameters` are called an
 * object with items, and are an array in their examples and in every client.
 */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(
    ([key, value]) => key !== '$schema' && !(key === 'id' && typeof value === 'string'),
  );
  const result = Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
  return result['type'] === 'object' && 'items' in result ? { ...result, type: 'array' } : result;
}

/** What the schemas of seed 001 refer to by file name; its own metadata and error schemas stand in full in seed 000. */
function definitionOf(path: readonly string[], from: unknown): object {
  const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], from);
  return plain(found) as object;
}

const exportRequest = dataExport['POST /data-export/export'];
const importCall = (call: string): object => plain(dataImport[call]?.request) as object;
const referred: Readonly<Record<string, object>> = {
  '../../raml-util/schemas/metadata.schema': definitionOf(
    ['properties', 'metadata'],
    exportRequest?.request,
  ),
  'error.schema': definitionOf(['properties', 'errors', 'items'], exportRequest?.responses['422']),
  'fileDefinition.json': importCall('POST /data-import/upload/definition/file'),
  'uploadDefinition.json': importCall('POST /data-import/upload/definition'),
};

/** Puts the schemas in place of the references. */
function whole(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(whole);
  if (typeof schema !== 'object' || schema === null) return schema;
  const reference = (schema as { $ref?: unknown }).$ref;
  if (typeof reference === 'string') return whole(referred[reference]);
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(value)]));
}

const compiled = new Map<object, ValidateFunction>();

function compile(schema: object): ValidateFunction {
  const known = compiled.get(schema) ?? ajv.compile(whole(plain(schema)) as object);
  compiled.set(schema, known);
  return known;
}

const shapes = Object.keys(calls).map((call) => {
  const [method = '', path = ''] = call.split(' ');
  // A literal segment wins over a parameter: `…/upload/definition/file` is no definition id.
  const parameters = path.split('{').length - 1;
  return {
    call,
    method,
    path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    parameters,
  };
});

/** The call of a seed that a request is, if it is one. */
export function seedCall(method: string, target: string): string | undefined {
  const path = target.replace(/^https?:\/\/[^/]+/, '').replace(/[?#].*$/, '');
  if (OWN_PATHS.has(path)) return undefined;
  return shapes
    .filter((shape) => shape.method === method && shape.path.test(path))
    .sort((a, b) => a.parameters - b.parameters)[0]?.call;
}

export const SEED_CALLS: readonly string[] = Object.keys(calls);

/** The query parameters of the seeds. */
export const SEED_PARAMETERS = Object.entries(calls).flatMap(([call, { query = {} }]) =>
  Object.entries(query).map(([name, parameter]) => ({ call, name, parameter })),
);

/** The statuses that the seed declares for a call. */
export function declared(call: string): readonly string[] {
  return Object.keys(calls[call]?.responses ?? {});
}

/** What is wrong with an answer in the eyes of its seed; undefined: nothing, or the call is of no seed. */
export function objection(
  request: { readonly method: string; readonly target: string },
  answer: { readonly status: number; readonly json: unknown; readonly headers: Headers },
): string | undefined {
  const call = seedCall(request.method, request.target);
  // Another dialect is another contract (data-export, 1.3).
  const dialect = answer.headers.get('x-quire-dialect') ?? 'default';
  if (call === undefined || dialect !== 'default') return undefined;
  const status = String(answer.status);
  if (!declared(call).includes(status)) {
    const added = ADDED_STATUSES.some(
      (one) => one.status === answer.status && (one.call === undefined || one.call === call),
    );
    return added ? undefined : `${call} answered ${status}, which its seed does not declare`;
  }
  const schema = calls[call]?.responses[status];
  if (!schema) return undefined;
  const validate = compile(schema);
  if (validate(answer.json) || askedFor(request.target, validate.errors)) return undefined;
  return `${call} ${status}: ${ajv.errorsText(validate.errors)}`;
}

/**
 * Every difference is what the request asked for: `totalRecords=none` leaves the count out, which seeds 002 and 003 call
 * required (source-record-storage, 1.1; finance-storage, 1.2), and `expand` adds `expanded` (finance-storage, 7).
 */
const askedFor = (target: string, errors: ValidateFunction['errors']): boolean =>
  (errors ?? []).every(({ keyword, params }) => {
    const { missingProperty, additionalProperty } = params as Record<string, unknown>;
    if (keyword === 'required' && missingProperty === 'totalRecords')
      return /[?&]totalRecords=none\b/.test(target);
    return (
      keyword === 'additionalProperties' &&
      additionalProperty === 'expanded' &&
      /[?&]expand=/.test(target)
    );
  });

/** What the stories read of a JSON Schema (draft 4, as far as the seeds use it). */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly readonly?: boolean;
}

/** The schema of a call's request body, with what it refers to in place. */
export function seedRequest(call: string): JsonSchema {
  const schema = calls[call]?.request;
  if (!schema) throw new Error(`The seed declares no request body for ${call}.`);
  return whole(plain(schema)) as JsonSchema;
}

/** Whether the seed's own schema takes a request body. */
export function seedTakes(call: string, body: unknown): boolean {
  return compile(calls[call]?.request ?? {})(body);
}
