import type { ServiceDefinition } from '@quire/service/boot';
import { AppModule } from './app.module.js';
import { Records1700000000001 } from './db/migrations/0001-records.js';
import { Entries1700000000002 } from './db/migrations/0002-entries.js';
import { Statuses1700000000003 } from './db/migrations/0003-statuses.js';
import { Originals1700000000004 } from './db/migrations/0004-originals.js';

/** Keeps the MARC records; nobody else writes them. */
export const sourceRecordStorage: ServiceDefinition = {
  name: 'source-record-storage',
  schema: {
    service: 'source-record-storage',
    schema: 'source_record_storage',
    migrations: [
      Records1700000000001,
      Entries1700000000002,
      Statuses1700000000003,
      Originals1700000000004,
    ],
  },
  module: AppModule,
};
