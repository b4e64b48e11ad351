import type { StatusMark } from './iso2709/status.js';

/**
 * Changes of MARC-in-JSON that leave everything else as it was sent: for records that ISO 2709 cannot carry, and before they
 * are written. The JSON is one that `readMarcJson` takes, its leader apart; it is copied, never changed.
 */
export interface MarcJsonSent {
  readonly leader?: string;
  readonly fields: readonly Readonly<Record<string, unknown>>[];
}

type Field = MarcJsonSent['fields'][number];
type Subfield = Readonly<Record<string, unknown>>;

/**
 * Puts ids into field 999 ff: into the first there is, where it stands, beside its other subfields; else into a new last
 * field. There is one such field afterwards.
 */
export function withJson999ff(
  json: MarcJsonSent,
  ids: { s: string; i?: string | undefined },
): MarcJsonSent {
  const fields: Field[] = [];
  let found = false;
  for (const field of json.fields) {
    const subfields = subfieldsOf999ff(field);
    if (!subfields) fields.push(field);
    else if (!found) fields.push(field999ff(withIds(subfields, ids)));
    found ||= subfields !== undefined;
  }
  if (!found) fields.push(field999ff(withIds([], ids)));
  return { ...json, fields };
}

const field999ff = (subfields: readonly Subfield[]): Field => ({
  999: { ind1: 'f', ind2: 'f', subfields },
});

function subfieldsOf999ff(field: Field): readonly Subfield[] | undefined {
  const content = field['999'] as
    { ind1?: unknown; ind2?: unknown; subfields: readonly Subfield[] } | undefined;
  return content?.ind1 === 'f' && content.ind2 === 'f' ? content.subfields : undefined;
}

export const is999ffJson = (field: Field): boolean => subfieldsOf999ff(field) !== undefined;

function withIds(
  subfields: readonly Subfield[],
  { s, i }: { s: string; i?: string | undefined },
): readonly Subfield[] {
  const withS = withSubfield(subfields, 's', s);
  return i === undefined ? withS : withSubfield(withS, 'i', i);
}

/** The first with this code gets the text, further ones go. */
function withSubfield(
  subfields: readonly Subfield[],
  code: string,
  text: string,
): readonly Subfield[] {
  const at = subfields.findIndex((one) => Object.hasOwn(one, code));
  if (at < 0) return [...subfields, { [code]: text }];
  return subfields.flatMap((one, index) => {
    if (index === at) return [{ [code]: text }];
    return Object.hasOwn(one, code) ? [] : [one];
  });
}

/** The same as `withStatus` of a record in stored form. JSON without leader gets its 005 only. */
export function withJsonStatus(json: MarcJsonSent, { status, changed }: StatusMark): MarcJsonSent {
  const { leader, fields } = json;
  const number = fields.findIndex((field) => Object.hasOwn(field, '001'));
  const others = fields.filter((field, index) => index !== number && !Object.hasOwn(field, '005'));
  const first = fields[number];
  return {
    ...json,
    ...(leader === undefined ? {} : { leader: leader.slice(0, 5) + status + leader.slice(6) }),
    fields: [...(first ? [first] : []), { '005': changed }, ...others],
  };
}
