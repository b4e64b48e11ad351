import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '@quire/auth/permissions';
import { asyncApi } from '@quire/contracts/async-api';
import { routes } from '@quire/contracts/routes';
import { WholeApi } from '../usecases/api-description.js';

/** What clients and consumers build on: the calls (OpenAPI) and the events (AsyncAPI). */
@ApiExcludeController()
@Controller()
export class DescriptionsController {
  private readonly events = asyncApi();

  constructor(private readonly api: WholeApi) {}

  @Get('openapi.json')
  @Public(routes.openapi)
  calls(): Promise<object> {
    return this.api.read();
  }

  @Get('asyncapi.json')
  @Public(routes.asyncapi)
  facts(): object {
    return this.events;
  }
}
