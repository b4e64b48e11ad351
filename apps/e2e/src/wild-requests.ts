import {
  UNKNOWN_ID,
  type ApiParameter,
  type ApiSchema,
  type OpenApi,
  type Operation,
} from './openapi.js';

/*
 * Requests that nobody means well with, made of what the API says of itself: each parameter and each text of a body in turn
 * is something that no database, decoder or path likes.
 */
export interface WildRequest {
  readonly method: string;
  readonly target: string;
  readonly type?: string;
  readonly body?: string;
}

const NUL = '\0';
const LONE = '\ud800';
/** As they stand in a target. */
const WILD_PARAMETERS = [
  '%00',
  `${UNKNOWN_ID}%00`,
  '%ED%A0%80', // half of a character
  '%FF%FE',
  '',
  '-1',
  '99999999999999999999',
  '1e400',
  'NaN',
  '2026-99-99T99:99:99Z',
  '%27%3B%20--',
  '%7B%22a%22%3A%22%5Cu0000%22%7D',
  'x'.repeat(3000),
];
const WILD_QUERIES = [
  'cql.allRecords=1 and id="%00"',
  '(((((',
  'id=="\\',
  'a=1 sortby a/sort.%00',
  'name=="%ED%A0%80"',
];
const WILD_TEXTS = [NUL, LONE, '', 'x'.repeat(100_000), '\u{1F600}', "'; --"];
const WILD_BODIES = [
  '',
  'null',
  '[]',
  '{}',
  '"text"',
  '[null]',
  '{"a":',
  '{"__proto__":{"a":1}}',
  '[[[[[[{}]]]]]]',
];

/** Every call that a document describes, each of its inputs wild in turn. @param isWanted asked of each path */
export function* wildRequests(
  document: OpenApi,
  isWanted: (path: string) => boolean,
): Generator<WildRequest> {
  for (const [path, calls] of Object.entries(document.paths)) {
    if (!isWanted(path)) continue;
    for (const [name, operation] of Object.entries(calls)) {
      const method = name.toUpperCase();
      const sample = { method, ...sampleBody(document, operation) };
      for (const target of wildTargets(path, operation.parameters ?? []))
        yield { ...sample, target };
      const target = path.replaceAll(/\{[^}]*\}/g, UNKNOWN_ID);
      for (const body of wildBodies(document, operation)) yield { method, target, ...body };
    }
  }
}

function* wildTargets(path: string, parameters: readonly ApiParameter[]): Generator<string> {
  const plain = path.replaceAll(/\{[^}]*\}/g, UNKNOWN_ID);
  for (const { name, in: place } of parameters) {
    if (place === 'path')
      for (const wild of WILD_PARAMETERS)
        yield path.replace(`{${name}}`, wild).replaceAll(/\{[^}]*\}/g, UNKNOWN_ID);
    if (place !== 'query') continue;
    const wild = name === 'query' ? [...WILD_PARAMETERS, ...WILD_QUERIES] : WILD_PARAMETERS;
    for (const value of wild) yield `${plain}?${name}=${value}`;
    yield `${plain}?${name}=1&${name}=2`;
  }
}

function* wildBodies(
  document: OpenApi,
  { requestBody }: Operation,
): Generator<{ type: string; body: string }> {
  for (const [type, { schema }] of Object.entries(requestBody?.content ?? {})) {
    for (const body of WILD_BODIES) yield { type, body };
    if (!schema || !type.includes('json')) continue;
    for (const wild of WILD_TEXTS)
      yield { type, body: JSON.stringify(sampleOf(document, schema, () => wild)) };
    const names = [...textsOf(document, schema)];
    for (const name of names)
      for (const wild of [NUL, LONE])
        yield {
          type,
          body: JSON.stringify(
            sampleOf(document, schema, (of, kind) => (of === name ? wild : tame(kind))),
          ),
        };
  }
}

function sampleBody(
  document: OpenApi,
  { requestBody }: Operation,
): { type?: string; body?: string } {
  const [first] = Object.entries(requestBody?.content ?? {});
  if (!first) return {};
  const [type, { schema }] = first;
  if (!schema || !type.includes('json')) return { type, body: '' };
  return { type, body: JSON.stringify(sampleOf(document, schema, (_, kind) => tame(kind))) };
}

function tame({ format, enum: values }: ApiSchema): unknown {
  if (values) return values[0];
  if (format === 'uuid') return UNKNOWN_ID;
  if (format === 'date-time') return '2026-01-01T00:00:00.000Z';
  return 'text';
}

type TextOf = (name: string, schema: ApiSchema) => unknown;

const DEPTH_MAX = 6;

/** A value of the schema. */
function sampleOf(document: OpenApi, schema: ApiSchema, textOf: TextOf): unknown {
  const sample = (found: ApiSchema, name: string, depth: number): unknown => {
    const type = [found.type].flat().find((one) => one !== 'null');
    const inside = (one: ApiSchema, of: string): unknown =>
      sample(resolved(document, one), of, depth + 1);
    if (depth > DEPTH_MAX) return null;
    if (found.items) return [inside(found.items, name)];
    if (found.properties)
      return Object.fromEntries(
        Object.entries(found.properties).map(([key, one]) => [key, inside(one, key)]),
      );
    if (type === 'array') return [];
    if (type === 'integer' || type === 'number') return 1;
    if (type === 'boolean') return true;
    if (type === 'object') return {};
    return textOf(name, found);
  };
  return sample(resolved(document, schema), '', 0);
}

/** Names of the properties that are texts. */
function textsOf(document: OpenApi, schema: ApiSchema): Set<string> {
  const names = new Set<string>();
  sampleOf(document, schema, (name) => {
    names.add(name);
    return '';
  });
  return names;
}

function resolved(document: OpenApi, schema: ApiSchema): ApiSchema {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return resolved(document, document.components.schemas[name] ?? {});
  }
  const [first] = schema.allOf ?? [];
  return first ? { ...resolved(document, first), ...schema } : schema;
}
