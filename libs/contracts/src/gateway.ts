import { AnyUuid, Flag, Nested, OneOf, Open, Text, Uuid } from './fields.js';

/** Bodies of the gateway (conventions, sections 5.2 and 6). */
@Open()
export class Login {
  @Text({ optional: true }) readonly username?: string;
  @AnyUuid({ optional: true }) readonly userId?: string;
  @Text({ optional: true }) readonly password?: string;
  @Text({ optional: true }) readonly tenant?: string;
}

@Open()
export class RefreshRequest {
  @Text({ optional: true }) readonly refreshToken?: string;
}

export class TokenExpirations {
  @Text() readonly accessTokenExpiration: string;
  @Text() readonly refreshTokenExpiration: string;
}

export class LegacyTokens {
  @Text() readonly okapiToken: string;
  @Text() readonly refreshToken: string;
}

@Open()
export class Personal {
  @Text({ optional: true }) readonly lastName?: string;
  @Text({ optional: true }) readonly firstName?: string;
  @Text({ optional: true }) readonly email?: string;
}

export class FirstUser {
  @Text({ min: 1, max: 255 }) readonly username: string;
  @Text({ min: 8, max: 1024 }) readonly password: string;
  @Nested(() => Personal, { optional: true }) readonly personal?: Personal;
}

export class CreateTenant {
  @Text({ optional: true }) readonly id?: string;
  @Text({ optional: true, max: 255 }) readonly name?: string;
  @Text({ optional: true, max: 1000 }) readonly description?: string;
  @Nested(() => FirstUser, { optional: true }) readonly admin?: FirstUser;
}

export class TenantDescriptor {
  @Text() readonly id: string;
  @Text({ optional: true }) readonly name?: string;
  @Text({ optional: true }) readonly description?: string;
}

export const MODULE_ACTIONS = ['enable', 'disable'] as const;
export type ModuleAction = (typeof MODULE_ACTIONS)[number];

/** `POST /_/proxy/tenants/{id}/install`, which takes and gives a list of them. Okapi's others (`from`, `stage`) mean nothing here. */
@Open()
export class ModuleInstall {
  @Text({ min: 1, max: 255 }) readonly id: string;
  @OneOf(MODULE_ACTIONS) readonly action: ModuleAction;
}
export const MODULE_INSTALLS_MAX = 1_000;

export class ModuleId {
  @Text() readonly id: string;
}

/** `PUT /internal/tenant` of every service (conventions, section 18). */
export class EnableTenant {
  @Flag({ optional: true }) readonly loadReference?: boolean;
  @Flag({ optional: true }) readonly loadSample?: boolean;
}

export class InternalUser {
  @Uuid() readonly id: string;
  @Text() readonly username: string;
  @Text({ optional: true }) readonly firstName?: string;
  @Text({ optional: true }) readonly lastName?: string;
  @Flag() readonly active: boolean;
}
