import { openStored, sameContent } from '@quire/marc/iso2709/stored';
import { is999ffJson, type MarcJsonSent } from '@quire/marc/marc-json-edit';
import type { StoredContent } from './stored-content.js';

/**
 * Do two contents say the same, apart from 005 and 999 ff (source-record-storage, 14)? The order of fields counts. Content
 * that is no MARC is compared as it is.
 */
export function isSameContent(one: StoredContent, other: StoredContent): boolean {
  if (one.form !== other.form) return false;
  if (one.form === 'ISO2709') return sameContent(openStored(one.bytes), openStored(other.bytes));
  if (one.form === 'TEXT') return one.bytes.equals(other.bytes);
  return essence(one.bytes) === essence(other.bytes);
}

function essence(bytes: Buffer): string {
  const json = JSON.parse(bytes.toString()) as Partial<MarcJsonSent>;
  if (!Array.isArray(json.fields)) return JSON.stringify(json);
  const fields = (json.fields as MarcJsonSent['fields']).filter(
    (field) => !Object.hasOwn(field, '005') && !is999ffJson(field),
  );
  return JSON.stringify({ ...json, fields });
}
