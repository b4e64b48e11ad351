import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { InternalRoute, ScopeOf } from '@quire/auth/permissions';
import { InternalUser } from '@quire/contracts/gateway';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { readOnce } from '@quire/postgres/tenant';
import { PathId } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import { UserStore } from '../db/users.js';
import { failures } from '../domain/failures.js';

/** Who a user is, for the services (conventions, section 18). */
@ApiExcludeController()
@Controller('internal/users')
export class UsersController {
  constructor(
    private readonly source: DataSource,
    private readonly users: UserStore,
  ) {}

  @Get(':id')
  @InternalRoute(routes.internalUser)
  async read(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'id', notFound: () => failures.userNotFound().message }) id: string,
  ): Promise<InternalUser> {
    const user = await readOnce(this.source, scope, (tx) => this.users.byId(tx, id));
    if (!user) throw failures.userNotFound();
    const { username, active, personal } = user;
    const { firstName, lastName } = personal;
    return {
      id,
      username,
      ...(firstName === undefined ? {} : { firstName }),
      ...(lastName === undefined ? {} : { lastName }),
      active,
    };
  }
}
