import { houseMigrations } from '@quire/postgres/house-migrations';
import type { ServiceDefinition } from '@quire/service/boot';
import { AppModule } from './app.module.js';
import { Records1700000000001 } from './db/migrations/0001-records.js';
import { Entries1700000000002 } from './db/migrations/0002-entries.js';
import { Statuses1700000000003 } from './db/migrations/0003-statuses.js';
import { Originals1700000000004 } from './db/migrations/0004-originals.js';
import { RecordParts1700000000005 } from './db/migrations/0005-record-parts.js';
import { Snapshots1700000000006 } from './db/migrations/0006-snapshots.js';
import { MarcIndex1700000000007 } from './db/migrations/0007-marc-index.js';
import { Instances1700000000008 } from './db/migrations/0008-instances.js';
import { Undo1700000000009 } from './db/migrations/0009-undo.js';
import { Retention1700000000010 } from './db/migrations/0010-retention.js';
import { RawBytes1700000000011 } from './db/migrations/0011-raw-bytes.js';
import { InstancePending1700000000012 } from './db/migrations/0012-instance-pending.js';
import { TitleWords1700000000013 } from './db/migrations/0013-title-words.js';
import { ParallelRules1700000000014 } from './db/migrations/0014-parallel-rules.js';
import { WordPrefixes1700000000015 } from './db/migrations/0015-word-prefixes.js';

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
      RecordParts1700000000005,
      Snapshots1700000000006,
      MarcIndex1700000000007,
      Instances1700000000008,
      Undo1700000000009,
      Retention1700000000010,
      RawBytes1700000000011,
      InstancePending1700000000012,
      TitleWords1700000000013,
      ParallelRules1700000000014,
      WordPrefixes1700000000015,
      ...houseMigrations('source_record_storage'),
    ],
  },
  module: AppModule,
};
