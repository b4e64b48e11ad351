import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcKeys } from '../src/domain/marc-keys.js';
import { marcRecordOf, type ContentForm } from '../src/domain/stored-content.js';
import { idOf } from './chunk-source.js';
import { bib, recordId } from './library.js';
import { RecordWorld, type Method } from './record-world.js';
import {
  bibBody,
  control,
  data,
  ff,
  marc,
  RecordClient,
  RECORDS,
  type Field,
  type Json,
} from './sent-records.js';

const SEARCH = '/source-storage/stream/marc-record-identifiers';
const SNAPSHOTS = '/source-storage/snapshots';
const BATCH = '/source-storage/batch';

interface CurrentRow {
  readonly id: string;
  readonly matched_id: string;
  readonly external_id: string | null;
  readonly content: Buffer;
  readonly form: ContentForm;
}

/** Whoever changes records, the index of MARC fields follows in the same transaction. */
describe('the index of MARC fields after', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let client: RecordClient;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    client = new RecordClient(world);
    await client.snapshot();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  /** Nothing but the keys of every current record that has any. */
  const expectTrue = async (): Promise<void> => {
    const rows = await world.rows<{ id: string; keys: string[] }>(
      'select record_id as id, tsvector_to_array(keys) as keys from marc_index where tenant_id = $1 order by record_id',
    );
    const current = await world.rows<CurrentRow>(
      `select r.id, r.matched_id, r.external_id, c.content, c.form from record r
       join record_content c on (c.tenant_id, c.record_id) = (r.tenant_id, r.id)
       where r.tenant_id = $1 and r.state in ('ACTUAL', 'DELETED') order by r.id`,
    );
    const expected = current.flatMap((row) => {
      const record = marcRecordOf({ form: row.form, bytes: row.content });
      const own = { matchedId: row.matched_id, externalId: row.external_id };
      const keys = record ? marcKeys(record, own).map(String) : [];
      return keys.length > 0 ? [{ id: row.id, keys }] : [];
    });
    expect(rows).toEqual(expected);
  };
  const found = async (fieldsSearchExpression: string, more: object = {}): Promise<number> => {
    const body = { fieldsSearchExpression, ...more };
    return ((await world.ask('POST', SEARCH, { body })).json as { totalCount: number }).totalCount;
  };
  const ask = async (
    method: Method,
    target: string,
    status: number,
    body?: object,
  ): Promise<void> => {
    const answer = await world.ask(method, target, body ? { body } : {});
    expect([answer.status, answer.text]).toEqual([status, expect.any(String)]);
    await expectTrue();
  };
  const number = (text: string) => data('035', '  ', { a: text });
  const content = (name: string, ...more: readonly Field[]): Json => ({
    parsedRecord: { content: marc(control('001', name), ...more) },
  });

  it('a record was saved, superseded, updated and restored', async () => {
    const first = await client.save(bibBody('one', {}, number('(X)1')));
    await expectTrue();
    expect(await found(`035.a = '(X)1'`)).toBe(1);
    await client.snapshot('snapshot', 'COMMITTED');
    const next = await client.snapshot('next');
    const own = ff(first.matchedId);
    const second = await client.save(
      bibBody('one', { id: idOf('one again'), snapshotId: next }, number('(X)2'), own),
    );
    await expectTrue();
    expect([await found(`035.a = '(X)1'`), await found(`035.a = '(X)2'`)]).toEqual([0, 1]);
    const update = {
      ...bibBody('one', { snapshotId: next }),
      ...content('one', number('(X)3'), own),
    };
    await ask('PUT', `${RECORDS}/${second.id}`, 200, update);
    expect([await found(`035.a = '(X)2'`), await found(`035.a ^= '(X)'`)]).toEqual([0, 1]);
    await ask('POST', `${RECORDS}/${first.matchedId}/restore?generation=0`, 201);
    expect([await found(`035.a = '(X)1'`), await found(`035.a = '(X)3'`)]).toEqual([1, 0]);
  });

  it('a record was deleted softly, and taken back', async () => {
    const saved = await client.save(bibBody('gone', { snapshotId: idOf('next') }, number('(Y)1')));
    await ask('DELETE', `${RECORDS}/${saved.id}`, 204);
    expect(await found(`035.a = '(Y)1'`)).toBe(1);
    expect(await found(`035.a = '(Y)1'`, { deleted: true })).toBe(1);
    expect(await found(`035.a = '(Y)1'`, { deleted: false })).toBe(0);
    expect(await found(`035.a = '(Y)1'`, { suppressFromDiscovery: true })).toBe(1);
    await ask('POST', `${RECORDS}/${saved.id}/un-delete`, 204);
    expect(await found(`035.a = '(Y)1'`, { deleted: false, suppressFromDiscovery: false })).toBe(1);
  });

  it('batches were saved and updated', async () => {
    const names = ['batch one', 'batch two'];
    const records = names.map((name) =>
      bibBody(name, { snapshotId: idOf('next') }, number(`(Z)${name}`)),
    );
    await ask('POST', `${BATCH}/records`, 201, { records, totalRecords: 2 });
    expect(await found(`035.a ^= '(Z)batch'`)).toBe(2);
    const changed = records.map((record, at) => {
      const name = names[at] ?? '';
      const { content: sent } = content(name, number(`(Z)new ${name}`)).parsedRecord as Json;
      return { ...record, parsedRecord: { id: idOf(name), content: sent } };
    });
    await ask('PUT', `${BATCH}/parsed-records`, 200, { records: changed, totalRecords: 2 });
    expect([await found(`035.a ^= '(Z)batch'`), await found(`035.a ^= '(Z)new'`)]).toEqual([0, 2]);
  });

  it('records were saved that ISO 2709 cannot carry', async () => {
    const fields = [
      control('001', 'json'),
      number('(J)1'),
      data('999', '  ', { s: idOf('other') }),
    ];
    await client.save(
      bibBody('json', { snapshotId: idOf('next'), parsedRecord: { content: { fields } } }),
    );
    await expectTrue();
    expect(await found(`035.a = '(J)1' and 999.s = '${idOf('other')}'`)).toBe(1);
    expect(await found(`999.s = '${idOf('json')}'`)).toBe(1);
  });

  it('an import was undone', async () => {
    await world.send([bib('im1', 'Imported', { more: [] })], { job: 'import' });
    expect(await found(`001.value = 'im1'`)).toBe(1);
    await client.snapshot('import', 'COMMITTED');
    await ask('POST', `${SNAPSHOTS}/${idOf('import')}/undo`, 200);
    expect(await found(`001.value = 'im1'`)).toBe(0);
    const [row] = await world.rows(
      'select from marc_index where tenant_id = $1 and record_id = $2',
      [recordId(0, 'import')],
    );
    expect(row).toBeUndefined();
  });

  it('a snapshot was deleted', async () => {
    const ofSnapshot = `035.a ^= '(Y)' or 035.a ^= '(Z)' or 035.a ^= '(J)'`;
    expect(await found(ofSnapshot)).toBe(4);
    await client.snapshot('next', 'COMMITTED');
    await ask('DELETE', `${SNAPSHOTS}/${idOf('next')}`, 204);
    expect(await found(ofSnapshot)).toBe(0);
    // The restored generation belongs to another snapshot.
    expect(await found(`035.value is 'present'`)).toBe(1);
  });
});
