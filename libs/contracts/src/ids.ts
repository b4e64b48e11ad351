import { createHash } from 'node:crypto';

/** Versions 1–5, as every id in a body must be (conventions, section 10). */
export const UUID_PATTERN =
  '^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$';
/** Any version: user ids inside `metadata`, ids in query parameters. */
export const ANY_UUID_PATTERN =
  '^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}$';

const uuid = new RegExp(UUID_PATTERN);
const anyUuid = new RegExp(ANY_UUID_PATTERN);

export const isUuid = (text: string): boolean => uuid.test(text);
export const isAnyUuid = (text: string): boolean => anyUuid.test(text);

/** Its 16 bytes, as Postgres and UUID v5 want them. `id` must have the shape of a UUID. */
export function uuidBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

/** 16 bytes to the lower-case text with dashes. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * UUID version 5 (RFC 9562, section 5.5): the same namespace and name always give the same id, so redone work meets its
 * own rows.
 */
export function uuidV5(namespace: string, name: string): string {
  return uuidText(uuidV5Bytes(uuidBytes(namespace), name));
}

/** {@link uuidV5} on bytes, for batches. */
export function uuidV5Bytes(namespace: Uint8Array, name: string): Buffer {
  const id = createHash('sha1').update(namespace).update(name, 'utf8').digest().subarray(0, 16);
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x50;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  return id;
}
