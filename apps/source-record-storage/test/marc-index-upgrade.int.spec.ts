import { prepareDatabase } from '@quire/postgres/migrate';
import { passwordOfRole } from '@quire/service/isolated';
import { testDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { sourceRecordStorage } from '../src/service.js';
import { IndexUpkeep } from '../src/usecases/index-upkeep.js';
import { idOf, TENANT } from './chunk-source.js';
import { bib } from './library.js';
import { RecordWorld } from './record-world.js';

const RECORDS = 2_500;
const OLD = idOf('old generation');
const { schema } = sourceRecordStorage;

/** A tenant with records, as it was before there was an index of MARC fields. */
async function fillOldDatabase(url: string): Promise<void> {
  const migrations = schema.migrations.filter(({ name }) => /000[1-6]$/.test(name));
  await prepareDatabase(url, [{ ...schema, migrations }], passwordOfRole);
  const admin = await new DataSource({ type: 'postgres', url }).initialize();
  await admin.query('set search_path = source_record_storage');
  await admin.query('insert into tenant (tenant_id) values ($1)', [TENANT]);
  const records = Array.from({ length: RECORDS }, (_, at) => bib(`old${at}`, `Book ${at}`));
  await admin.query(
    `insert into record (tenant_id, id, snapshot_id, matched_id, record_type, external_id, external_hrid, record_order, state)
     select $1, md5('r' || g)::uuid, $2, md5('r' || g)::uuid, 'MARC_BIB', md5('i' || g)::uuid, 'old' || g, g, 'ACTUAL'
     from generate_series(0, $3::int - 1) g`,
    [TENANT, idOf('old'), RECORDS],
  );
  await admin.query(
    `insert into record_content (tenant_id, record_id, content)
     select $1, md5('r' || place - 1)::uuid, content from unnest($2::bytea[]) with ordinality as c (content, place)`,
    [TENANT, records],
  );
  await admin.query(
    `insert into record (tenant_id, id, snapshot_id, matched_id, record_type, external_id, record_order, state, generation)
     values ($1, $2, $2, $2, 'MARC_BIB', $2, 1, 'OLD', 0)`,
    [TENANT, OLD],
  );
  await admin.destroy();
}

it('a database from before the index answers at once, and fills it by and by', async () => {
  await using database = await testDatabase();
  await fillOldDatabase(database.url);
  await using world = await RecordWorld.start(database.url);
  const found = async (): Promise<unknown> => {
    const body = { fieldsSearchExpression: `001.value = 'old7' or 001.value = 'old2499'` };
    return (await world.ask('POST', '/source-storage/stream/marc-record-identifiers', { body }))
      .json;
  };
  expect(await found()).toMatchObject({ totalCount: 2 });
  const upkeep = world.isolated.services.get('source-record-storage')?.app.get(IndexUpkeep);
  const waiting = () => world.rows('select * from marc_index_fill where tenant_id = $1');
  // The service has begun by itself; each turn is a batch, whoever takes it.
  for (let turns = 0; turns < 100 && (await waiting()).length > 0; turns += 1) await upkeep?.fill();
  expect(await waiting()).toEqual([]);
  const keys = `select count(*)::int as count from marc_index where tenant_id = $1`;
  expect(await world.rows(keys)).toEqual([{ count: RECORDS }]);
  expect(await found()).toMatchObject({ totalCount: 2 });
});
