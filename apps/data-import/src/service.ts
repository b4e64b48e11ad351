import type { ServiceDefinition } from '@quire/service/boot';
import { AppModule } from './app.module.js';
import { Imports1700000000001 } from './db/migrations/0001-imports.js';
import { InOrder1700000000002 } from './db/migrations/0002-in-order.js';
import { Jobs1700000000004 } from './db/migrations/0004-jobs.js';

/** Takes MARC files in, cuts them into chunks, follows the chunks home. */
export const dataImport: ServiceDefinition = {
  name: 'data-import',
  schema: {
    service: 'data-import',
    schema: 'data_import',
    migrations: [Imports1700000000001, InOrder1700000000002, Jobs1700000000004],
  },
  module: AppModule,
};
