import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What the handler of a route did with the query of its requests. */
export interface QueryRead {
  /** It was handed out, be it to a method that a refused body kept from being called. */
  taken: boolean;
  /** In lower case, as the query has them. */
  readonly names: Set<string>;
}

/** Where Fastify tells of every request whose body is read, before it calls the handler. */
const CHANNEL = 'tracing:fastify.request.handler:start';

/** A copy could be read unseen, so that to make one counts as reading a parameter of this name, which nobody describes. */
const EVERYTHING = '*';

/** A promise looks for it on every value that it is resolved with. */
const OF_PROMISES = 'then';

interface Handled {
  readonly request: {
    query: Readonly<Record<string, unknown>>;
    readonly caller?: { readonly issuer: string };
  };
  readonly route: { readonly method: string; readonly url: string };
}

/**
 * Notes which query parameters all services of this process look at, by route: `GET /data-export/logs`. It stands between
 * Fastify and the handlers and needs nothing of them, so that no way of reading passes it.
 */
export class QueryReads implements Disposable {
  private readonly reads = new Map<string, QueryRead>();
  private readonly note = (message: unknown): void => {
    const { request, route } = message as Handled;
    // Services ask one another for more than clients can.
    if (request.caller?.issuer !== 'gateway') return;
    const key = `${route.method} ${route.url}`;
    const read = this.reads.get(key) ?? { taken: false, names: new Set() };
    this.reads.set(key, read);
    const watched = watchedQuery(request.query, read.names);
    Object.defineProperty(request, 'query', {
      get: () => {
        read.taken = true;
        return watched;
      },
    });
  };

  constructor() {
    subscribe(CHANNEL, this.note);
  }

  /** Undefined for a route whose handler no request has reached. */
  of(route: string): QueryRead | undefined {
    return this.reads.get(route);
  }

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.note);
  }
}

function watchedQuery(
  query: Readonly<Record<string, unknown>>,
  names: Set<string>,
): Readonly<Record<string, unknown>> {
  const seen = (name: string | symbol): void => {
    if (typeof name === 'string' && name !== OF_PROMISES) names.add(name);
  };
  return new Proxy(query, {
    get: (target, name) => {
      seen(name);
      return Reflect.get(target, name) as unknown;
    },
    has: (target, name) => {
      seen(name);
      return Reflect.has(target, name);
    },
    ownKeys: (target) => {
      seen(EVERYTHING);
      return Reflect.ownKeys(target);
    },
  });
}
