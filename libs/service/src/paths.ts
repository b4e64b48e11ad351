import { refused } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';

/** Path and query of a request target as a client sent it, in origin form. */
export interface Target {
  /** Without repeated and trailing slashes: clients build `//x/` (K11). Still percent-encoded. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

/**
 * Splits and checks a request target. Whatever another component could read as another path is refused, not repaired:
 * `.` and `..` in any spelling, NUL, path parameters, bad escapes (conventions, section 2).
 *
 * @throws Failure 400 `Invalid path`
 */
export function targetOf(url: string): Target {
  const cut = url.indexOf('?');
  const raw = cut < 0 ? url : url.slice(0, cut);
  if (!raw.startsWith('/') || raw.includes(';') || raw.includes('#')) throw invalidPath();
  const segments = raw.split('/').filter((segment) => segment !== '');
  for (const segment of segments) checkSegment(segment);
  return { path: `/${segments.join('/')}`, query: cut < 0 ? '' : url.slice(cut) };
}

function checkSegment(segment: string): void {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    throw invalidPath();
  }
  const dots = text.split(/[/\\]/).some((part) => part === '.' || part === '..');
  if (dots || text.includes('\0')) throw invalidPath();
}

const invalidPath = (): Error => refused('Invalid path', 'invalid-path');

interface Node {
  readonly fixed: Map<string, Node>;
  parameter?: Node;
  readonly routes: Route[];
}

export interface FoundRoutes {
  /** Undefined: the path is known, the method is not. */
  readonly route?: Route;
  /** Methods of the path, for `Allow`. */
  readonly allowed: readonly string[];
}

/** Finds routes by path. Fixed segments win over parameters, as in the router of the services. */
export class RouteTable {
  private readonly root: Node = { fixed: new Map(), routes: [] };

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.add(route);
  }

  /** Undefined: no route has this path. HEAD is answered where GET is. */
  find(method: string, path: string): FoundRoutes | undefined {
    const node = match(this.root, path.split('/').slice(1), 0);
    if (!node) return undefined;
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = node.routes.find((one) => one.method === asked);
    if (node.routes.some((one) => one.unknownMethods?.includes(method))) return undefined;
    const methods: string[] = node.routes.map((one) => one.method);
    const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
    return { allowed, ...(route ? { route } : {}) };
  }

  private add(route: Route): void {
    let node = this.root;
    for (const segment of route.path.split('/').slice(1)) {
      if (segment.startsWith(':')) node = node.parameter ??= { fixed: new Map(), routes: [] };
      else {
        const next = node.fixed.get(segment) ?? { fixed: new Map(), routes: [] };
        node.fixed.set(segment, next);
        node = next;
      }
    }
    node.routes.push(route);
  }
}

function match(node: Node, segments: readonly string[], at: number): Node | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.routes.length > 0 ? node : undefined;
  const fixed = node.fixed.get(segment);
  return (
    (fixed && match(fixed, segments, at + 1)) ??
    (node.parameter && segment !== '' ? match(node.parameter, segments, at + 1) : undefined)
  );
}
