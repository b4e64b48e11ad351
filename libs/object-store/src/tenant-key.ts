/**
 * The only way to name an object: `<prefix>/<tenant>/<uuid>`.
 *
 * Keys are made by us from parts that are checked here, never from a name a user gave, and the store takes nothing
 * else. So a key cannot leave the store's root, reach another tenant by a trick of spelling, or differ only by case
 * on a file system that ignores it.
 */

/** Who owns what lies below: data-export, data-import, source-record-storage. */
export const OBJECT_PREFIXES = ['export', 'import', 'records'] as const;
export type ObjectPrefix = (typeof OBJECT_PREFIXES)[number];

const TENANT = /^[a-z][a-z0-9]{0,30}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class TenantKey {
  // Private, so that no object literal and no other class passes for a key.
  readonly #text: string;

  private constructor(
    readonly prefix: ObjectPrefix,
    readonly tenantId: string,
    readonly uuid: string,
  ) {
    this.#text = `${prefix}/${tenantId}/${uuid}`;
  }

  /** @throws InvalidTenantKey for a prefix, tenant or uuid (lower case only) that is not one */
  static of(prefix: ObjectPrefix, tenantId: string, uuid: string): TenantKey {
    const folder = objectFolder(prefix, tenantId);
    if (!isUuid(uuid)) throw new InvalidTenantKey(`${folder}/${uuid}`);
    return new TenantKey(prefix, tenantId, uuid);
  }

  /** Reads what `toString` wrote, from a row or an event. @throws InvalidTenantKey for anything else */
  static parse(text: string): TenantKey {
    const [prefix = '', tenantId = '', uuid = '', ...more] = text.split('/', 4);
    if (more.length > 0 || !isPrefix(prefix) || !TENANT.test(tenantId) || !isUuid(uuid)) {
      throw new InvalidTenantKey(text);
    }
    return new TenantKey(prefix, tenantId, uuid);
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}

/** Where the objects of a tenant lie: `<prefix>/<tenant>`. @throws InvalidTenantKey */
export function objectFolder(prefix: ObjectPrefix, tenantId: string): string {
  if (!isPrefix(prefix) || !TENANT.test(tenantId))
    throw new InvalidTenantKey(`${prefix}/${tenantId}`);
  return `${prefix}/${tenantId}`;
}

/** The shape of the last part of a key: lower case, of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function isPrefix(text: string): text is ObjectPrefix {
  return (OBJECT_PREFIXES as readonly string[]).includes(text);
}

/** Text that names no object. Trying again cannot help. */
export class InvalidTenantKey extends Error {
  override readonly name = 'InvalidTenantKey';

  constructor(text: string) {
    super(`${JSON.stringify(text.slice(0, 100))} names no object.`);
  }
}
