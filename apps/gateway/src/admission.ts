import type { IncomingHttpHeaders } from 'node:http';
import type { Assertion } from '@quire/auth/assertion';
import { permissionMissing } from '@quire/auth/permissions';
import type { Clock } from '@quire/contracts/clock';
import { tooMany } from '@quire/contracts/failure';
import type { Route } from '@quire/contracts/route';
import { DIALECTS, type Dialect, type Scope } from '@quire/contracts/scope';
import { unknownRoute } from '@quire/service/requests';
import type { RouteTable } from '@quire/service/paths';
import type { GatewaySettings } from './config.js';
import type { Cors } from './cors.js';
import { ACCESS_COOKIE, cookieValues, REFRESH_COOKIE } from './domain/cookies.js';
import { failures } from './domain/failures.js';
import { namedTenant, sentToken, type SentToken } from './domain/tenant-choice.js';
import type { TokenClaims } from './domain/tokens.js';
import type { RateLimit } from './limits.js';
import type { Identities, Identity } from './usecases/identities.js';

/** What the door knows of a request before it decides. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly publicUrl: string;
  /** From `/_/invoke/tenant/{tenant}/…`; counts like the header. */
  readonly tenant?: string;
}

/** A request that may go on, and what is asserted of it. */
export interface Admitted {
  readonly route: Route;
  readonly claims: Pick<
    Assertion,
    'tenantId' | 'actorId' | 'username' | 'firstName' | 'lastName' | 'permissions' | 'dialect'
  >;
}

interface Rules {
  readonly table: RouteTable;
  readonly identities: Identities;
  readonly cors: Cors;
  readonly rates: RateLimit;
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  /** Writes a refusal down; its own failure must not change the answer. */
  readonly note: (who: Scope, action: 'denied' | 'foreign-token', subject: string) => Promise<void>;
}

/**
 * Decides who may pass, in the order of conventions, 7.1: route, tenant, token, token against tenant and user, unknown
 * route, permission, rate. What comes after that (media type, body, existence) is the service's.
 */
export class Admission {
  constructor(private readonly rules: Rules) {}

  /** @throws Failure or HttpRefusal with the exact answer */
  async admit(asked: Asked): Promise<Admitted> {
    const found = this.rules.table.find(asked.method, asked.path);
    const route = found?.route;
    if (route?.access === 'public') {
      this.checkPublic(asked);
      return { route, claims: dialectOf(asked.headers) };
    }
    const sent = sentToken(asked.headers, cookieValues(asked.headers.cookie, ACCESS_COOKIE));
    const named = asked.tenant ?? namedTenant(asked.headers['x-okapi-tenant']);
    if (!route && sent === undefined)
      throw unknownRoute(this.rules.table, asked.method, asked.path);
    const claims = await this.authenticated(sent, named);
    const identity = claims && (await this.identified(claims, asked, named));
    if (sent) this.checkOrigin(asked, sent.byCookie);
    if (!route) throw unknownRoute(this.rules.table, asked.method, asked.path);
    if (!identity) throw failures.tokenMissing(route.permission, this.rules.settings.okapiStrict);
    const permissions = await this.permitted(route, identity);
    this.checkRate(identity);
    const { tenantId, actorId, username, firstName, lastName } = identity;
    const names = {
      ...(firstName === undefined ? {} : { firstName }),
      ...(lastName === undefined ? {} : { lastName }),
    };
    const who = { tenantId, actorId, username, permissions, ...names };
    return { route, claims: { ...who, ...dialectOf(asked.headers) } };
  }

  /** Tenant first, then token: claims of a good token, undefined when none was sent. */
  private async authenticated(
    sent: SentToken | undefined,
    named: string | undefined,
  ): Promise<TokenClaims | undefined> {
    if (named !== undefined) await this.checkTenant(named);
    else if (!sent) throw failures.tenantMissing();
    const claims = sent && (await this.rules.identities.claimsOf(sent.token));
    if (claims && named === undefined) await this.checkTenant(claims.tenantId);
    return claims;
  }

  private async checkTenant(id: string): Promise<void> {
    if (!(await this.rules.identities.tenantExists(id))) throw failures.tenantUnknown(id);
  }

  private async identified(
    claims: TokenClaims,
    { headers }: Asked,
    named: string | undefined,
  ): Promise<Identity> {
    const refresh = headers['authtoken-refresh-cache'] === 'true';
    // The tenant is compared first: a session must not be looked up for a tenant the client did not mean.
    if (named !== undefined && named !== claims.tenantId) throw await this.foreign(claims, named);
    const identity = await this.rules.identities.identityOf(claims, refresh);
    const user = headers['x-okapi-user-id'];
    if (user !== undefined && user !== identity.actorId) throw await this.foreign(claims, 'user');
    return identity;
  }

  /** Cross-site forms carry cookies, never our headers. */
  private checkOrigin({ method, headers, publicUrl }: Asked, byCookie: boolean): void {
    const { origin } = headers;
    if (!byCookie || origin === undefined || method === 'GET' || method === 'HEAD') return;
    if (!this.rules.cors.allows(origin, publicUrl)) throw failures.originRefused();
  }

  /** Refresh and logout act on a cookie too. */
  private checkPublic(asked: Asked): void {
    const { cookie } = asked.headers;
    const byCookie = [ACCESS_COOKIE, REFRESH_COOKIE].some(
      (name) => cookieValues(cookie, name).length > 0,
    );
    const byHeader = asked.headers['x-okapi-token'] ?? asked.headers.authorization;
    if (asked.path.startsWith('/authn/'))
      this.checkOrigin(asked, byCookie && byHeader === undefined);
  }

  private async permitted(
    { permission, furtherPermissions = [] }: Route,
    identity: Identity,
  ): Promise<readonly string[]> {
    const further = furtherPermissions.filter((one) => identity.permissions.has(one));
    if (permission === undefined) return further;
    if (identity.permissions.has(permission)) return [permission, ...further];
    await this.rules.note(identity, 'denied', permission);
    throw permissionMissing(identity, permission);
  }

  private async foreign({ tenantId, userId }: TokenClaims, subject: string): Promise<Error> {
    await this.rules.note({ tenantId, actorId: userId }, 'foreign-token', subject);
    return failures.foreignToken();
  }

  private checkRate({ tenantId, actorId }: Identity): void {
    const wait = this.rules.rates.take(`${tenantId} ${actorId}`, this.rules.clock.now());
    if (wait !== undefined) throw tooMany(wait);
  }
}

function dialectOf(headers: IncomingHttpHeaders): { readonly dialect?: Dialect } {
  const sent = headers['x-quire-dialect'];
  if (sent === undefined) return {};
  const dialect = DIALECTS.find((one) => one === sent);
  if (!dialect) throw failures.unknownDialect(String(sent));
  return { dialect };
}
