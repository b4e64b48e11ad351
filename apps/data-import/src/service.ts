import { houseMigrations } from '@quire/postgres/house-migrations';
import type { ServiceDefinition } from '@quire/service/boot';
import { AppModule } from './app.module.js';
import { Imports1700000000001 } from './db/migrations/0001-imports.js';
import { InOrder1700000000002 } from './db/migrations/0002-in-order.js';
import { Formats1700000000003 } from './db/migrations/0003-formats.js';
import { Jobs1700000000004 } from './db/migrations/0004-jobs.js';
import { Extensions1700000000005 } from './db/migrations/0005-extensions.js';
import { Work1700000000006 } from './db/migrations/0006-work.js';
import { Undo1700000000007 } from './db/migrations/0007-undo.js';

/** Takes MARC files in, cuts them into chunks, follows the chunks home. */
export const dataImport: ServiceDefinition = {
  name: 'data-import',
  schema: {
    service: 'data-import',
    schema: 'data_import',
    migrations: [
      Imports1700000000001,
      InOrder1700000000002,
      Formats1700000000003,
      Jobs1700000000004,
      Extensions1700000000005,
      Work1700000000006,
      Undo1700000000007,
      ...houseMigrations('data_import'),
    ],
  },
  module: AppModule,
};
