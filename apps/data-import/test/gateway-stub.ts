import { Controller, Get, Module, Param } from '@nestjs/common';
import { InternalRoute } from '@quire/auth/permissions';
import { notFound, unavailable } from '@quire/contracts/failure';
import type { InternalUser } from '@quire/contracts/gateway';
import { routes } from '@quire/contracts/routes';
import { houseMigrations } from '@quire/postgres/house-migrations';
import { houseTables } from '@quire/postgres/house-tables';
import type { ServiceDefinition } from '@quire/service/boot';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The people whom the gateway knows, and how often it was asked. */
export class People {
  readonly users = new Map<string, InternalUser>();
  asked = 0;
  away = false;

  add(user: InternalUser): void {
    this.users.set(user.id, user);
  }
}

/** A gateway that only knows people. */
export function gatewayStub(people: People): ServiceDefinition {
  @Controller('internal/users')
  class Users {
    @Get(':id')
    @InternalRoute(routes.internalUser)
    read(@Param('id') id: string): InternalUser {
      people.asked += 1;
      if (people.away) throw unavailable(5);
      const user = people.users.get(id);
      if (!user) throw notFound('Not found');
      return user;
    }
  }

  @Module({ controllers: [Users] })
  class StubModule {}

  return {
    name: 'gateway',
    schema: {
      service: 'gateway',
      schema: 'gateway',
      migrations: [House1700000000001, ...houseMigrations('gateway')],
    },
    module: StubModule,
  };
}

class House1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of houseTables('gateway')) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}
