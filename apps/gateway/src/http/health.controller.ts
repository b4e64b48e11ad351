import { Controller, Get, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Public } from '@quire/auth/permissions';
import { routes } from '@quire/contracts/routes';
import { Health, type Readiness } from '@quire/service/health';
import type { FastifyReply } from 'fastify';
import { PRODUCT_VERSION } from '../domain/modules.js';

/** What probes and monitors ask on the public port (conventions, section 19). */
@ApiTags('health')
@Controller()
export class HealthController {
  constructor(private readonly health: Health) {}

  /** Okapi lists modules with problems here; there are none. */
  @Get('_/proxy/health')
  @Public(routes.proxyHealth)
  proxyHealth(): readonly object[] {
    return [];
  }

  @Get('_/version')
  @Public(routes.version)
  version(): string {
    return PRODUCT_VERSION;
  }

  @Get('admin/health')
  @Public(routes.adminHealth)
  adminHealth(): string {
    return 'OK';
  }

  @Get('health/live')
  @Public(routes.healthLive)
  live(): string {
    return 'OK';
  }

  @Get('health/startup')
  @Public(routes.healthStartup)
  startup(): string {
    return 'OK';
  }

  @Get('health/ready')
  @Public(routes.healthReady)
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.health.ready();
    if (readiness.status === 'DOWN') void reply.code(503);
    return readiness;
  }
}
