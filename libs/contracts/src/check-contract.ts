import { formatDate, parseDate } from './dates.js';
import { readDecimal } from './decimals.js';
import { violation, type Violation } from './failure.js';
import {
  fieldsOf,
  isOpen,
  keepsUnknown,
  type ContractClass,
  type Field,
  type FieldType,
} from './fields.js';

/**
 * Checks and converts one JSON value by its contract class (conventions, sections 8, 10, 11 and 15.2): strings that hold
 * exactly a number or boolean become one, UUIDs become lower case, dates get their outgoing form, `null` is absent,
 * read-only properties are checked for shape and dropped. Every violation of the value is reported, in the order of the
 * declaration, unknown properties last.
 */
export function checkContract<T extends object>(
  contract: ContractClass<T>,
  value: unknown,
  { ignoreUnknown = false }: { readonly ignoreUnknown?: boolean } = {},
): { readonly value: T } | { readonly violations: readonly Violation[] } {
  const findings = new Findings(ignoreUnknown);
  const checked = checkObject(contract, value, '', findings);
  const { violations } = findings;
  return violations.length > 0 ? { violations } : { value: checked as T };
}

/** Checks and converts one value that is not null, for which there is no class. @param path key of its violations */
export function checkField(
  type: FieldType,
  value: unknown,
  path: string,
): { readonly value: unknown } | { readonly violations: readonly Violation[] } {
  const findings = new Findings(false);
  const checked = checkValue(type, value, path, findings);
  const { violations } = findings;
  return violations.length > 0 ? { violations } : { value: checked };
}

class Findings {
  readonly violations: Violation[] = [];

  /** @param ignoreUnknown of received events: a newer sender may say more (reliability, section 7) */
  constructor(readonly ignoreUnknown: boolean) {}

  push(violation: Violation): void {
    this.violations.push(violation);
  }
}

/** Absent, in the result of a check: nothing was sent, or what was sent is dropped. */
const ABSENT = undefined;

function checkObject(
  contract: ContractClass,
  value: unknown,
  path: string,
  out: Findings,
): object | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    out.push(violation('must be an object', path, value));
    return ABSENT;
  }
  const sent = value as Record<string, unknown>;
  const fields = fieldsOf(contract);
  const result = Object.create(contract.prototype as object) as Record<string, unknown>;
  for (const field of fields) {
    const checked = checkProperty(field, sent, path, out);
    if (checked !== ABSENT && !field.readOnly) result[field.name] = checked;
  }
  if (keepsUnknown(contract)) keepUnknown(result, sent, path, out);
  else if (!isOpen(contract) && !out.ignoreUnknown) reportUnknown(fields, sent, path, out);
  return result;
}

function checkProperty(
  field: Field,
  sent: Record<string, unknown>,
  path: string,
  out: Findings,
): unknown {
  const at = path === '' ? field.name : `${path}.${field.name}`;
  const value = Object.hasOwn(sent, field.name) ? sent[field.name] : undefined;
  if (value === undefined || value === null) {
    if (!field.optional && !field.readOnly) out.push(violation('may not be null', at, null));
    return ABSENT;
  }
  // Read-only scalars are dropped unseen; of objects (`metadata`) the shape counts.
  if (field.readOnly && field.type.kind !== 'nested') return ABSENT;
  return checkValue(field.type, value, at, out);
}

/** Defined, not assigned: `__proto__` is a name like any other. */
function keepUnknown(result: object, sent: object, path: string, out: Findings): void {
  for (const [key, value] of Object.entries(sent)) {
    if (Object.hasOwn(result, key) || value === null) continue;
    const fault = textFault([key, value]);
    if (fault !== undefined)
      out.push(violation(fault, path === '' ? key : `${path}.${key}`, value));
    else Object.defineProperty(result, key, { value, enumerable: true, configurable: true });
  }
}

/** Own keys only: `toString` or `__proto__` of the prototype must not pass for a declared property. */
function reportUnknown(fields: readonly Field[], sent: object, path: string, out: Findings): void {
  const known = new Set(fields.map((field) => field.name));
  for (const [key, value] of Object.entries(sent)) {
    if (known.has(key)) continue;
    const names = [...known].map((name) => `"${name}"`).join(', ');
    const text = `Unrecognized field "${key}", not marked as ignorable (${known.size} known properties: ${names})`;
    out.push(violation(text, path === '' ? key : `${path}.${key}`, value));
  }
}

