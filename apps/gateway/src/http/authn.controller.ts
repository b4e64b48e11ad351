import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { CallerOf, Public } from '@quire/auth/permissions';
import type { Clock } from '@quire/contracts/clock';
import { LegacyTokens, Login, RefreshRequest, TokenExpirations } from '@quire/contracts/gateway';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { OptionalBody } from '@quire/service/contract.pipe';
import { CLOCK, SETTINGS } from '@quire/service/platform.module';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewaySettings } from '../config.js';
import {
  ACCESS_COOKIE,
  accessCookie,
  clearedCookies,
  cookieValues,
  REFRESH_COOKIE,
  refreshCookie,
  type CookieRules,
} from '../domain/cookies.js';
import { failures } from '../domain/failures.js';
import { namedTenant, sentToken } from '../domain/tenant-choice.js';
import { expirationText, type TokenClaims } from '../domain/tokens.js';
import { Identities } from '../usecases/identities.js';
import { Logins } from '../usecases/logins.js';
import { Sessions } from '../usecases/sessions.js';
import { ACCESS_SECONDS, LONG_ACCESS_SECONDS, type TokenPair } from '../usecases/token-pairs.js';

/** Set by the door, never by a client: what it strips begins with `x-internal-`. */
export const ADDRESS_HEADER = 'x-internal-client-address';

/** Login, refresh and logout (conventions, 5.2). They find their tenant themselves: who logs in has no token yet. */
@ApiTags('login')
@Controller('authn')
export class AuthnController {
  constructor(
    private readonly logins: Logins,
    private readonly sessions: Sessions,
    private readonly identities: Identities,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post('login-with-expiry')
  @Public(routes.loginWithExpiry)
  @ApiCreatedResponse({ type: TokenExpirations })
  async loginWithExpiry(
    @Req() request: FastifyRequest,
    @Body() body: Login,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenExpirations> {
    const pair = await this.login(request, body, ACCESS_SECONDS);
    return this.given(pair, caller, reply);
  }

  @Post('login')
  @Public(routes.login)
  @ApiCreatedResponse({ type: LegacyTokens })
  async loginForLong(
    @Req() request: FastifyRequest,
    @Body() body: Login,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LegacyTokens> {
    const pair = await this.login(request, body, LONG_ACCESS_SECONDS);
    this.given(pair, caller, reply);
    void reply.header('x-okapi-token', pair.access.token);
    return { okapiToken: pair.access.token, refreshToken: pair.refresh.token };
  }

  @Post('refresh')
  @Public(routes.refresh)
  @ApiCreatedResponse({ type: TokenExpirations })
  async refresh(
    @Req() request: FastifyRequest,
    @OptionalBody() body: RefreshRequest | undefined,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenExpirations> {
    const named = await this.tenantOf(request, undefined, true);
    const cookies = new Set(cookieValues(request.headers.cookie, REFRESH_COOKIE));
    if (cookies.size === 0 && body?.refreshToken) cookies.add(body.refreshToken);
    const [token] = cookies;
    if (cookies.size !== 1 || !token) throw failures.unreadableRefresh();
    const claims = await this.sessions.readRefreshToken(token);
    if (!claims) throw failures.refreshRefused();
    await this.checkTenant(named, claims);
    return this.given(await this.sessions.refresh(token, claims), caller, reply);
  }

  @Post('logout')
  @HttpCode(204)
  @Public(routes.logout)
  @ApiNoContentResponse()
  async logout(
    @Req() request: FastifyRequest,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const named = await this.tenantOf(request, undefined, true);
    const claims = await this.claimsForLogout(request);
    if (!claims) throw failures.logoutRefused();
    await this.checkTenant(named, claims);
    await this.sessions.end(claims);
    void reply.header('set-cookie', clearedCookies(this.cookieRules(caller)));
  }

  private async login(
    request: FastifyRequest,
    body: Login,
    accessSeconds: number,
  ): Promise<TokenPair> {
    const tenantId = await this.tenantOf(request, body.tenant, false);
    const { username, userId, password } = body;
    if (!username && !userId) throw failures.noUsername();
    if (!password) throw failures.noPassword();
    const address = String(request.headers[ADDRESS_HEADER] ?? '');
    const who = userId ? { userId } : { username };
    return this.logins.login(tenantId ?? '', { ...who, password, address, accessSeconds });
  }

  /** Header, else body. With `byToken` none of them is needed: the token names the tenant. */
  private async tenantOf(
    request: FastifyRequest,
    inBody: string | undefined,
    byToken: boolean,
  ): Promise<string | undefined> {
    const tenantId = namedTenant(request.headers['x-okapi-tenant']) ?? namedTenant(inBody);
    if (tenantId === undefined) {
      if (byToken) return undefined;
      throw failures.tenantMissing();
    }
    if (!(await this.identities.tenantExists(tenantId))) throw failures.tenantUnknown(tenantId);
    return tenantId;
  }

  private async checkTenant(named: string | undefined, claims: TokenClaims): Promise<void> {
    if (named !== undefined && named !== claims.tenantId) throw failures.foreignToken();
    if (!(await this.identities.tenantExists(claims.tenantId))) {
      throw failures.tenantUnknown(claims.tenantId);
    }
  }

  /** The access token, or the refresh cookie when that one is missing or no longer good. */
  private async claimsForLogout({ headers }: FastifyRequest): Promise<TokenClaims | undefined> {
    const sent = sentToken(headers, cookieValues(headers.cookie, ACCESS_COOKIE));
    const access = sent && (await this.identities.claimsOf(sent.token).catch(() => undefined));
    if (access) return access;
    const [refresh] = cookieValues(headers.cookie, REFRESH_COOKIE);
    return refresh ? this.sessions.readRefreshToken(refresh) : undefined;
  }

  private given(pair: TokenPair, caller: Caller, reply: FastifyReply): TokenExpirations {
    const rules = this.cookieRules(caller);
    const now = this.clock.now();
    const cookies = [
      accessCookie(pair.access, now, rules),
      refreshCookie(pair.refresh, now, rules),
    ];
    void reply.header('set-cookie', cookies);
    return {
      accessTokenExpiration: expirationText(pair.access.expiresAt),
      refreshTokenExpiration: expirationText(pair.refresh.expiresAt),
    };
  }

  private cookieRules({ publicUrl }: Caller): CookieRules {
    const { protocol, pathname } = new URL(publicUrl);
    const { cookieSameSite: sameSite } = this.settings;
    return { prefix: pathname.replace(/\/$/, ''), secure: protocol === 'https:', sameSite };
  }
}
