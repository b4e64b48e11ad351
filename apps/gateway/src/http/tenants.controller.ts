import {
  Body,
  Controller,
  createParamDecorator,
  Get,
  HttpCode,
  Param,
  Post,
  Res,
  type ExecutionContext,
} from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated, CallerOf, Permissions } from '@quire/auth/permissions';
import {
  CreateTenant,
  MODULE_INSTALLS_MAX,
  ModuleId,
  ModuleInstall,
  TenantDescriptor,
} from '@quire/contracts/gateway';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { located } from '@quire/service/answers';
import { BodyListOf } from '@quire/service/contract.pipe';
import { Queries, queryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  INSTALL_PARAMETERS,
  installOptions,
  type InstallOptions,
} from '../domain/install-options.js';
import { Installs } from '../usecases/installs.js';
import { TenantsOfQuire } from '../usecases/tenants.js';

/** Tenant and options of an install. */
const InstallOf = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<FastifyRequest<{ Params: { id: string } }>>();
  return { tenantId: request.params.id, ...installOptions(queryOf(request)) };
});
const ModuleInstalls = BodyListOf(ModuleInstall, MODULE_INSTALLS_MAX);

@ApiTags('tenants')
@Controller('_/proxy/tenants')
export class TenantsController {
  constructor(
    private readonly tenants: TenantsOfQuire,
    private readonly installs: Installs,
  ) {}

  @Post()
  @Permissions(routes.createTenant)
  @ApiCreatedResponse({ type: TenantDescriptor })
  async create(
    @CallerOf() caller: Caller,
    @Body() request: CreateTenant,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TenantDescriptor> {
    const tenant = await this.tenants.create(caller, request);
    located(reply, caller, `/_/proxy/tenants/${tenant.id}`);
    return tenant;
  }

  /** Okapi's way to load reference and sample data. */
  @Post(':id/install')
  @HttpCode(200)
  @Permissions(routes.installModules)
  @Queries(...INSTALL_PARAMETERS)
  @ApiBody({ type: ModuleInstall, isArray: true })
  @ApiOkResponse({ type: ModuleInstall, isArray: true })
  async install(
    @CallerOf() caller: Caller,
    @InstallOf() { tenantId, ...options }: InstallOptions & { readonly tenantId: string },
    @ModuleInstalls() modules: readonly ModuleInstall[],
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<readonly ModuleInstall[]> {
    await this.installs.install(caller, tenantId, modules, options);
    if (options.async) {
      void reply.status(201);
      located(reply, caller, `/_/proxy/tenants/${tenantId}/modules`);
    }
    return modules;
  }

  @Get(':id/modules')
  @Authenticated(routes.listModules)
  @ApiOkResponse({ type: ModuleId, isArray: true })
  modules(@CallerOf() caller: Caller, @Param('id') id: string): Promise<readonly ModuleId[]> {
    return this.installs.modules(caller, id);
  }
}