function checkValue(type: FieldType, value: unknown, path: string, out: Findings): unknown {
  const no = (message: string): undefined => {
    out.push(violation(message, path, value));
    return ABSENT;
  };
  switch (type.kind) {
    case 'text':
      return checkText(type, value, no);
    case 'integer':
      return checkInteger(type, value, no);
    case 'decimal':
      return checkDecimal(type, value, no);
    case 'boolean':
      if (typeof value === 'boolean') return value;
      return value === 'true' ? true : value === 'false' ? false : no('must be a boolean');
    case 'enum':
      if (typeof value === 'string' && type.values.includes(value)) return value;
      return no(`must be one of [${type.values.join(', ')}]`);
    case 'date': {
      const date =
        typeof value === 'string' || typeof value === 'number' ? parseDate(value) : undefined;
      return date ? formatDate(date) : no('must be a date');
    }
    case 'day':
      return isDay(value) ? value : no('must be a date');
    case 'nested':
      return checkObject(type.type(), value, path, out);
    case 'list':
      return checkList(type, value, path, out);
    case 'map':
      return checkMap(type, value, path, out);
    case 'document':
      return checkDocument(value, no);
    case 'anything':
      return value;
  }
}

function checkDocument(value: unknown, no: No): unknown {
  const isText = typeof value === 'string';
  if (!isText && (typeof value !== 'object' || Array.isArray(value)))
    return no('must be an object');
  const fault = textFault(value);
  return fault === undefined ? value : no(fault);
}

/** Keys may be anything, `__proto__` too. */
function checkMap(
  { of }: FieldType & { kind: 'map' },
  value: unknown,
  path: string,
  out: Findings,
): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    out.push(violation('must be an object', path, value));
    return ABSENT;
  }
  if (!of) return value;
  const checked = Object.entries(value).map(([key, one]: [string, unknown]) => [
    key,
    checkValue(of, one, `${path}.${key}`, out),
  ]);
  return Object.fromEntries(checked) as unknown;
}

const isDay = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && parseDate(value) !== undefined;

type No = (message: string) => undefined;

function checkText(type: FieldType & { kind: 'text' }, value: unknown, no: No): unknown {
  if (typeof value !== 'string') return no('must be a string');
  const fault = textFault(value);
  if (fault !== undefined) return no(fault);
  if (type.pattern !== undefined && !new RegExp(type.pattern).test(value)) {
    return no(`must match "${type.pattern}"`);
  }
  const { min = 0, max } = type;
  if (value.length < min || (max !== undefined && value.length > max)) {
    return no(`size must be between ${min} and ${max ?? 2_147_483_647}`);
  }
  return type.lower ? value.toLowerCase() : value;
}

/** Postgres can hold neither, in text and in JSON. Looks into keys and values; bodies are at most 64 deep. */
function textFault(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\u0000')) return 'must not contain U+0000';
    return value.isWellFormed() ? undefined : 'must be well-formed Unicode';
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, one] of Object.entries(value)) {
    const fault = textFault(key) ?? textFault(one);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function checkInteger(type: FieldType & { kind: 'integer' }, value: unknown, no: No): unknown {
  const number = typeof value === 'string' && /^-?\d+(\.0+)?$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return no('must be an integer');
  if (number < type.min) return no(`must be greater than or equal to ${type.min}`);
  if (number > type.max) return no(`must be less than or equal to ${type.max}`);
  return number === 0 ? 0 : number;
}

function checkDecimal(type: FieldType & { kind: 'decimal' }, value: unknown, no: No): unknown {
  const decimal = readDecimal(value);
  if (decimal === 'no number') return no('must be a number');
  if (decimal === 'too long') return no('must have at most 15 digits, 4 of them decimals');
  if (type.min !== undefined && Number(decimal.text) < type.min)
    return no(`must be greater than or equal to ${type.min}`);
  return decimal.text;
}

function checkList(
  type: FieldType & { kind: 'list' },
  value: unknown,
  path: string,
  out: Findings,
): unknown {
  if (!Array.isArray(value)) {
    out.push(violation('must be an array', path, value));
    return ABSENT;
  }
  if (value.length < type.min || value.length > type.max) {
    out.push(
      violation(
        `size must be between ${type.min} and ${type.max}`,
        path,
        `${value.length} elements`,
      ),
    );
    return ABSENT;
  }
  return value.map((item, index) => checkElement(type.of, item, `${path}[${index}]`, out));
}

function checkElement(type: FieldType, item: unknown, path: string, out: Findings): unknown {
  if (item === null) {
    out.push(violation('may not be null', path, null));
    return ABSENT;
  }
  return checkValue(type, item, path, out);
}
