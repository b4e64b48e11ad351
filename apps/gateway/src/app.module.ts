import { Module } from '@nestjs/common';
import { AuditStore } from './db/audit.js';
import { SessionStore } from './db/sessions.js';
import { TenantStore } from './db/tenants.js';
import { UserStore } from './db/users.js';
import { AuthnController } from './http/authn.controller.js';
import { DescriptionsController } from './http/descriptions.controller.js';
import { HealthController } from './http/health.controller.js';
import { TenantsController } from './http/tenants.controller.js';
import { UsersController } from './http/users.controller.js';
import { Announcements } from './usecases/announcements.js';
import { WholeApi } from './usecases/api-description.js';
import { Identities } from './usecases/identities.js';
import { Installs } from './usecases/installs.js';
import { Logins } from './usecases/logins.js';
import { Refusals } from './usecases/refusals.js';
import { Sessions } from './usecases/sessions.js';
import { TenantsOfQuire } from './usecases/tenants.js';

@Module({
  controllers: [
    AuthnController,
    TenantsController,
    UsersController,
    HealthController,
    DescriptionsController,
  ],
  providers: [
    AuditStore,
    SessionStore,
    TenantStore,
    UserStore,
    Announcements,
    Identities,
    Installs,
    Logins,
    Refusals,
    Sessions,
    TenantsOfQuire,
    WholeApi,
  ],
})
export class GatewayModule {}
