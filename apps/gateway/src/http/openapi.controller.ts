import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '@quire/auth/permissions';
import { routes } from '@quire/contracts/routes';
import { WholeApi } from '../usecases/api-description.js';

@ApiExcludeController()
@Controller('openapi.json')
export class OpenApiController {
  constructor(private readonly api: WholeApi) {}

  @Get()
  @Public(routes.openapi)
  read(): Promise<object> {
    return this.api.read();
  }
}
