import 'reflect-metadata';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { ANY_UUID_PATTERN, UUID_PATTERN } from './ids.js';

/**
 * A field of a body or payload is declared once, by one decorator: its rule, its conversion and its schema. From the
 * declaration follow the check of requests and events (`check-contract.ts`), the JSON Schema of events (`schemaOf`) and
 * OpenAPI (`ApiProperty`).
 *
 * Why no class-validator: the 422 bodies of conventions 15.2 want every violation with its exact path and value, own keys
 * only, and conversion of strings for numbers in one place. With it that took a custom rule for each field, a second walk
 * for unknown keys and a third for conversion; one walk over this table does all three.
 */
export type FieldType =
  | {
      readonly kind: 'text';
      readonly pattern?: string;
      readonly min?: number;
      readonly max?: number;
      readonly lower?: boolean;
    }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'decimal'; readonly min?: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'date' }
  | { readonly kind: 'day' }
  | { readonly kind: 'nested'; readonly type: () => ContractClass }
  | { readonly kind: 'list'; readonly of: FieldType; readonly min: number; readonly max: number }
  | { readonly kind: 'map'; readonly of?: FieldType }
  | { readonly kind: 'document' }
  | { readonly kind: 'anything' };

export interface FieldOptions {
  readonly optional?: boolean;
  /** The server's own: taken from requests without error, checked for shape, dropped. */
  readonly readOnly?: boolean;
  readonly description?: string;
}

export interface Field extends FieldOptions {
  readonly name: string;
  readonly type: FieldType;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a class of any constructor
export type ContractClass<T extends object = object> = Function & { readonly prototype: T };

const declared = new WeakMap<object, Map<string, Field>>();
const open = new WeakSet<object>();
const keeping = new WeakSet<object>();

/** Unknown properties of this object are ignored instead of refused, or kept as they are. */
export function Open({ keep = false }: { readonly keep?: boolean } = {}): ClassDecorator {
  return (target) => {
    open.add(target);
    if (keep) keeping.add(target);
  };
}

export const isOpen = (contract: ContractClass): boolean => open.has(contract);
export const keepsUnknown = (contract: ContractClass): boolean => keeping.has(contract);

/** Fields in the order of declaration, those of the base class first. */
export function fieldsOf(contract: ContractClass): readonly Field[] {
  const known = collected.get(contract);
  if (known) return known;
  const chain: Field[][] = [];
  for (
    let at: object | null = contract.prototype as object;
    at;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const own = declared.get(at);
    if (own) chain.unshift([...own.values()]);
  }
  const fields = chain.flat();
  collected.set(contract, fields);
  return fields;
}

/** What {@link fieldsOf} found, for it is asked for every body and every row. Forgotten when a field is declared. */
let collected = new WeakMap<ContractClass, readonly Field[]>();

function field(type: FieldType, options: FieldOptions): PropertyDecorator {
  return (target, key) => {
    const name = String(key);
    const own = declared.get(target) ?? new Map<string, Field>();
    declared.set(target, own.set(name, { name, type, ...options }));
    collected = new WeakMap();
    ApiProperty(apiOptions(type, options))(target, key);
  };
}

/** @param options.pattern as the seed of the service prints it, where that differs in letters */
export const Uuid = ({
  pattern = UUID_PATTERN,
  ...options
}: FieldOptions & { readonly pattern?: string } = {}): PropertyDecorator =>
  field({ kind: 'text', pattern, lower: true }, options);

/** A UUID of any version: ids of users. */
export const AnyUuid = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'text', pattern: ANY_UUID_PATTERN, lower: true }, options);

/** Text of `min` to `max` characters (UTF-16 units). */
export const Text = (
  options: FieldOptions & {
    readonly min?: number;
    readonly max?: number;
    readonly pattern?: string;
  } = {},
): PropertyDecorator => {
  const { min, max, pattern, ...rest } = options;
  return field(
    {
      kind: 'text',
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      ...(pattern === undefined ? {} : { pattern }),
    },
    rest,
  );
};

/** An integer from 0 (or `min`) to 2^53-1 (or `max`). */
export const Int = (
  options: FieldOptions & { readonly min?: number; readonly max?: number } = {},
): PropertyDecorator => {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, ...rest } = options;
  return field({ kind: 'integer', min, max }, rest);
};

/**
 * An exact decimal of at most 15 digits, 4 of them behind the point (conventions, section 9); the value becomes its plain
 * text: no exponent, no trailing zeros.
 */
