import { createHash } from 'node:crypto';
import { uuidV5 } from '@quire/contracts/ids';
import type { SnapshotEntries, SnapshotEntry } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { FILE_ID, idOf, OTHER_TENANT, TENANT } from './chunk-source.js';
import { bib, fill, ids999ff, instanceId, recordId, SNAPSHOT, UNKNOWN } from './library.js';
import { RecordWorld, type Answer, type Ask } from './record-world.js';

const MIXED = idOf('mixed');
const mixedId = (order: number): string => recordId(order, 'mixed');
const UNCHANGED = mixedId(4);

describe('entries of a snapshot', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  /** As the superuser, to set what no door sets. */
  let admin: DataSource;

  /** Orders 0 to 5 of job `mixed`: created and updated by turns, one that changed nothing. */
  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await fill(world);
    const accept = { options: { on999ff: 'accept' } } as const;
    const known = (name: string): readonly ReturnType<typeof ids999ff>[] => [
      ids999ff(name, idOf(`instance ${name}`)),
    ];
    const first = [
      bib('mx1', 'One', { more: known('one') }),
      bib('mx2', 'Two', { more: known('two') }),
    ];
    await world.send(first, { job: 'before mixed', ...accept });
    await world.send(
      [
        bib('mx1', 'Zebra', { more: known('one') }),
        bib('mx3', 'Ape'),
        bib('mx2', 'élan', { more: known('two') }),
        bib('mx4', 'ape'),
      ],
      { job: 'mixed', offset: 100, ...accept },
    );
    await world.send([bib('mx5', 'Ape', { status: 'd' })], {
      job: 'mixed',
      chunkNo: 1,
      firstOrder: 5,
      ...accept,
    });
    await admin.query(
      `insert into source_record_storage.unchanged_frame
       select tenant_id, $3, $4, matched_id, id, record_type, external_id, external_hrid, 4, leader_status, 'Bee',
         warnings, source_id, 7, 8, '\\xab', now()
       from source_record_storage.record where tenant_id = $1 and id = $2`,
      [TENANT, recordId(1), UNCHANGED, MIXED],
    );
  });

  afterAll(async () => {
    await admin.destroy();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const get = (target: string, ask: Ask = {}): Promise<Answer> =>
    world.get(`/internal/${target}`, { issuer: 'data-import', ...ask });
  const page = async (query: string, snapshot = MIXED): Promise<SnapshotEntries> => {
    const { status, json } = await get(`snapshots/${snapshot}/entries?${query}`);
    expect(status).toBe(200);
    return json as SnapshotEntries;
  };
  const orders = async (query: string): Promise<number[]> =>
    (await page(query)).entries.map(({ order }) => order);

  it('say what became of each frame', async () => {
    const { entries, total, next } = await page('');
    expect([total, next]).toEqual([6, undefined]);
    expect(
      entries.map(({ order, action, title, deleted }) => [order, action, title, deleted]),
    ).toEqual([
      [0, 'UPDATED', 'Zebra', false],
      [1, 'CREATED', 'Ape', false],
      [2, 'UPDATED', 'élan', false],
      [3, 'CREATED', 'ape', false],
      [4, 'UNCHANGED', 'Bee', false],
      [5, 'CREATED', 'Ape', true],
    ]);
    expect(entries[0]).toEqual({
      order: 0,
      recordId: mixedId(0),
      matchedId: idOf('one'),
      recordType: 'MARC_BIB',
      action: 'UPDATED',
      title: 'Zebra',
      externalId: idOf('instance one'),
      externalHrid: 'mx1',
      deleted: false,
      warnings: [],
      savedDate: expect.stringMatching(/^20.*\+00:00$/),
    });
    expect(entries[4]).toMatchObject({
      recordId: UNCHANGED,
      matchedId: recordId(1),
      externalId: instanceId(1),
    });
  });

  it('stay when a later import supersedes the record', async () => {
    const { entries } = await page('', idOf('before mixed'));
    expect(entries).toMatchObject([
      { action: 'CREATED', title: 'One' },
      { action: 'CREATED', title: 'Two' },
    ]);
  });

  it('come in the order of the file, of titles or of actions, both ways', async () => {
    expect(await orders('sortBy=order')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await orders('direction=desc')).toEqual([5, 4, 3, 2, 1, 0]);
    expect(await orders('sortBy=title')).toEqual([1, 5, 4, 0, 3, 2]);
    expect(await orders('sortBy=title&direction=desc')).toEqual([2, 3, 0, 4, 5, 1]);
    expect(await orders('sortBy=action')).toEqual([1, 3, 5, 4, 0, 2]);
    expect(await orders('sortBy=action&direction=desc')).toEqual([2, 0, 4, 5, 3, 1]);
  });

  it.each(['order', 'title', 'action'])(
    'by %s can be read in pages of any size',
    async (sortBy) => {
      for (const direction of ['asc', 'desc']) {
        const whole = await orders(`sortBy=${sortBy}&direction=${direction}`);
        for (const limit of [1, 2, 4]) {
          const read: number[] = [];
          let after = '';
          for (;;) {
            const { entries, next, total } = await page(
              `sortBy=${sortBy}&direction=${direction}&limit=${limit}${after}`,
            );
            expect(total).toBe(after === '' ? 6 : undefined);
            read.push(...entries.map(({ order }) => order));
            if (next === undefined) break;
            after = `&after=${next}`;
          }
          expect(read).toEqual(whole);
        }
      }
    },
  );

  it('begin at an order of the file', async () => {
    expect(await orders('from=3')).toEqual([3, 4, 5]);
    expect(await orders('from=3&direction=desc')).toEqual([3, 2, 1, 0]);
    const first = await page('from=3&limit=1');
    expect(await orders(`from=3&limit=1&after=${first.next ?? ''}`)).toEqual([4]);
  });

  it('of one record type are listed and counted alone', async () => {
    const types = async (recordType: string): Promise<unknown> => {
      const { entries, total } = await page(`recordType=${recordType}`, SNAPSHOT);
      return [entries.map((entry) => entry.order), total];
    };
    expect(await types('MARC_AUTHORITY')).toEqual([[4], 1]);
    expect(await types('MARC_HOLDING')).toEqual([[5], 1]);
    expect(await types('MARC_BIB')).toEqual([[0, 1, 2, 3], 4]);
  });

  it('carry the warnings of the record', async () => {
    await world.send([bib('wa1', 'Wrong\nline')], { job: 'warned' });
    await admin.query(
      `update source_record_storage.record set warnings = '[{"code":"CHARSET","tag":"245","count":2,"offset":9}]'
       where tenant_id = $1 and snapshot_id = $2`,
      [TENANT, idOf('warned')],
    );
    const { entries } = await page('', idOf('warned'));
    expect(entries[0]?.warnings).toEqual([{ code: 'CHARSET', tag: '245', count: 2, offset: 9 }]);
  });

  it('of an unknown snapshot are an empty list', async () => {
    expect(await page('', UNKNOWN)).toEqual({ entries: [], total: 0 });
  });

  it('are refused with parameters that are none', async () => {
    const { next = '' } = await page('limit=1');
    const wrong = [
      'sortBy=author',
      'direction=up',
      'recordType=BOOK',
      'limit=1001',
      'from=-1',
      'from=x',
      'sortBy=title&from=1',
      'after=x',
      'after=',
      `after=${Buffer.from('[]').toString('base64url')}`,
      `after=${Buffer.from('null').toString('base64url')}`,
      `direction=desc&after=${next}`,
      `sortBy=title&after=${next}`,
    ];
    for (const query of wrong) {
      const { status, text } = await get(`snapshots/${MIXED}/entries?${query}`);
      expect([query, status, text]).toEqual([query, 400, expect.stringContaining('is incorrect')]);
    }
  });

  it('are found by record, with or without their snapshot', async () => {
    const at = (order: number): Promise<Answer> =>
      get(`snapshots/${MIXED}/entries/${mixedId(order)}`);
    expect((await at(2)).json as SnapshotEntry).toEqual((await page('from=2&limit=1')).entries[0]);
    expect((await at(4)).json).toMatchObject({ action: 'UNCHANGED', title: 'Bee' });
    const frame = bib('mx3', 'Ape');
    const { json } = await get(`entries/${mixedId(1)}`);
    expect(json).toMatchObject({
      recordId: mixedId(1),
      snapshotId: MIXED,
      origin: {
        source: FILE_ID,
        len: frame.length,
        sha256: createHash('sha256').update(frame).digest('hex'),
      },
    });
    const first = await get(`entries/${mixedId(0)}`);
    expect(first.json).toMatchObject({ origin: { at: 100 } });
    expect((await get(`entries/${UNCHANGED}`)).json).toMatchObject({
      snapshotId: MIXED,
      origin: { source: FILE_ID, at: 7, len: 8, sha256: 'ab' },
    });
    for (const target of [
      `snapshots/${SNAPSHOT}/entries/${mixedId(0)}`,
      `snapshots/${MIXED}/entries/${UNKNOWN}`,
      `snapshots/${MIXED}/entries/no-uuid`,
      `entries/${UNKNOWN}`,
      `entries/no-uuid`,
    ]) {
      const { status, text } = await get(target);
      const id = target.split('/').at(-1) ?? '';
      expect([status, text]).toEqual([404, `Entry of record '${id}' was not found`]);
    }
  });

  it('lead to the stored bytes, also of a frame that changed nothing', async () => {
    const content = async (id: string): Promise<string> => {
      const { status, text } = await get(`records/${id}/content`);
      expect(status).toBe(200);
      return text;
    };
    expect(await content(mixedId(1))).toContain(`Ape\u001e`);
    expect(await content(mixedId(1))).toContain(uuidV5(mixedId(1), 'instance'));
    expect(await content(UNCHANGED)).toBe(await content(recordId(1)));
    const { status, text } = await get(`records/${UNKNOWN}/content`);
    expect([status, text]).toEqual([404, `Record with id '${UNKNOWN}' was not found`]);
  });

  it('answer data-import alone, and only about its tenant', async () => {
    const targets = [
      `snapshots/${MIXED}/entries`,
      `snapshots/${MIXED}/entries/${mixedId(0)}`,
      `entries/${mixedId(0)}`,
      `records/${mixedId(0)}/content`,
    ];
    for (const target of targets)
      for (const issuer of ['gateway', 'data-export'] as const)
        expect((await get(target, { issuer })).status).toBe(401);
    const there = { tenant: OTHER_TENANT };
    expect((await get(targets[0]!, there)).json).toEqual({ entries: [], total: 0 });
    for (const target of targets.slice(1)) expect((await get(target, there)).status).toBe(404);
  });
});
