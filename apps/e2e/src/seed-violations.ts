import { seedRequest, type JsonSchema } from './seed-oracle.js';

/** A body that breaks its seed's schema in one place, and the answer that conventions 15.2 gives for it. */
export interface SeedViolation {
  readonly what: string;
  readonly body: unknown;
  readonly key: string;
  readonly value: string;
  readonly message: string | RegExp;
}

/**
 * Every way to break the schema of a seed's request body in one place: each property missing, `null`, of another type, out
 * of its enum or pattern, and one that the schema does not know, at every depth.
 *
 * Left alone: read-only texts, which are dropped unseen (data-import, 2.1).
 *
 * @param valid a body that the schema takes, with every property in it
 */
export function* violationsOf(call: string, valid: object): Generator<SeedViolation> {
  const schema = seedRequest(call);
  for (const other of [[], 'x', 17]) {
    yield {
      ...found('', other, 'must be an object'),
      what: `the whole body is ${JSON.stringify(other)}`,
    };
  }
  yield* inObject(schema, valid, '');
}

function* inObject(schema: JsonSchema, valid: object, path: string): Generator<SeedViolation> {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  for (const name of schema.required ?? []) {
    const rest = Object.fromEntries(Object.entries(valid).filter(([key]) => key !== name));
    const absent = found(at(name), null, 'may not be null');
    yield { ...absent, what: `${at(name)} missing`, body: rest };
    yield { ...absent, body: { ...valid, [name]: null } };
  }
  if (schema.additionalProperties === false) {
    const unknown = found(at('shelf'), 'A 1', /^Unrecognized field "shelf"/);
    yield { ...unknown, body: { ...valid, shelf: 'A 1' } };
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.readonly === true && property.type === 'string') continue;
    const inside = inProperty(property, (valid as Record<string, unknown>)[name], at(name));
    for (const one of inside) yield { ...one, body: { ...valid, [name]: one.body } };
  }
}

function* inProperty(schema: JsonSchema, valid: unknown, path: string): Generator<SeedViolation> {
  const no = (value: unknown, message: string | RegExp): SeedViolation =>
    found(path, value, message);
  switch (schema.type) {
    case 'object':
      yield no('x', 'must be an object');
      yield* inObject(schema, valid as object, path);
      return;
    case 'array': {
      yield no('x', 'must be an array');
      const [element] = valid as unknown[];
      for (const one of inProperty(schema.items ?? {}, element, `${path}[0]`))
        yield { ...one, body: [one.body] };
      return;
    }
    case 'integer':
      yield no('x', 'must be an integer');
      return;
    case 'boolean':
      yield no('x', 'must be a boolean');
      return;
    case undefined:
    default:
      yield* inText(schema, no);
  }
}

function* inText(
  schema: JsonSchema,
  no: (value: unknown, message: string | RegExp) => SeedViolation,
): Generator<SeedViolation> {
  // Of an enum we may know more values than the seed: those of later FOLIO releases.
  if (schema.enum) {
    const known = schema.enum.join(', ');
    yield no('SHELF', new RegExp(`^must be one of \\[${known}(, [A-Z]+)*\\]$`));
  } else if (schema.format === 'date-time') {
    yield no('yesterday', 'must be a date');
    yield no(true, 'must be a date');
  } else {
    yield no(17, 'must be a string');
    yield no(['x'], 'must be a string');
    if (schema.pattern !== undefined) yield no('x', `must match "${schema.pattern}"`);
  }
}

/** A violation by a value at its place. */
const found = (key: string, value: unknown, message: string | RegExp): SeedViolation => ({
  what: `${key} = ${JSON.stringify(value)}`,
  body: value,
  key,
  message,
  value: typeof value === 'string' ? value : JSON.stringify(value),
});
