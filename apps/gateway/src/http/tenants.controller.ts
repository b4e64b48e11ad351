import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { CreateTenant, TenantDescriptor } from '@quire/contracts/gateway';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { located } from '@quire/service/answers';
import type { FastifyReply } from 'fastify';
import { TenantsOfQuire } from '../usecases/tenants.js';

@ApiTags('tenants')
@Controller('_/proxy/tenants')
export class TenantsController {
  constructor(private readonly tenants: TenantsOfQuire) {}

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
}
