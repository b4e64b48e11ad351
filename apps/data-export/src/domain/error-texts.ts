/** English texts of the codes that lines can have (`data-export.md`, section 9); `%s` are the values in order. */
const TEXTS: Readonly<Record<string, string>> = {
  'error.invalidUuidFormat': 'Invalid UUID format: %s',
  'error.duplicatedIds': 'UUID %s repeated %s times.',
  'error.uuidsNotFound': 'UUIDs not found in SRS or inventory: %s',
  'error.messagePlaceholder': '%s',
  'error.duplicateSRS': '%s has following SRS records associated: %s',
  'error.mapping.fieldsMappingSrs':
    'An error occurred during fields mapping for srs record with id: %s, reason: %s, cause: %s',
  'error.setToDeletion': '%s',
  'error.onlyForSetToDeletion': '%s',
};

/** What a person reads of a code and its values. A code without a text of its own shows its values. */
export function textOf(code: string, values: readonly string[]): string {
  const text = TEXTS[code];
  if (text === undefined) return values.join(', ');
  let next = 0;
  return text.replaceAll('%s', () => values[next++] ?? '');
}
