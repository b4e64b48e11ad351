import { Flag, Int, ListOfText, OneOf, Text } from '@quire/contracts/fields';

export const SAME_SITE = ['Lax', 'Strict', 'None'] as const;

/** Settings of the public door (running.md, section 2). */
export class GatewaySettings {
  static readonly env = { okapiStrict: 'OKAPI_STRICT', cookieSameSite: 'QUIRE_COOKIE_SAMESITE' };

  /** Base of the links given to clients; unset: scheme, host and prefix of the request. */
  @Text({ optional: true, pattern: '^https?://[^/?#]+(/[^?#]*)?$' }) readonly publicUrl?: string;
  /** Path prefix of the public door, without a slash at its end. */
  @Text({ optional: true, pattern: '^(/[^/?#]+)*$' }) readonly pathPrefix: string = '';
  /** Addresses or networks whose forwarded headers are read. */
  @ListOfText({ optional: true }) readonly trustedProxies: readonly string[] = [];
  /** Origins allowed besides the own one. */
  @ListOfText({ optional: true }) readonly corsOrigins: readonly string[] = [];
  @OneOf(SAME_SITE, { optional: true }) readonly cookieSameSite: (typeof SAME_SITE)[number] = 'Lax';
  /** A missing token is 400, as in Okapi. */
  @Flag({ optional: true }) readonly okapiStrict: boolean = false;
  /** Requests per second of one user, burst twice that; 0: any number. */
  @Int({ optional: true, max: 1_000_000 }) readonly rateLimit: number = 0;
}