export const Decimal = (
  options: FieldOptions & { readonly min?: number } = {},
): PropertyDecorator => {
  const { min, ...rest } = options;
  return field({ kind: 'decimal', ...(min === undefined ? {} : { min }) }, rest);
};

export const Flag = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'boolean' }, options);

export const OneOf = (values: readonly string[], options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'enum', values }, options);

/** A date in any form of conventions, section 11; the value becomes its outgoing form. */
export const DateTime = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'date' }, options);

/** A day of the calendar, `yyyy-MM-dd`, kept as it is. */
export const Day = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'day' }, options);

export const Nested = (type: () => ContractClass, options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'nested', type }, options);

type ListOptions = FieldOptions & { readonly min?: number; readonly max?: number };

function listOf(
  of: FieldType,
  { min = 0, max = INTEGER_MAX, ...rest }: ListOptions,
): PropertyDecorator {
  return field({ kind: 'list', of, min, max }, rest);
}

const INTEGER_MAX = 2_147_483_647;

export const ListOf = (type: () => ContractClass, options: ListOptions = {}): PropertyDecorator =>
  listOf({ kind: 'nested', type }, options);
export const ListOfText = (options: ListOptions = {}): PropertyDecorator =>
  listOf({ kind: 'text' }, options);
export const ListOfUuid = ({
  pattern = UUID_PATTERN,
  ...options
}: ListOptions & { readonly pattern?: string } = {}): PropertyDecorator =>
  listOf({ kind: 'text', pattern, lower: true }, options);
export const ListOfInt = (options: ListOptions = {}): PropertyDecorator =>
  listOf({ kind: 'integer', min: 0, max: Number.MAX_SAFE_INTEGER }, options);
export const ListOfEnum = (
  values: readonly string[],
  options: ListOptions = {},
): PropertyDecorator => listOf({ kind: 'enum', values }, options);

/** An object of text keys and values of any kind, taken as it is. */
export const Mapping = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'map' }, options);
/** An object whose values are texts. */
export const MappingOfText = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'map', of: { kind: 'text' } }, options);
/** An object as it is, or its JSON as a text; without U+0000 and lone surrogates, in keys too. */
export const JsonDocument = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'document' }, options);
export const Anything = (options: FieldOptions = {}): PropertyDecorator =>
  field({ kind: 'anything' }, options);

function apiOptions(type: FieldType, options: FieldOptions): ApiPropertyOptions {
  const common = {
    required: options.optional !== true && options.readOnly !== true,
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.readOnly ? { readOnly: true } : {}),
  };
  if (type.kind === 'nested') return { ...common, type: () => type.type() };
  if (type.kind === 'list' && type.of.kind === 'nested') {
    const of = type.of.type;
    return { ...common, type: () => [of()] };
  }
  return { ...common, ...jsonSchema(type) };
}

/** JSON Schema of a class, for event documentation and tests; nested classes are inlined. */
export function schemaOf(contract: ContractClass): Record<string, unknown> {
  const fields = fieldsOf(contract);
  const required = fields.filter((one) => !one.optional && !one.readOnly).map((one) => one.name);
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((one) => [one.name, jsonSchema(one.type)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: isOpen(contract),
  };
}

function jsonSchema(type: FieldType): Record<string, unknown> {
  switch (type.kind) {
    case 'text':
      return {
        type: 'string',
        ...(type.pattern === undefined ? {} : { pattern: type.pattern }),
        ...(type.min === undefined ? {} : { minLength: type.min }),
        ...(type.max === undefined ? {} : { maxLength: type.max }),
      };
    case 'integer':
      return {
        type: 'integer',
        minimum: type.min,
        ...(type.max < Number.MAX_SAFE_INTEGER ? { maximum: type.max } : {}),
      };
    case 'decimal':
      return { type: 'number', ...(type.min === undefined ? {} : { minimum: type.min }) };
    case 'boolean':
      return { type: 'boolean' };
    case 'enum':
      return { type: 'string', enum: [...type.values] };
    case 'date':
      return { type: 'string', format: 'date-time' };
    case 'day':
      return { type: 'string', format: 'date' };
    case 'nested':
      return schemaOf(type.type());
    case 'list':
      return {
        type: 'array',
        items: jsonSchema(type.of),
        ...(type.min > 0 ? { minItems: type.min } : {}),
        ...(type.max < INTEGER_MAX ? { maxItems: type.max } : {}),
      };
    case 'map':
      return { type: 'object', additionalProperties: type.of ? jsonSchema(type.of) : true };
    case 'document':
      return { oneOf: [{ type: 'object' }, { type: 'string' }] };
    case 'anything':
      return {};
  }
}
