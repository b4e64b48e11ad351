import { readFileSync } from 'node:fs';
import { dataExport } from '@quire/data-export/service';
import { dataImport } from '@quire/data-import/service';
import { financeStorage } from '@quire/finance-storage/service';
import { gateway } from '@quire/gateway/service';
import { prepareDatabase } from '@quire/postgres/migrate';
import { passwordOfRole } from '@quire/service/isolated';
import { sourceRecordStorage } from '@quire/source-record-storage/service';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Client } from 'pg';

const sql = readFileSync(new URL('../../docs/objects.sql', import.meta.url), 'utf8');
/** Of other things: a client's own name for a file, messages, repeated requests; work that has not ended yet. */
const OTHER_KEYS = /\.(ui_key|key|partition_key)$/;
const UNFINISHED = ['file_upload', 'upload_chunk', 'object_intent', 'upload_part'];

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await testDatabase();
  const services = [dataExport, dataImport, financeStorage, gateway, sourceRecordStorage];
  await prepareDatabase(
    database.url,
    services.map(({ schema }) => schema),
    // Roles are the whole server's, which all specs share: another password would lock the others out.
    passwordOfRole,
  );
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
});

describe('docs/objects.sql', () => {
  it('is a query that the schemas of this release can answer', async () => {
    expect((await client.query(sql)).rows).toEqual([]);
  });

  it('asks every column that holds the key of an object for good', async () => {
    const { rows } = await client.query<{ column: string; table: string }>(
      `select table_schema || '.' || table_name || '.' || column_name as column, table_name as table
       from information_schema.columns join information_schema.tables using (table_schema, table_name)
       where table_type = 'BASE TABLE' and column_name like '%key%' and data_type = 'text'
         and table_schema in ('data_export', 'data_import', 'source_record_storage', 'finance_storage', 'gateway')`,
    );
    const keys = rows.filter(
      ({ column, table }) => !OTHER_KEYS.test(column) && !UNFINISHED.includes(table),
    );
    expect(keys.length).toBeGreaterThan(7);
    for (const { column } of keys) {
      const [schema = '', table = '', name = ''] = column.split('.');
      expect(sql).toContain(`select ${name} from ${schema}.${table}`);
    }
  });
});
