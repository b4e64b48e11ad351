import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@quire/service/boot';
import { House1764000000000 } from './db/migrations/0001-house.js';

/** Answers for its health and its tenants only. */
@Module({})
class FinanceStorageModule {}

/** Relations between groups and funds per fiscal year. */
export const financeStorage: ServiceDefinition = {
  name: 'finance-storage',
  schema: {
    service: 'finance-storage',
    schema: 'finance_storage',
    migrations: [House1764000000000],
  },
  module: FinanceStorageModule,
};
