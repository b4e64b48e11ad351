import {
  createParamDecorator,
  Injectable,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { forbidden, unauthorised } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';
import type { Caller, Scope } from '@quire/contracts/scope';
import type { AssertedCaller } from './assertion.js';

/**
 * Authorisation of a service. Each controller method names its entry of `contracts/routes.ts` by one of four decorators;
 * which one must fit the entry, so that the source says at the method who may come in. A controller method without one
 * stops the start (`declared-routes.ts`).
 *
 * The assertion is verified before the body is read (`libs/service`, `door.ts`); the guard decides for the matched
 * handler, so that no trick with paths passes it.
 */
export const ROUTE_METADATA = 'quire:route';

/** Methods that serve several spellings of one path name the entry of each. */
type Entries = readonly [Route, ...Route[]];

export const Permissions = (...entries: Entries): MethodDecorator =>
  declare('permission', entries, ({ access, internal }) => access === 'permission' && !internal);

/** Any valid token. */
export const Authenticated = (...entries: Entries): MethodDecorator =>
  declare(
    'authenticated',
    entries,
    ({ access, internal }) => access === 'authenticated' && !internal,
  );

/** Nobody has to log in, for the reason the entry gives. */
export const Public = (...entries: Entries): MethodDecorator =>
  declare('public', entries, ({ access, reason }) => access === 'public' && reason !== undefined);

/** Never routed from outside: only the services the entry names as issuers. */
export const InternalRoute = (...entries: Entries): MethodDecorator =>
  declare('internal', entries, ({ internal }) => internal);

function declare(kind: string, entries: Entries, fits: (route: Route) => boolean): MethodDecorator {
  for (const entry of entries) {
    if (!fits(entry))
      throw new Error(`${entry.method} ${entry.path} is not ${kind} in the routes.`);
  }
  return SetMetadata(ROUTE_METADATA, entries);
}

/** What the guard finds on a request of Fastify: who calls, and which route the router matched. */
export interface AuthorisedRequest {
  readonly method: string;
  readonly caller?: AssertedCaller;
  readonly routeOptions: { readonly url?: string };
}

@Injectable()
export class AssertionGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    // Event handlers are reached through the bus, which has no callers.
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AuthorisedRequest>();
    const route = entriesOf(context.getHandler()).find((entry) => isRouteOf(entry, request));
    if (!route || !request.caller) throw unauthorised('Invalid token');
    authorise(route, request.caller);
    return true;
  }
}

/** @throws Failure unauthorised for an issuer that may not call here or a missing tenant, forbidden for a permission */
export function authorise(route: Route, caller: Caller): void {
  if (!route.issuers.includes(caller.issuer)) throw unauthorised('Invalid token');
  if (route.access !== 'public' && caller.tenantId === '') throw unauthorised('Invalid token');
  if (route.access !== 'permission' || route.permission === undefined) return;
  if (!caller.permissions.includes(route.permission))
    throw permissionMissing(caller, route.permission);
}

export function permissionMissing(
  user: { readonly username: string; readonly actorId: string },
  permission: string,
): Error {
  return forbidden(
    `Access for user '${user.username}' (${user.actorId}) requires permission: ${permission}`,
  );
}

export function entriesOf(handler: object): readonly Route[] {
  return (Reflect.getMetadata(ROUTE_METADATA, handler) as Entries | undefined) ?? [];
}

function isRouteOf(entry: Route, { method, routeOptions }: AuthorisedRequest): boolean {
  const asked = method === 'HEAD' ? 'GET' : method;
  return entry.method === asked && entry.path === routeOptions.url;
}

/** Who calls. On a public route tenant and user may be empty. */
export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<AuthorisedRequest>();
  if (!caller) throw unauthorised('Invalid token');
  return caller;
});

/** Tenant and user to open transactions for. Not on public routes, whose callers have none. */
export const ScopeOf = createParamDecorator((_: unknown, context: ExecutionContext): Scope => {
  const { caller } = context.switchToHttp().getRequest<AuthorisedRequest>();
  if (!caller || caller.tenantId === '') throw unauthorised('Invalid token');
  return { tenantId: caller.tenantId, actorId: caller.actorId };
});
