import type { ClientRequest } from 'node:http';
import type { ServiceName } from '@quire/contracts/scope';
import type { ServiceUrls } from './service-client.js';

/**
 * Where a service can be reached. One address is a name behind which a balancer stands (a Kubernetes Service, an alias of
 * compose); several, with commas between, are replicas that are asked by turns. One that says that it leaves is asked last for a
 * while: a connection that it is given in the moment it closes is cut.
 */
export class Addresses {
  private readonly turns = new Map<ServiceName, number>();
  /** By address: when it is asked like the others again. */
  private readonly leaving = new Map<string, number>();

  constructor(private readonly urls: ServiceUrls) {}

  /** In the order in which they are to be tried; none: the service is not there. */
  of(service: ServiceName): readonly string[] {
    const all = (this.urls[service] ?? '').split(',').filter((url) => url !== '');
    const turn = (this.turns.get(service) ?? 0) % Math.max(all.length, 1);
    this.turns.set(service, turn + 1);
    const inTurn = [...all.slice(turn), ...all.slice(0, turn)];
    if (this.leaving.size === 0) return inTurn;
    const now = performance.now();
    const leaves = (url: string): boolean => (this.leaving.get(url) ?? 0) > now;
    return [...inTurn.filter((url) => !leaves(url)), ...inTurn.filter(leaves)];
  }

  /** Its last answers said that there will be no more soon. */
  leaves(url: string): void {
    this.leaving.set(url, performance.now() + LEAVES_MS);
  }
}

/** From the first word of it to the closed door; afterwards nobody takes the connection. */
const LEAVES_MS = 5000;

/** Nobody took the connection, so nothing was sent: any request may be tried elsewhere. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

export function isNotConnected(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && NOT_CONNECTED.has(code);
}

/** The connection ended under the request: it may have been worked or not (F43). */
export function isReset(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/**
 * The next try of a request that failed: elsewhere while nobody took the connection, and once more if reading twice does no
 * harm.
 */
export class Tries {
  private tried = 0;
  private repeated = false;

  /** @param addresses in the order in which they are to be tried */
  constructor(
    private readonly addresses: readonly string[],
    private readonly repeatable: boolean,
  ) {}

  /** Of the try in hand. */
  get address(): string {
    return this.addresses[this.tried % this.addresses.length] ?? '';
  }

  /** After the first one: a kept connection may be as dead as the one before. */
  get isFirst(): boolean {
    return this.tried === 0;
  }

  /** @returns whether there is another try after this error */
  goesOn(error: unknown): boolean {
    const elsewhere = isNotConnected(error) && this.tried < Math.max(this.addresses.length - 1, 1);
    const again = isReset(error) && this.repeatable && !this.repeated;
    if (again) this.repeated = true;
    if (elsewhere || again) this.tried += 1;
    return elsewhere || again;
  }
}

/** Calls `begin` when the request has a connection that somebody took; never if nobody does. */
export function whenConnected(request: ClientRequest, begin: () => void): void {
  request.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', begin);
    else begin();
  });
}
