import type { ServiceDefinition } from '@quire/service/boot';
import { DataExportModule } from './app.module.js';
import { Exports1764100000000 } from './db/migrations/0001-exports.js';
import { Housekeeping1764200000000 } from './db/migrations/0002-housekeeping.js';
import { Runs1764300000000 } from './db/migrations/0003-runs.js';
import { Reports1764400000000 } from './db/migrations/0004-reports.js';

/** data-export, to be started with `startService`. Settings: `ExportSettings`. */
export const dataExport: ServiceDefinition = {
  name: 'data-export',
  schema: {
    service: 'data-export',
    schema: 'data_export',
    migrations: [
      Exports1764100000000,
      Housekeeping1764200000000,
      Runs1764300000000,
      Reports1764400000000,
    ],
  },
  module: DataExportModule,
};
