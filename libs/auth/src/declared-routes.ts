import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import type { Route } from '@quire/contracts/route';
import { entriesOf } from './permissions.js';

/**
 * Deny by default: every method of every controller must name its routes, and name them rightly. Returns the routes the
 * controllers serve.
 *
 * @throws Error that lists everything that is wrong
 */
export function declaredRoutes(controllers: readonly object[]): readonly Route[] {
  const problems: string[] = [];
  const routes = controllers.flatMap((controller) => routesOf(controller, problems));
  if (problems.length > 0) {
    throw new Error(`These routes are not what they declare:\n  ${problems.join('\n  ')}`);
  }
  return routes;
}

function routesOf(controller: object, problems: string[]): readonly Route[] {
  const prototype = Object.getPrototypeOf(controller) as Record<string, unknown>;
  const { constructor } = controller;
  const found: Route[] = [];
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const handler = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown;
    if (typeof handler !== 'function' || name === 'constructor') continue;
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) continue;
    const served = paths(constructor, handler).map((path) => `${RequestMethod[method]} ${path}`);
    const entries = entriesOf(handler);
    const declared = entries.map((entry) => `${entry.method} ${entry.path}`);
    if (served.toSorted().join() !== declared.toSorted().join()) {
      const says = declared.join(', ') || 'nothing';
      problems.push(`${constructor.name}.${name} serves ${served.join(', ')} and declares ${says}`);
    }
    found.push(...entries);
  }
  return found;
}

/** Controller path and method path may each be one or a list. */
function paths(controller: object, handler: object): readonly string[] {
  const of = (target: object): readonly string[] =>
    [(Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined) ?? ''].flat();
  return of(controller).flatMap((base) =>
    of(handler).map((rest) => `/${`${base}/${rest}`.split('/').filter(Boolean).join('/')}`),
  );
}
