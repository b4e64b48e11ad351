import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, OTHER_TENANT } from './chunk-source.js';
import { bib } from './library.js';
import { RecordWorld } from './record-world.js';
import {
  authorityBody,
  bibBody,
  control,
  data,
  ff,
  marc,
  RecordClient,
  type Json,
  type Stored,
} from './sent-records.js';

describe('PUT /source-storage/records/{id}', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let client: RecordClient;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    client = new RecordClient(world);
    await client.snapshot();
    await client.snapshot('other');
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const replaced = async (id: string, body: Json): Promise<Stored> => {
    const answer = await client.put(id, body);
    if (answer.status !== 200) throw new Error(`Not replaced, but ${answer.status} ${answer.text}`);
    return answer.json as Stored;
  };

  it('accepts back everything that GET and GET formatted return, and changes nothing but its time', async () => {
    const additionalInfo = { suppressDiscovery: true, staffSuppress: false, more: [1] };
    const errorRecord = { description: 'odd', content: { text: 'x' } };
    const saved = await client.save(bibBody('back', { additionalInfo, errorRecord, order: 4 }));
    for (const target of [saved.id, `${saved.id}/formatted`]) {
      const { json } = await client.get(target);
      const again = await replaced(saved.id, json);
      const { updatedDate } = again.metadata;
      expect(again).toEqual({ ...saved, metadata: { ...saved.metadata, updatedDate } });
    }
  });

  it('accepts back an imported record, whose raw text stays', async () => {
    await world.send([bib('imported', 'Imported')], { job: 'import' });
    const [row] = await world.rows<{ id: string }>(
      `select id from record where tenant_id = $1 and external_hrid = 'imported'`,
    );
    const { json } = await client.get(row?.id ?? '');
    const again = await replaced(json.id, json);
    expect(again).toEqual({ ...json, metadata: again.metadata });
  });

  it('replaces what is sent; id, matched id and generation stay', async () => {
    await client.save(bibBody('all', { generation: 3 }));
    const body = bibBody('all', {
      id: idOf('another'),
      matchedId: idOf('another'),
      generation: 9,
      snapshotId: idOf('other'),
      order: 5,
      parsedRecord: {
        content: marc(
          control('001', 'all'),
          data('245', '00', { a: 'Changed' }),
          ff(idOf('another')),
        ),
      },
      rawRecord: { content: 'raw again' },
      externalIdsHolder: { instanceId: idOf('i2'), instanceHrid: 'h2' },
      additionalInfo: { suppressDiscovery: true },
    });
    const json = await replaced(idOf('all').toUpperCase(), body);
    expect(json).toMatchObject({
      id: idOf('all'),
      matchedId: idOf('all'),
      generation: 3,
      snapshotId: idOf('other'),
      order: 5,
      rawRecord: { content: 'raw again' },
      externalIdsHolder: { instanceId: idOf('i2'), instanceHrid: 'h2' },
      additionalInfo: { suppressDiscovery: true },
    });
    expect(json.parsedRecord.content.fields.slice(1)).toEqual([
      data('245', '00', { a: 'Changed' }),
      ff(idOf('all')),
    ]);
    expect((await client.get(idOf('all'))).json).toEqual(json);
  });

  it('leaves what is absent', async () => {
    const errorRecord = { description: 'odd', content: 'x' };
    const info = { additionalInfo: { suppressDiscovery: true }, order: 2, state: 'DRAFT' };
    const saved = await client.save(bibBody('parts', { errorRecord, ...info }));
    const { snapshotId, matchedId, recordType, rawRecord } = saved;
    const again = await replaced(saved.id, { snapshotId, matchedId, recordType, rawRecord });
    expect(again).toEqual({ ...saved, metadata: again.metadata });
  });

  it('tells who made it and who changed it last, whatever metadata is sent; its time never goes back', async () => {
    const saved = await client.save(bibBody('users'));
    const user = { id: idOf('bob'), name: 'bob' };
    const metadata = {
      createdDate: '2001-01-01',
      createdByUserId: idOf('eve'),
      updatedDate: '2099-01-01',
    };
    const body = { ...saved, metadata };
    const changes = [
      () => client.put(saved.id, body, { user }),
      () => client.put(`${saved.id}/suppress-from-discovery`, {}, { user }),
      () => world.ask('DELETE', `/source-storage/records/${saved.id}`, { user }),
      () => world.ask('POST', `/source-storage/records/${saved.id}/un-delete`, { user }),
      () => client.post(body, { user }),
    ];
    let last = 0;
    for (const change of changes) {
      await change();
      const { json, headers } = await client.get(saved.id);
      expect(json.metadata).toEqual({
        ...saved.metadata,
        updatedDate: json.metadata.updatedDate,
        updatedByUserId: idOf('bob'),
        updatedByUsername: 'bob',
      });
      const version = Number(String(headers['etag']).slice(1, -1));
      expect(version).toBeGreaterThan(last);
      last = version;
    }
  });

  it('keeps the former content, with who changed it and when', async () => {
    const saved = await client.save(bibBody('kept'));
    await replaced(saved.id, { ...saved, parsedRecord: { content: marc(control('001', 'kept')) } });
    const kept = await world.rows<{ cause: string; replaced_by_name: string; content: Buffer }>(
      'select cause, replaced_by_name, content from record_history where tenant_id = $1 and record_id = $2',
      [saved.id],
    );
    expect(kept).toMatchObject([{ cause: 'UPDATE', replaced_by_name: 'ann' }]);
    expect(kept[0]?.content.toString()).toContain('Title of kept');
  });

  it('stores content that cannot be read as an error', async () => {
    const saved = await client.save(authorityBody('spoilt'));
    const again = await replaced(saved.id, { ...saved, parsedRecord: { content: 'spoilt' } });
    expect(again).not.toHaveProperty('parsedRecord');
    expect(again.errorRecord).toMatchObject({ id: saved.id, content: 'spoilt' });
  });

  describe('refuses', () => {
    it('an unknown record, also one of another tenant, and an id that is none', async () => {
      const body = bibBody('unknown');
      const text = `Record with id '${idOf('unknown')}' was not found`;
      expect(await client.put(idOf('unknown'), body)).toMatchObject({ status: 404, text });
      const { id } = await client.save(bibBody('mine'));
      expect(await client.put(id, body, { tenant: OTHER_TENANT })).toMatchObject({
        status: 404,
        text: `Record with id '${id}' was not found`,
      });
      expect((await client.get(id, { tenant: OTHER_TENANT })).status).toBe(404);
      const bad = await client.put('1', body);
      expect(bad.status).toBe(400);
      expect(bad.text).toMatch(/^Invalid UUID format of id, should be/);
      expect(await client.get('1')).toMatchObject({
        status: 404,
        text: "Record with id '1' was not found",
      });
    });

    it('an unknown snapshot', async () => {
      const { id } = await client.save(bibBody('no snapshot'));
      const body = bibBody('no snapshot', { snapshotId: idOf('nowhere') });
      const text = `Snapshot with id '${idOf('nowhere')}' was not found`;
      expect(await client.put(id, body)).toMatchObject({ status: 404, text });
    });

    it('a state that would make a second current record', async () => {
      await client.snapshot('s1');
      const first = await client.save(bibBody('two', { snapshotId: idOf('s1') }));
      await client.snapshot('s1', 'COMMITTED');
      await client.snapshot('s2');
      await client.save(bibBody('two', { id: idOf('two 2'), snapshotId: idOf('s2') }));
      for (const state of ['ACTUAL', 'DELETED'])
        expect(await client.put(first.id, { ...first, state })).toMatchObject({
          status: 409,
          text: 'Incoming file may contain duplicates',
        });
      await replaced(first.id, { ...first, state: 'DRAFT' });
      const second = (await client.get(idOf('two 2'))).json;
      await replaced(second.id, { ...second, state: 'OLD' });
      expect(await replaced(first.id, { ...first, state: 'ACTUAL' })).toMatchObject({
        state: 'ACTUAL',
      });
    });
  });

  describe('with If-Match', () => {
    it('changes the version that was read, and no other', async () => {
      const { id } = await client.save(bibBody('version'));
      const { json, headers } = await client.get(id);
      const etag = String(headers['etag']);
      const first = await client.put(id, json, { headers: { 'if-match': etag } });
      expect(first.status).toBe(200);
      expect(first.headers['etag']).not.toBe(etag);
      expect((await client.get(id)).headers['etag']).toBe(first.headers['etag']);
      expect(await client.put(id, json, { headers: { 'if-match': etag } })).toMatchObject({
        status: 409,
        text: 'version conflict',
      });
      const list = `"1", ${String(first.headers['etag'])}`;
      expect((await client.put(id, json, { headers: { 'if-match': list } })).status).toBe(200);
      expect((await client.put(id, json, { headers: { 'if-match': '*' } })).status).toBe(200);
      expect((await client.put(id, json)).status).toBe(200);
    });

    it('lets one of many writers win', async () => {
      const { id } = await client.save(bibBody('race'));
      const { json, headers } = await client.get(id);
      const ask = { headers: { 'if-match': String(headers['etag']) } };
      const answers = await Promise.all(Array.from({ length: 6 }, () => client.put(id, json, ask)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    });

    it('tells that the record is missing before anything else', async () => {
      const ask = { headers: { 'if-match': '"1"' } };
      expect((await client.put(idOf('missing'), bibBody('missing'), ask)).status).toBe(404);
    });
  });
});
