/** Relation modifiers: which of them an index takes, and what they say. */
import type { CqlModifier } from '@quire/cql/ast';
import { isOrderRelation } from './cql-scope.js';
import type { Comparison } from './cql-scope.js';
import type { CqlField } from './cql-entity.js';

export interface Modifiers {
  readonly foldCase: boolean;
  readonly foldAccents: boolean;
  readonly number: boolean;
  /** `/@name`: search these instead of the default subfields. */
  readonly subfields: readonly string[];
  /** `/@name=value`: the same element has these words there. */
  readonly conditions: readonly { readonly subfield: string; readonly modifier: CqlModifier }[];
}

/** Default behaviour, said aloud. */
const WITHOUT_EFFECT = new Set(['ignorecase', 'ignoreaccents', 'string', 'masked']);

/** @throws CqlError at the first modifier that the field does not know */
export function readModifiers(comparison: Comparison, field: CqlField): Modifiers {
  let [foldCase, foldAccents, number] = [true, true, false];
  const subfields: string[] = [];
  const conditions: Modifiers['conditions'][number][] = [];
  for (const modifier of comparison.modifiers) {
    if (modifier.name.startsWith('@')) {
      const subfield = subfieldOf(comparison, field, modifier);
      if (modifier.comparison) conditions.push({ subfield, modifier });
      else subfields.push(subfield);
      continue;
    }
    const name = modifier.name.toLowerCase();
    if (!isKnown(comparison, field, name) || modifier.comparison) {
      throw unsupported(comparison, modifier, `Unsupported modifier ${modifier.name}`);
    }
    if (name === 'respectcase') foldCase = false;
    if (name === 'respectaccents') foldAccents = false;
    if (name === 'number') number = true;
  }
  return { foldCase, foldAccents, number, subfields, conditions };
}

function isKnown(comparison: Comparison, field: CqlField, name: string): boolean {
  if (field.type === 'uuid') return false;
  if (WITHOUT_EFFECT.has(name)) return true;
  if (name === 'number') return field.type === 'text' || field.type === 'number';
  const respects = name === 'respectcase' || name === 'respectaccents';
  return respects && !isOrderRelation(comparison.relation);
}

function subfieldOf(comparison: Comparison, field: CqlField, modifier: CqlModifier): string {
  const name = modifier.name.slice(1).toLowerCase();
  const known = field.type === 'objects' ? field.subfields : [];
  const subfield = known.find((candidate) => candidate.toLowerCase() === name);
  if (subfield === undefined) {
    throw unsupported(comparison, modifier, `Unsupported relation modifier ${modifier.name}`);
  }
  if (modifier.comparison && modifier.comparison.symbol !== '=') {
    const reason = `Unsupported comparison for relation modifier ${modifier.name}`;
    throw unsupported(comparison, modifier, reason);
  }
  return subfield;
}

function unsupported(comparison: Comparison, modifier: CqlModifier, reason: string): Error {
  return comparison.scope.fail('unsupported', modifier.column, reason);
}
