/** The tenant and the person a piece of work is done for. Every transaction is opened for one. */
export interface Scope {
  readonly tenantId: string;
  /** User id; {@link SYSTEM_USER_ID} for work that nobody asked for. */
  readonly actorId: string;
  /** Id of the event that led to it, where one did. */
  readonly causationId?: string;
}

/** Actor of clean-ups, expiries and other work of the system itself (conventions, section 12). */
export const SYSTEM_USER_ID = '00000000-0000-0000-0000-000000000000';

export const SERVICES = [
  'gateway',
  'data-export',
  'data-import',
  'source-record-storage',
  'finance-storage',
] as const;
export type ServiceName = (typeof SERVICES)[number];

export const DIALECTS = ['default', '2020', '2024'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Who calls, as the signed assertion says (conventions, section 18). */
export interface Caller extends Scope {
  readonly issuer: ServiceName;
  readonly username: string;
  readonly firstName?: string;
  readonly lastName?: string;
  /** Permissions of the route that the user holds. */
  readonly permissions: readonly string[];
  readonly requestId: string;
  /** Scheme, host and path prefix under which the client reached the gateway. */
  readonly publicUrl: string;
  readonly dialect?: Dialect;
}

/** Tenant ids of conventions, section 4. */
export const TENANT_PATTERN = /^[a-z][a-z0-9]{0,30}$/;
