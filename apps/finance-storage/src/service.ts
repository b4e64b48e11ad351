import { houseMigrations } from '@quire/postgres/house-migrations';
import type { ServiceDefinition } from '@quire/service/boot';
import { AppModule } from './app.module.js';
import { House1764000000000 } from './db/migrations/0001-house.js';
import { Entities1764000000001 } from './db/migrations/0002-entities.js';
import { Counts1764000000002 } from './db/migrations/0003-counts.js';

/** Relations between groups and funds per fiscal year, and the entities they refer to. */
export const financeStorage: ServiceDefinition = {
  name: 'finance-storage',
  schema: {
    service: 'finance-storage',
    schema: 'finance_storage',
    migrations: [
      House1764000000000,
      Entities1764000000001,
      Counts1764000000002,
      ...houseMigrations('finance_storage'),
    ],
  },
  module: AppModule,
};
